import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { walkPcapng } from './pcapng-walk.ts';

/** Which worker's files hold which connections. */
export interface KeptConnections {
  /** By connection: a bit for each worker whose files hold a packet of it. */
  readonly workers: Int32Array;
  /** By connection: packets in all files. */
  readonly packets: Int32Array;
}

/** Reads all capture files, also unfinished ones, of traffic whose frames begin with the number of their connection. */
export function keptConnections(captures: string, connections: number): KeptConnections {
  const kept = { workers: new Int32Array(connections), packets: new Int32Array(connections) };
  for (const path of readdirSync(captures, { recursive: true, encoding: 'utf8' })) {
    const worker = /-w(\d+)\.pcapng(?:\.part)?$/.exec(path)?.[1];
    if (worker === undefined) continue;
    for (const { number } of walkPcapng(readFileSync(join(captures, path))).packets) {
      kept.workers[number] = (kept.workers[number] ?? 0) | (1 << Number(worker));
      kept.packets[number] = (kept.packets[number] ?? 0) + 1;
    }
  }
  return kept;
}
