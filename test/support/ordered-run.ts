import { NamedSenders } from '../../src/inputs/named-senders.ts';
import { HEADER_MAX_LEN, writeSocketHeader } from '../../src/inputs/socket-header.ts';
import { MirrorSender } from '../../src/mirror/sender.ts';
import { makeSession, WHOLE_FRAME } from '../../src/mirror/session.ts';
import { sourcePort } from '../../src/mirror/source-port.ts';
import { PacketBatch } from '../../src/packet/batch.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import { Admission } from '../../src/receive/admission.ts';
import { Analysis } from '../../src/receive/analysis.ts';
import { ANALYSIS_TALLY_LENGTH, AnalysisTally } from '../../src/receive/analysis-tally.ts';
import { InterfaceTable } from '../../src/receive/flows/interface-table.ts';
import { FragmentTable } from '../../src/receive/fragment-table.ts';
import { InnermostReader } from '../../src/receive/innermost.ts';
import { allocateLanes } from '../../src/receive/lane-memory.ts';
import { LaneDirectory } from '../../src/receive/lanes.ts';
import { Resequencer } from '../../src/receive/order/resequencer.ts';
import { Receiver } from '../../src/receive/receiver.ts';
import { settled, Tally, TALLY_LENGTH } from '../../src/receive/tally.ts';
import type { Arrived } from './disorder.ts';
import { admitAll, defaultPorts } from './receiving.ts';
import type { Recorded } from './recorded-tcp.ts';
import type { Seeded } from './seeded.ts';

export interface OrderSettings {
  readonly holdUs: number;
  readonly holdPackets: number;
  readonly holdBytes: number;
}

/** A packet that left the resequencer. */
export interface Ordered {
  readonly arrival: Arrived;
  readonly frame: Buffer;
  readonly wireLen: number;
  readonly marks: number;
  /** How long it was held: at most two ticks too much. */
  readonly heldUs: number;
}

export interface OrderedRun {
  readonly output: readonly Ordered[];
  readonly tally: Float64Array;
  readonly ledger: Float64Array;
  readonly laneCounters: Float64Array;
  readonly lanes: LaneDirectory;
  /** Most packets and bytes that were held at one time. */
  readonly heldPackets: number;
  readonly heldBytes: number;
  /** Whether the ledger added up after every batch and every release. */
  readonly isExact: boolean;
}

const MIRROR_SOURCE = '10.0.1.10';
const EPOCH_SECONDS = 1_795_233_600;
/** How often time is told while nothing comes, and most of it that a batch spans. */
export const TICK_US = 1000;
const STREAMS = 1024;

/** One session of whole frames over VXLAN, VNI 7. */
function sessionSender(): MirrorSender {
  const target = {
    type: 'network-load-balancer',
    address: Uint8Array.of(10, 9, 0, 1),
    endpointHigh: 0,
    endpointLow: 0,
  } as const;
  return new MirrorSender(makeSession({ address: Uint8Array.of(10, 0, 1, 10) }, target, 7, WHOLE_FRAME));
}

/** Mirrors each arrival's frame, receives it, and has it put in order: batches of any size, and time in small steps. */
export function runOrdered(
  random: Seeded,
  settings: OrderSettings,
  arrivals: readonly Arrived[],
): OrderedRun {
  const lanes = new LaneDirectory(allocateLanes(16, 1));
  const ledger = new Float64Array(TALLY_LENGTH);
  const tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  const laneCounters = lanes.counters(0);
  const output: Ordered[] = [];
  const byNumber = new Map(arrivals.map((arrival, number) => [timeKey(timeOf(arrival, number)), arrival]));
  let nowUs = 0;
  const order = new Resequencer({
    join: 'none',
    ...settings,
    streams: STREAMS,
    tally,
    laneCounters,
    ledger,
    output: {
      put: ({ bytes }, { frameAt, frameEnd, seconds, nanoseconds, frameWireLen: wireLen, marks }) => {
        const arrival = byNumber.get(timeKey([seconds, nanoseconds]));
        if (arrival === undefined) throw new Error('A packet left with another time than it came.');
        const frame = Buffer.from(bytes.subarray(frameAt, frameEnd));
        output.push({ arrival, frame, wireLen, marks, heldUs: nowUs - arrival.timeUs });
      },
    },
  });
  const fragments = new FragmentTable({ tally, entries: 64, timeoutSeconds: 30 });
  const receiver = new Receiver({
    ports: defaultPorts,
    admission: new Admission(admitAll),
    lanes,
    worker: 0,
    tally: ledger,
    verifyChecksums: 'all',
    analysis: new Analysis({
      innermost: new InnermostReader({ tally, fragments }),
      interfaces: new InterfaceTable(16),
      duplicates: undefined,
      dropDuplicates: false,
      flows: undefined,
      order,
    }),
  });

  let heldPackets = 0;
  let heldBytes = 0;
  let isExact = true;
  const look = (received: number): void => {
    heldPackets = Math.max(heldPackets, order.heldPackets);
    heldBytes = Math.max(heldBytes, tally[AnalysisTally.heldBytes]!);
    isExact &&=
      settled(ledger, 0) === received &&
      settled(ledger, 1) === ledger[Tally.received + 1] &&
      ledger[Tally.held] === order.heldPackets &&
      ledger[Tally.delivered] === output.length;
  };
  const datagrams = mirrored(arrivals);
  for (let from = 0; from < arrivals.length; ) {
    const startUs = datagrams[from]!.arrival.timeUs;
    const most = from + 1 + random.below(40);
    const some = datagrams.slice(from, most).filter(({ arrival }) => arrival.timeUs < startUs + TICK_US);
    for (; nowUs + TICK_US < startUs; look(from)) {
      nowUs += TICK_US;
      order.release(...wholeTime(nowUs * 1000));
    }
    nowUs = some.at(-1)!.arrival.timeUs;
    receiver.process(batchOf(some, from));
    from += some.length;
    look(from);
  }
  order.flush();
  look(arrivals.length);
  return { output, tally, ledger, laneCounters, lanes, heldPackets, heldBytes, isExact };
}

interface Datagram {
  readonly arrival: Arrived;
  readonly bytes: Buffer;
  readonly sourcePort: number;
}

function mirrored(arrivals: readonly Arrived[]): Datagram[] {
  const sender = sessionSender();
  const made = new Map<Recorded, Omit<Datagram, 'arrival'>>();
  return arrivals.map((arrival) => {
    const { frame } = arrival.sent;
    let datagram = made.get(arrival.sent);
    if (datagram === undefined) {
      sender.accept(frame.length, LinkType.ethernet);
      const bytes = Buffer.alloc(sender.datagramLen(frame.length));
      sender.mirror(frame, 0, frame.length, bytes, 0);
      made.set(arrival.sent, (datagram = { bytes, sourcePort: sourcePort(sender.hash) }));
    }
    return { arrival, ...datagram };
  });
}

/** @param first how many arrivals there were before */
function batchOf(datagrams: readonly Datagram[], first: number): PacketBatch {
  const senders = new NamedSenders();
  const space = datagrams.reduce((sum, { bytes }) => sum + HEADER_MAX_LEN + bytes.length, 0);
  const batch = new PacketBatch(datagrams.length, Buffer.alloc(space));
  let at = 0;
  for (const [slot, { arrival, bytes, sourcePort: port }] of datagrams.entries()) {
    const sender = senders.socketAddress(MIRROR_SOURCE, port);
    const payloadAt = writeSocketHeader(batch.view, at, sender, 0, 4789, bytes.length);
    batch.bytes.set(bytes, payloadAt);
    batch.at[slot] = at;
    at = payloadAt + bytes.length;
    batch.end[slot] = at;
    batch.wireLen[slot] = at - batch.at[slot]!;
    batch.linkType[slot] = LinkType.raw;
    [batch.seconds[slot], batch.nanoseconds[slot]] = timeOf(arrival, first + slot);
  }
  batch.count = datagrams.length;
  return batch;
}

type Time = [seconds: number, nanoseconds: number];

/** No two arrivals have the same: nanoseconds below one microsecond tell those of one microsecond apart. */
function timeOf(arrival: Arrived, number: number): Time {
  return wholeTime(arrival.timeUs * 1000 + (number % 1000));
}

function wholeTime(ns: number): Time {
  return [EPOCH_SECONDS + Math.floor(ns / 1e9), ns % 1e9];
}

function timeKey([seconds, nanoseconds]: Time): number {
  return (seconds - EPOCH_SECONDS) * 1e9 + nanoseconds;
}
