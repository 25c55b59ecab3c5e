import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import * as vxlan from '../../src/wire/vxlan.ts';

/** What flow records tell of a capture. */
export interface FlowCounts {
  flows: number;
  packets: number;
  /** Bytes of the IP packets. */
  bytes: number;
}

/** What one record adds; undefined for one that is not of a mirrored connection. */
export type ReadRecord = (record: unknown) => FlowCounts | undefined;

/** Sums up a file of records, one JSON object a line. */
export async function countFlows(path: string, read: ReadRecord): Promise<FlowCounts> {
  const total = { flows: 0, packets: 0, bytes: 0 };
  for await (const line of createInterface(createReadStream(path))) {
    if (line === '') continue;
    const record = read(JSON.parse(line));
    total.flows += record?.flows ?? 0;
    total.packets += record?.packets ?? 0;
    total.bytes += record?.bytes ?? 0;
  }
  return total;
}

interface OwnRecord {
  readonly network: { readonly packets: number; readonly bytes: number };
  readonly mirrortap: { readonly sequence: number };
}

/** A record of `--flows`: counters are since the record before, the first of a flow is number 0. */
export function readOwn(record: unknown): FlowCounts {
  const { network, mirrortap } = record as OwnRecord;
  return { flows: mirrortap.sequence === 0 ? 1 : 0, packets: network.packets, bytes: network.bytes };
}

interface EveRecord {
  readonly src_port?: number;
  readonly dest_port?: number;
  readonly flow: {
    readonly pkts_toserver: number;
    readonly pkts_toclient: number;
    readonly bytes_toserver: number;
    readonly bytes_toclient: number;
  };
}

/** A record of Suricata, one a flow; the mirrored packets themselves make flows, too, which are left out. */
export function readEve(record: unknown): FlowCounts | undefined {
  const { src_port: from, dest_port: to, flow } = record as EveRecord;
  if (from === vxlan.DEFAULT_PORT || to === vxlan.DEFAULT_PORT) return undefined;
  return {
    flows: 1,
    packets: flow.pkts_toserver + flow.pkts_toclient,
    bytes: flow.bytes_toserver + flow.bytes_toclient,
  };
}
