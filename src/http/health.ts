import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Readiness } from '../observe/health.ts';

/** How the health checks of AWS load balancers name themselves. */
const LOAD_BALANCER_AGENT = 'ELB-HealthChecker';

/** What a person who opens the port is told. */
const INDEX = { service: 'mirrortap', endpoints: ['/healthz', '/readyz', '/metrics'] };

/**
 * Routes that say whether the process lives (`/healthz`) and whether it should get traffic (`/readyz`). A load
 * balancer gets the second also on `/`, where its checks look if nobody changes the path.
 *
 * @param readiness asked anew for each request
 */
export function addHealth(app: FastifyInstance, readiness: () => Readiness): void {
  app.get('/healthz', (_request, reply) => fresh(reply).send({ status: 'alive' }));
  app.get('/readyz', (_request, reply) => sendReadiness(reply, readiness()));
  app.get('/', (request, reply) => {
    const agent = request.headers['user-agent'] ?? '';
    return agent.startsWith(LOAD_BALANCER_AGENT) ? sendReadiness(reply, readiness()) : reply.send(INDEX);
  });
}

function sendReadiness(reply: FastifyReply, { httpStatus, status, reasons }: Readiness): FastifyReply {
  return fresh(reply).code(httpStatus).send({ status, reasons });
}

function fresh(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-store');
}
