import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MirrorError } from '../observe/error.ts';
import type { Log } from '../observe/log.ts';

/** Body of every answer that is an error. */
interface Failure {
  /** Code of a `MirrorError`, or the status in capitals, as in `NOT_FOUND`. */
  readonly code: string;
  readonly message: string;
}

/** Answers errors and unknown paths as JSON: code and message. */
export function addFailures(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error: unknown, request, reply) => {
    const status = statusOf(error);
    if (status >= 500) log.error({ error, url: request.url }, 'A request failed.');
    return reply.code(status).send(failure(status, error));
  });
  app.setNotFoundHandler((request, reply) => {
    const [path = '/'] = request.url.split('?');
    if (!app.hasRoute({ method: 'GET', url: path }))
      return sendStatus(reply, 404, `There is no ${path} here.`);
    return sendStatus(reply.header('allow', 'GET, HEAD'), 405, `${path} takes GET and HEAD only.`);
  });
}

/** Answers a URL that cannot be decoded. */
export function badUrl(_error: unknown, _request: FastifyRequest, reply: FastifyReply): void {
  sendStatus(reply, 400, 'The path of the URL cannot be decoded.');
}

/** Answers what is not HTTP, too long or too slow, and closes the connection. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = CLIENT_ERRORS[error.code ?? ''] ?? 400;
  const body = JSON.stringify(failure(status, new Error('The request cannot be read.')));
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n`;
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
  socket.destroySoon();
}

const CLIENT_ERRORS: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

function sendStatus(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).send(failure(status, new Error(message)));
}

function failure(status: number, error: unknown): Failure {
  if (error instanceof MirrorError) return { code: error.code, message: error.message };
  const code = (STATUS_CODES[status] ?? 'ERROR').toUpperCase().replaceAll(/\W+/g, '_');
  // what went wrong inside is for the log, not for whoever asked
  const shown = status < 500 && error instanceof Error;
  return { code, message: shown ? error.message : 'The request failed; the log says why.' };
}

function statusOf(error: unknown): number {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500;
}
