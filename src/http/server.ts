import { fastify } from 'fastify';
import type { Readiness } from '../observe/health.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics/metrics.ts';
import { addFailures, answerClientError, badUrl } from './failure.ts';
import { addHealth } from './health.ts';
import { bindFailed } from './bind-failed.ts';
import { addMetrics } from './metrics.ts';

/** Longest time from the first byte of a request to its last. */
const REQUEST_MAX_MS = 10_000;
/** Longest time that a client may not take a byte of its answer. */
const STALLED_MAX_MS = 30_000;
/** Idle connections live longer than the 60 s of a load balancer, or it would reuse one as it closes. */
const KEEP_ALIVE_MS = 72_000;
const HEADER_MAX_BYTES = 16_384;
const BODY_MAX_BYTES = 65_536;
const CONNECTIONS_MAX = 1024;

export interface HttpServerOptions {
  readonly address: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly log: Log;
  readonly readiness: () => Readiness;
  readonly metrics: Metrics;
}

export interface HttpServer {
  /** The port that it listens on. */
  readonly port: number;
  /** Stops listening and closes all connections, also those that wait for their next request. */
  close(): Promise<void>;
}

/**
 * Serves health, readiness and metrics. Health checks of all sorts get an answer: HTTP/1.0 and 1.1, HEAD and GET,
 * with any Host or none, always with Content-Length.
 *
 * Rejects with `HTTP_BIND_FAILED`.
 */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { address, port, log } = options;
  const app = fastify({
    http: {
      requireHostHeader: false,
      maxHeaderSize: HEADER_MAX_BYTES,
      headersTimeout: REQUEST_MAX_MS,
      requestTimeout: REQUEST_MAX_MS,
      connectionsCheckingInterval: REQUEST_MAX_MS / 4,
    },
    requestTimeout: REQUEST_MAX_MS,
    connectionTimeout: STALLED_MAX_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    bodyLimit: BODY_MAX_BYTES,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true },
    rewriteUrl: ({ url }) => originForm(url ?? '/'),
    clientErrorHandler: answerClientError,
    frameworkErrors: badUrl,
  });
  app.server.maxConnections = CONNECTIONS_MAX;
  addFailures(app, log);
  addHealth(app, options.readiness);
  addMetrics(app, options.metrics);

  try {
    await app.listen({ host: address, port });
  } catch (cause) {
    await app.close();
    throw bindFailed('http.port', address, port, cause);
  }
  const bound = app.server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    close: () => app.close(),
  };
}

/** The path of a URL that was sent whole, as to a proxy: servers must accept that too (RFC 9112 section 3.2.2). */
function originForm(url: string): string {
  return url.replace(/^https?:\/\/[^/?#]*(?=[/?#]|$)/i, '').replace(/^(?=\?|$)/, '/');
}
