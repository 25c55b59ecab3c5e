import { execFile } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createHttpServer, type HttpServer } from '../../../src/http/server.ts';
import { MirrorError } from '../../../src/observe/error.ts';
import type { Readiness } from '../../../src/observe/health.ts';
import type { LogFields } from '../../../src/observe/log.ts';
import { rawExchange, rawRequest } from '../../support/raw-http.ts';
import { requires } from '../../support/requires.ts';

const run = promisify(execFile);

const READY: Readiness = { status: 'ready', httpStatus: 200, reasons: [] };
const FULL = { code: 'SINK_FAILING', sink: 'captures', message: 'The sink refuses.' } as const;
const NOT_READY: Readiness = { status: 'not ready', httpStatus: 503, reasons: [FULL] };

const metrics = {
  contentType: 'text/plain; version=0.0.4; charset=utf-8',
  render: () => Promise.resolve('mirrortap_ready 1\n'),
};

let server: HttpServer;
let readiness: () => Readiness;
let logged: string[];

const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (_fields: LogFields, message: string) => void logged.push(message),
};

beforeEach(async () => {
  readiness = () => READY;
  logged = [];
  server = await createHttpServer({
    address: '127.0.0.1',
    port: 0,
    log,
    readiness: () => readiness(),
    metrics,
  });
});

afterEach(() => server.close());

describe('health checks of all sorts get an answer', () => {
  const requests = [
    { name: 'HTTP/1.0 without Host', text: 'GET /readyz HTTP/1.0\n\n' },
    { name: 'HTTP/1.0 with Host', text: 'GET /readyz HTTP/1.0\nHost: a\n\n' },
    { name: 'HTTP/1.1 without Host', text: 'GET /readyz HTTP/1.1\nConnection: close\n\n' },
    { name: 'HTTP/1.1 with an empty Host', text: 'GET /readyz HTTP/1.1\nHost:\nConnection: close\n\n' },
    {
      name: 'HTTP/1.1 with another Host and port',
      text: 'GET /readyz HTTP/1.1\nHost: other.example:99999\nConnection: close\n\n',
    },
    {
      name: 'HTTP/1.1 with a Host that is no host name',
      text: 'GET /readyz HTTP/1.1\nHost: [::1%eth0]\nConnection: close\n\n',
    },
    {
      name: 'the URL as to a proxy (RFC 9112 section 3.2.2)',
      text: 'GET http://a.example:8080/readyz HTTP/1.1\nHost: a\nConnection: close\n\n',
    },
    { name: 'a query', text: 'GET /readyz?from=lb HTTP/1.0\n\n' },
    { name: 'a trailing slash', text: 'GET /readyz/ HTTP/1.0\n\n' },
    { name: 'a body that nobody asked for', text: 'GET /readyz HTTP/1.0\nContent-Length: 2\n\n{}' },
    {
      name: 'a load balancer on /',
      text: 'GET / HTTP/1.1\nHost: 10.0.0.1:8080\nConnection: close\nUser-Agent: ELB-HealthChecker/2.0\n\n',
    },
  ];

  test.each(requests)('$name: ready', async ({ text }) => {
    const { status, headers, body } = await rawRequest(server.port, text);
    expect(status).toBe(200);
    expect(headers.get('content-length')).toBe(String(body.length));
    expect(headers.get('transfer-encoding')).toBeUndefined();
    expect(JSON.parse(body)).toEqual({ status: 'ready', reasons: [] });
  });

  test.each(requests)('$name: not ready', async ({ text }) => {
    readiness = () => NOT_READY;
    const { status, headers, body } = await rawRequest(server.port, text);
    expect(status).toBe(503);
    expect(headers.get('content-length')).toBe(String(body.length));
    expect(JSON.parse(body)).toEqual({ status: 'not ready', reasons: [FULL] });
  });

  test.each(requests)('$name: HEAD tells the length and sends nothing', async ({ text }) => {
    const got = await rawRequest(server.port, text);
    const { status, headers, body } = await rawRequest(server.port, text.replace('GET', 'HEAD'));
    expect(status).toBe(200);
    expect(headers.get('content-length')).toBe(got.headers.get('content-length'));
    expect(body).toBe('');
  });
});

test('HTTP/1.0 is closed after the answer, unless it asked to be kept', async () => {
  const closed = await rawRequest(server.port, 'GET /healthz HTTP/1.0\n\n');
  expect(closed.headers.get('connection')).toBe('close');

  const both = 'GET /healthz HTTP/1.0\nConnection: keep-alive\n\nGET /healthz HTTP/1.0\n\n';
  const text = await rawExchange(server.port, both);
  expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  expect(text).toMatch(/connection: keep-alive/i);
});

test('/healthz says 200 while the process lives, ready or not', async () => {
  readiness = () => NOT_READY;
  const { status, body } = await rawRequest(server.port, 'GET /healthz HTTP/1.0\n\n');
  expect(status).toBe(200);
  expect(JSON.parse(body)).toEqual({ status: 'alive' });
});

test('/ lists what there is for anyone but a load balancer', async () => {
  readiness = () => NOT_READY;
  const { status, body } = await rawRequest(
    server.port,
    'GET / HTTP/1.0\nUser-Agent: x ELB-HealthChecker\n\n',
  );
  expect(status).toBe(200);
  expect(JSON.parse(body)).toEqual({ service: 'mirrortap', endpoints: ['/healthz', '/readyz', '/metrics'] });
});

test('/metrics answers with the type that Prometheus expects', async () => {
  const { status, headers, body } = await rawRequest(server.port, 'GET /metrics HTTP/1.0\n\n');
  expect([status, headers.get('content-type'), body]).toEqual([
    200,
    metrics.contentType,
    'mirrortap_ready 1\n',
  ]);
});

describe('errors are JSON with a code', () => {
  const long = 'a'.repeat(20_000);
  const failures = [
    { name: 'unknown path', text: 'GET /nowhere?x=1 HTTP/1.0\n\n', status: 404, code: 'NOT_FOUND' },
    { name: 'wrong method', text: 'DELETE /readyz HTTP/1.0\n\n', status: 405, code: 'METHOD_NOT_ALLOWED' },
    {
      name: 'wrong method with a body of an unknown type',
      text: 'POST /readyz HTTP/1.0\nContent-Type: a/b\nContent-Length: 1\n\nx',
      status: 405,
      code: 'METHOD_NOT_ALLOWED',
    },
    { name: 'path that cannot be decoded', text: 'GET /%zz HTTP/1.0\n\n', status: 400, code: 'BAD_REQUEST' },
    { name: 'not HTTP', text: 'hello\n\n', status: 400, code: 'BAD_REQUEST' },
    {
      name: 'header too long',
      text: `GET / HTTP/1.0\nX: ${long}\n\n`,
      status: 431,
      code: 'REQUEST_HEADER_FIELDS_TOO_LARGE',
    },
  ];

  test.each(failures)('$name', async ({ text, status, code }) => {
    const answer = await rawRequest(server.port, text);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-length')).toBe(String(answer.body.length));
    expect(JSON.parse(answer.body)).toEqual({ code, message: expect.any(String) });
  });

  test('what goes wrong inside is logged, not told', async () => {
    readiness = () => {
      throw new Error('secret');
    };
    const { status, body } = await rawRequest(server.port, 'GET /readyz HTTP/1.0\n\n');
    expect(status).toBe(500);
    expect(JSON.parse(body)).toMatchObject({ code: 'INTERNAL_SERVER_ERROR' });
    expect(body).not.toContain('secret');
    expect(logged).toEqual(['A request failed.']);
  });

  test('an error with a code of ours tells it', async () => {
    readiness = () => {
      throw new MirrorError('WORKER_FAILED', 'A worker is gone.');
    };
    const { body } = await rawRequest(server.port, 'GET /readyz HTTP/1.0\n\n');
    expect(JSON.parse(body)).toEqual({ code: 'WORKER_FAILED', message: 'A worker is gone.' });
  });
});

test('close does not wait for connections that are kept or half a request', async () => {
  const clients = await Promise.all(['GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n', 'GET /hea'].map(open));
  const closed = clients.map((client) => new Promise((resolve) => client.on('close', resolve)));
  await server.close();
  await Promise.all(closed);
  await expect(rawRequest(server.port, 'GET / HTTP/1.0\n\n')).rejects.toThrow('ECONNREFUSED');

  function open(text: string): Promise<Socket> {
    return new Promise((resolve) => {
      const client = connect(server.port, '127.0.0.1', () => {
        client.on('error', () => undefined);
        client.write(text, () => resolve(client));
      });
    });
  }
});

test('a port that is taken is an error with its remedy', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const bound = taken.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const failed = createHttpServer({ address: '127.0.0.1', port, log, readiness, metrics });
  await expect(failed).rejects.toMatchObject({
    name: 'MirrorError',
    code: 'HTTP_BIND_FAILED',
    context: {
      setting: 'http.port',
      address: '127.0.0.1',
      port,
      remedy: expect.stringContaining('ss -ltnp'),
    },
    cause: { code: 'EADDRINUSE' },
  });
  taken.close();
});

test.skipIf(!requires('curl'))('curl agrees, with HTTP/1.0 and 1.1, GET and HEAD', async () => {
  for (const version of ['--http1.0', '--http1.1']) {
    for (const method of [[], ['--head']]) {
      const url = `http://127.0.0.1:${server.port}/readyz`;
      const { stdout } = await run('curl', [
        '-sS',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        version,
        ...method,
        url,
      ]);
      expect(stdout).toBe('200');
    }
  }
});
