import { PacketBatch } from '../../src/packet/batch.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import { Admission, type AdmissionRules } from '../../src/receive/admission.ts';
import { allocateLanes } from '../../src/receive/lane-memory.ts';
import { LaneDirectory } from '../../src/receive/lanes.ts';
import { tunnelPorts } from '../../src/receive/outer.ts';
import { Receiver } from '../../src/receive/receiver.ts';
import type { SymmetrySampler } from '../../src/receive/symmetry.ts';
import { Tally, TALLY_LENGTH } from '../../src/receive/tally.ts';
import { faultNames } from '../../src/wire/fault.ts';

export const admitAll: AdmissionRules = { sources: [], mirrorSources: [], vnis: [] };
export const defaultPorts = tunnelPorts([4789], [6081]);

/** One packet of a batch: its bytes from the outer link layer on, Ethernet unless said otherwise. */
export interface OuterPacket {
  readonly bytes: Uint8Array;
  readonly linkType?: number;
  readonly seconds?: number;
  readonly nanoseconds?: number;
}

const MARGIN = 16;

/** A batch of these packets, with bytes between them that belong to none. */
export function batchOf(packets: readonly OuterPacket[]): PacketBatch {
  const total = packets.reduce((sum, { bytes }) => sum + bytes.length + MARGIN, MARGIN);
  const batch = new PacketBatch(Math.max(1, packets.length), Buffer.alloc(total, 0xa5));
  let at = MARGIN;
  for (const [slot, packet] of packets.entries()) {
    batch.bytes.set(packet.bytes, at);
    batch.at[slot] = at;
    batch.end[slot] = at + packet.bytes.length;
    batch.wireLen[slot] = packet.bytes.length;
    batch.linkType[slot] = packet.linkType ?? LinkType.ethernet;
    batch.seconds[slot] = packet.seconds ?? 1_700_000_000;
    batch.nanoseconds[slot] = packet.nanoseconds ?? 0;
    at += packet.bytes.length + MARGIN;
  }
  batch.count = packets.length;
  return batch;
}

export interface Bench {
  readonly receiver: Receiver;
  readonly lanes: LaneDirectory;
  readonly tally: Float64Array;
  readonly laneCounters: Float64Array;
}

export interface BenchOptions {
  readonly rules?: AdmissionRules;
  readonly maxLanes?: number;
  readonly verifyChecksums?: 'all' | 'sampled' | 'off';
  readonly symmetry?: SymmetrySampler;
}

/** A receiver of one worker with its counters in reach. */
export function makeBench({
  rules = admitAll,
  maxLanes = 16,
  verifyChecksums = 'all',
  symmetry,
}: BenchOptions = {}): Bench {
  const lanes = new LaneDirectory(allocateLanes(maxLanes, 1));
  const tally = new Float64Array(TALLY_LENGTH);
  const receiver = new Receiver({
    ports: defaultPorts,
    admission: new Admission(rules),
    lanes,
    worker: 0,
    tally,
    verifyChecksums,
    ...(symmetry === undefined ? {} : { symmetry }),
  });
  return { receiver, lanes, tally, laneCounters: lanes.counters(0) };
}

/** Buckets of the ledger that are not 0, by name: packets and UDP payload bytes. */
export function buckets(tally: Float64Array): Record<string, [packets: number, bytes: number]> {
  const result: Record<string, [number, number]> = {};
  const take = (name: string, at: number): void => {
    if (tally[at] !== 0 || tally[at + 1] !== 0) result[name] = [tally[at]!, tally[at + 1]!];
  };
  for (const [name, at] of Object.entries(Tally)) {
    if (name !== 'fault' && name !== 'inputBytes') take(name, at);
  }
  for (const [fault, name] of faultNames.entries()) take(name, Tally.fault + 2 * fault);
  return result;
}
