import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { MirrorError } from '../observe/error.ts';

const WHY: Readonly<Record<string, string>> = {
  EADDRINUSE: ': is another mirrortap running?',
  EADDRNOTAVAIL: ': no interface of this host has the address that listen.address names.',
  EACCES: ': a port below 1024 needs CAP_NET_BIND_SERVICE.',
};

/** Workers share their ports (SO_REUSEPORT), and so would a second appliance: half the packets would go there. */
export async function refuseTakenPorts(address: string, ports: Iterable<number>): Promise<void> {
  for (const port of ports) {
    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4' });
    try {
      socket.bind({ port, address, exclusive: true });
      await once(socket, 'listening');
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
      const message = `Cannot receive UDP on ${address} port ${port}${WHY[code] ?? '.'}`;
      throw new MirrorError('UDP_BIND_FAILED', message, { address, port }, { cause });
    } finally {
      socket.close();
    }
  }
}
