import { readFileSync } from 'node:fs';

const TABLES = ['/proc/net/udp', '/proc/net/udp6'];

/**
 * Datagrams that the kernel dropped for sockets bound to `ports` on this host, since those sockets were opened:
 * the last column of the UDP tables of procfs (proc_net_udp in the kernel's documentation). They came while
 * the socket's receive buffer was full.
 *
 * @returns `undefined` where there is no such table (not Linux)
 */
export function kernelDrops(ports: ReadonlySet<number>): number | undefined {
  let drops: number | undefined;
  for (const path of TABLES) {
    const text = readTable(path);
    if (text !== undefined) drops = (drops ?? 0) + sumDrops(text, ports);
  }
  return drops;
}

function readTable(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Sums the drops of one table's text over the sockets bound to `ports`. */
export function sumDrops(table: string, ports: ReadonlySet<number>): number {
  let drops = 0;
  for (const line of table.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const port = Number.parseInt(fields[1]?.split(':').at(-1) ?? '', 16);
    if (ports.has(port)) drops += Number(fields.at(-1)) || 0;
  }
  return drops;
}
