import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { registerSchema } from '../../../../src/sinks/kafka/schema-registry.ts';
import { MirrorError } from '../../../../src/observe/error.ts';
import { startRegistry } from '../../../support/schema-registry.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const access = (url: string, more = {}) => ({ url, username: '', password: undefined, ...more });

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  ends.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that answers every request so. */
function answering(status: number, body: string, headers: Record<string, string> = {}): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { connection: 'close', ...headers });
    response.end(body);
  });
  return listening(server);
}

async function failure(url: string, timeoutMs = 10_000): Promise<MirrorError> {
  const error: unknown = await registerSchema(access(url), 'flows-value', '{}', { timeoutMs }).catch(
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MirrorError);
  expect(error).toMatchObject({ code: 'SCHEMA_REGISTRY_FAILED' });
  return error as MirrorError;
}

describe('the request', () => {
  test('is one POST of the schema as text, and gives the id', async () => {
    const registry = await startRegistry(77);
    ends.push(() => registry.close());
    expect(await registerSchema(access(registry.url), 'a/b-value', '{"type":"int"}')).toBe(77);
    expect(registry.requests).toHaveLength(1);
    expect(registry.requests[0]).toMatchObject({
      method: 'POST',
      path: '/subjects/a%2Fb-value/versions',
      body: '{"schema":"{\\"type\\":\\"int\\"}"}',
    });
    const { headers } = registry.requests[0]!;
    expect(headers['content-type']).toBe('application/vnd.schemaregistry.v1+json');
    expect(headers).not.toHaveProperty('authorization');
  });

  test('carries user and password', async () => {
    const registry = await startRegistry();
    ends.push(() => registry.close());
    await registerSchema(access(registry.url, { username: 'ü', password: 'p:w' }), 's', '{}');
    expect(registry.requests[0]?.headers['authorization']).toBe(
      `Basic ${Buffer.from('ü:p:w').toString('base64')}`,
    );
  });

  test('goes below the path of the URL', async () => {
    const paths: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url);
      response.end('{"id":5}');
    });
    const url = await listening(server);
    expect(await registerSchema(access(`${url}/apis/ccompat/v7/`), 's', '{}')).toBe(5);
    expect(paths).toEqual(['/apis/ccompat/v7/subjects/s/versions']);
  });
});

describe('what goes wrong is told with URL, status and answer', () => {
  test.each([
    [401, 'Unauthorized'],
    [409, '{"error_code":409,"message":"incompatible"}'],
    [302, ''],
    [500, 'x'.repeat(200_000)],
  ])('status %d', async (status, body) => {
    const url = await answering(status, body, status === 302 ? { location: 'http://127.0.0.1:1/' } : {});
    const { context, message } = await failure(url);
    expect(context).toMatchObject({ url: `${url}/subjects/flows-value/versions`, status });
    expect(String(context['answer']).startsWith(body.slice(0, 500) || 'nothing')).toBe(true);
    expect(message.length).toBeLessThan(700);
  });

  test.each(['<html>\u001b[31mHello</html>', '{}', '{"id":"1"}', '{"id":-1}', '{"id":1.5}', 'null', ''])(
    'an answer without an id: %j',
    async (body) => {
      const { message, context } = await failure(await answering(200, body));
      expect(message).toContain('no schema registry');
      expect(String(context['answer'])).not.toContain('\u001b');
    },
  );

  test('nobody listens', async () => {
    const server = createTcpServer();
    const url = await listening(server);
    await new Promise((resolve) => {
      server.close(resolve);
    });
    const error = await failure(url);
    expect(error.message).toContain('cannot be reached');
    expect(error.cause).toBeDefined();
  });

  test('who answers is no web server', async () => {
    const url = await listening(createTcpServer((socket) => socket.end('SSH-2.0-x\r\n')));
    expect((await failure(url)).message).toContain('cannot be reached');
  });

  test('no answer, and one that does not end', async () => {
    const open = new Set<{ destroy(): unknown }>();
    ends.push(() => open.forEach((socket) => socket.destroy()));
    const silent = await listening(createTcpServer((socket) => void open.add(socket)));
    expect((await failure(silent, 300)).message).toContain('did not answer within 300 ms');
    const endless = createServer((_request, response) => {
      open.add(response);
      response.write('{');
    });
    expect((await failure(await listening(endless), 300)).message).toContain('did not answer within 300 ms');
  });

  test('an answer that goes on for ever is not read to its end', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(404);
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      };
      response.on('drain', more);
      more();
    });
    expect((await failure(await listening(server), 60_000)).context).toMatchObject({ status: 404 });
  });

  test.each(['', 'registry:8081', 'ftp://host/', 'http://user:secret@127.0.0.1:1'])(
    'the URL %j',
    async (url) => {
      const error = await failure(url);
      expect(JSON.stringify([error.message, error.context])).not.toContain('secret');
    },
  );
});
