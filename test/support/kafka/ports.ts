import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const LOWEST = 10_000;
const TRIES = 200;

/**
 * TCP ports of 127.0.0.1 that nobody has right now, all different. None is of the range from which the kernel gives ports
 * to clients: while a broker is down, nobody may get its port, least of all a client that would then reach itself.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const [firstOfClients = 32_768] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .split(/\s+/)
    .map(Number);
  const end = Math.max(Math.min(firstOfClients, 65_536), LOWEST + 1000);
  const ports = new Set<number>();
  for (let tries = 0; tries < TRIES && ports.size < count; tries++) {
    const port = randomInt(LOWEST, end);
    if (await isFree(port)) ports.add(port);
  }
  if (ports.size < count) throw new Error(`No ${count} free TCP ports from ${LOWEST} to ${end - 1}.`);
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
