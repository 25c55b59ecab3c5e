import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { MirrorError } from '../observe/error.ts';

/** Workers share their ports (SO_REUSEPORT), and so would a second appliance: half the packets would go there. */
export async function refuseTakenPorts(address: string, ports: Iterable<number>): Promise<void> {
  for (const port of ports) {
    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4' });
    try {
      socket.bind({ port, address, exclusive: true });
      await once(socket, 'listening');
    } catch (cause) {
      const taken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
      const message = `Cannot receive UDP on ${address} port ${port}${taken ? ': is another mirrortap running?' : '.'}`;
      throw new MirrorError('UDP_BIND_FAILED', message, { address, port }, { cause });
    } finally {
      socket.close();
    }
  }
}
