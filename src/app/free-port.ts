import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { MirrorError } from '../observe/error.ts';

/**
 * The usual port if nobody has it, else any that is free. Another process may take it before it is bound again.
 *
 * @throws MirrorError UDP_BIND_FAILED
 */
export async function freePort(protocol: 'udp' | 'tcp', address: string, usual: number): Promise<number> {
  for (const port of [usual, 0]) {
    const found = await (protocol === 'udp' ? tryUdp(address, port) : tryTcp(address, port)).catch(
      () => undefined,
    );
    if (found !== undefined) return found;
  }
  throw new MirrorError('UDP_BIND_FAILED', `No ${protocol} port is free on ${address}.`, { address });
}

async function tryUdp(address: string, port: number): Promise<number> {
  const socket = createSocket('udp4');
  try {
    socket.bind({ port, address, exclusive: true });
    await once(socket, 'listening');
    return socket.address().port;
  } finally {
    socket.close();
  }
}

async function tryTcp(address: string, port: number): Promise<number> {
  const server = createServer();
  try {
    server.listen({ port, host: address, exclusive: true });
    await once(server, 'listening');
    const bound = server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : port;
  } finally {
    server.close();
  }
}
