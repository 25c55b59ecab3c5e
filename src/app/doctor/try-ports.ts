import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv6 } from 'node:net';
import type { Config } from '../../config/settings.ts';
import type { PortFact } from './facts.ts';
import { portHolder } from './port-holder.ts';

/** Binds every port that the appliance would take, and lets it go. A port that the system chooses is left out. */
export async function tryPorts({ listen, http }: Config): Promise<PortFact[]> {
  const facts: PortFact[] = [];
  for (const port of new Set([...listen.vxlanPorts, ...listen.genevePorts])) {
    facts.push(await tryPort('udp', listen.address, port));
  }
  for (const port of new Set([http.port, http.tcpHealthPort])) {
    if (port !== 0) facts.push(await tryPort('tcp', http.address, port));
  }
  return facts;
}

async function tryPort(protocol: 'udp' | 'tcp', address: string, port: number): Promise<PortFact> {
  const refusal = await (protocol === 'udp' ? bindUdp(address, port) : bindTcp(address, port));
  const holder = refusal === 'EADDRINUSE' ? portHolder(protocol, port) : undefined;
  return { protocol, address, port, refusal, holder };
}

async function bindUdp(address: string, port: number): Promise<string | undefined> {
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4' });
  try {
    socket.bind({ address, port, exclusive: true });
    await once(socket, 'listening');
    return undefined;
  } catch (error) {
    return errorNumber(error);
  } finally {
    socket.close();
  }
}

async function bindTcp(address: string, port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen({ host: address, port, exclusive: true });
    await once(server, 'listening');
    return undefined;
  } catch (error) {
    return errorNumber(error);
  } finally {
    server.close();
  }
}

/** A UDP port that nobody has, of the system's choice. */
export async function freeUdpPort(address: string): Promise<number> {
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4' });
  try {
    socket.bind({ address, port: 0, exclusive: true });
    await once(socket, 'listening');
    return socket.address().port;
  } finally {
    socket.close();
  }
}

function errorNumber(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : String(error);
}
