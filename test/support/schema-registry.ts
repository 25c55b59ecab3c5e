import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a registry was asked. */
export interface RegistryRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/**
 * How a registry is: `right`; `silent`, which accepts and never answers; `failing` with 503; `garbage`, which is some web page;
 * `refusing` a schema that is not compatible.
 */
export type RegistryMood = 'right' | 'silent' | 'failing' | 'garbage' | 'refusing';

export interface TestRegistry {
  readonly url: string;
  readonly requests: readonly RegistryRequest[];
  /** Schemas by their id, as text. */
  readonly schemas: ReadonlyMap<number, string>;
  /** Changes how it is, and ends what it has not answered. */
  be(mood: RegistryMood): void;
  close(): Promise<void>;
}

const unlike = {
  failing: [503, '{"error_code":50302,"message":"no leader"}'],
  garbage: [200, '<html>Welcome</html>'],
  refusing: [
    409,
    '{"error_code":409,"message":"Schema being registered is incompatible with an earlier schema"}',
  ],
} as const;

/** A schema registry as far as producers and consumers ask it: registers schemas, and gives them by id. */
export async function startRegistry(firstId = 1, port = 0): Promise<TestRegistry> {
  const requests: RegistryRequest[] = [];
  const schemas = new Map<number, string>();
  const idOf = (schema: string): number => {
    for (const [id, known] of schemas) if (known === schema) return id;
    schemas.set(firstId + schemas.size, schema);
    return firstId + schemas.size - 1;
  };
  const answer = ({ method, path, body }: RegistryRequest): object | undefined => {
    if (method === 'POST' && /^\/subjects\/[^/]+\/versions$/.test(path)) {
      return { id: idOf((JSON.parse(body) as { schema: string }).schema) };
    }
    const [, id] = /^\/schemas\/ids\/(\d+)$/.exec(path) ?? [];
    const schema = schemas.get(Number(id));
    return schema === undefined ? undefined : { schema };
  };
  let mood: RegistryMood = 'right';
  const server = createServer((request, response) => {
    void received(request).then((asked) => {
      requests.push(asked);
      if (mood === 'silent') return;
      if (mood !== 'right') {
        const [status, body] = unlike[mood];
        response.writeHead(status);
        response.end(body);
        return;
      }
      const found = answer(asked);
      response.writeHead(found === undefined ? 404 : 200, {
        'content-type': 'application/vnd.schemaregistry.v1+json',
      });
      response.end(JSON.stringify(found ?? { error_code: 40_403, message: 'not found' }));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    schemas,
    be: (next) => {
      mood = next;
      server.closeAllConnections();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function received(request: IncomingMessage): Promise<RegistryRequest> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const { method = '', url: path = '', headers } = request;
  return { method, path, headers, body };
}
