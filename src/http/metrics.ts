import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../observe/metrics/metrics.ts';

/** The route that Prometheus scrapes. */
export function addMetrics(app: FastifyInstance, metrics: Metrics): void {
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.render();
    return reply.type(metrics.contentType).send(text);
  });
}
