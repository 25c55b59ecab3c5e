import { readFileSync } from 'node:fs';

const TABLES = ['/proc/net/udp', '/proc/net/udp6'];
const INODE_FIELD = 9;

/**
 * Counts the datagrams that the kernel dropped for sockets bound to some ports of this host, because the socket's
 * receive buffer was full: the last column of the UDP tables of procfs (proc_net_udp in the kernel's documentation).
 *
 * The kernel forgets a socket's count when it is closed; this one does not. What a socket dropped after the last
 * look before it was closed is not known.
 */
export class KernelDrops {
  readonly #ports: ReadonlySet<number>;
  readonly #readTable: (path: string) => string | undefined;
  /** Drops by inode of the sockets that were there at the last look. */
  #open = new Map<string, number>();
  #ofClosedSockets = 0;

  /** @param readTable text of a table, `undefined` where there is none */
  constructor(ports: ReadonlySet<number>, readTable: (path: string) => string | undefined = readText) {
    this.#ports = ports;
    this.#readTable = readTable;
  }

  /** Datagrams dropped so far; `undefined` where there is no such table (not Linux). */
  look(): number | undefined {
    const tables = TABLES.map(this.#readTable).filter((text) => text !== undefined);
    if (tables.length === 0) return undefined;
    const now = new Map(tables.flatMap((text) => [...dropsBySocket(text, this.#ports)]));
    for (const [inode, drops] of this.#open) if (!now.has(inode)) this.#ofClosedSockets += drops;
    this.#open = now;
    return this.#ofClosedSockets + sum(now.values());
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Drops of one table's sockets that are bound to `ports`, by inode: its name for as long as it is open. */
export function dropsBySocket(table: string, ports: ReadonlySet<number>): Map<string, number> {
  const drops = new Map<string, number>();
  for (const line of table.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const port = Number.parseInt(fields[1]?.split(':').at(-1) ?? '', 16);
    const inode = fields[INODE_FIELD];
    if (ports.has(port) && inode !== undefined) drops.set(inode, Number(fields.at(-1)) || 0);
  }
  return drops;
}

function sum(counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
