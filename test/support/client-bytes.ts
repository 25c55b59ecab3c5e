import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { connect, type ConnectionOptions } from 'node:tls';

/** What real clients send first, taken from a socket on loopback. */

/** Calls `start` with the port of a server that answers nothing, and returns what comes within one turn. */
async function firstBytes(start: (port: number) => void): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  start(port);
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  socket.on('error', () => undefined);
  socket.destroy();
  server.close();
  return bytes;
}

/** The first flight of Node's TLS client. */
export function helloOfNode(options: ConnectionOptions): Promise<Buffer> {
  return firstBytes((port) => {
    connect({ ...options, port, host: '127.0.0.1' }).on('error', () => undefined);
  });
}

/** The first flight of `openssl s_client`. */
export function helloOfOpenssl(args: readonly string[]): Promise<Buffer> {
  return firstBytes((port) => {
    execFile('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args], () => undefined).stdin?.end();
  });
}

/** The first request of Node's HTTP client. */
export function requestOfNode(
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<Buffer> {
  return firstBytes((port) => {
    request({ port, host: '127.0.0.1', method, path, headers })
      .on('error', () => undefined)
      .end();
  });
}

/** The query of Node's resolver for a name. */
export async function queryOfNode(name: string, type: 'A' | 'AAAA' | 'TXT'): Promise<Buffer> {
  const server = createSocket('udp4');
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const resolver = new Resolver({ tries: 1, timeout: 10_000 });
  resolver.setServers([`127.0.0.1:${server.address().port}`]);
  const asked = resolver.resolve(name, type).catch(() => undefined);
  const [bytes] = (await once(server, 'message')) as [Buffer];
  resolver.cancel();
  await asked;
  server.close();
  return bytes;
}
