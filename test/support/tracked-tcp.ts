import { FlowRecord } from '../../src/packet/flow-record.ts';
import { Innermost } from '../../src/packet/innermost.ts';
import { ABSENT, Layers } from '../../src/packet/layers.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import { ANALYSIS_TALLY_LENGTH } from '../../src/receive/analysis-tally.ts';
import { TcpEvent, TcpTracker } from '../../src/receive/flows/tcp-tracker.ts';
import { lowCount, sideAt, SideWord, TCP_WORDS } from '../../src/receive/flows/tcp-words.ts';
import { FragmentTable } from '../../src/receive/fragment-table.ts';
import { readInner } from '../../src/receive/inner.ts';
import { InnermostReader } from '../../src/receive/innermost.ts';
import { LANE_COUNTERS_LENGTH } from '../../src/receive/lane-counters.ts';
import { formatAddress } from '../../src/wire/address.ts';
import type { Block } from '../../src/wire/block.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';

/** What one packet was counted as. */
export type Counted = '' | 'retransmission' | 'out of order';

/** One connection, as the flow table would have it. */
export interface TrackedStream {
  readonly words: Int32Array;
  /** `address port` of direction 0 and of direction 1: 0 sent the first packet. */
  readonly ends: readonly [string, string];
}

/** Connections out of whole frames, each followed by the tracker in words of its own. */
export class TrackedTcp {
  readonly tally: Float64Array = new Float64Array(ANALYSIS_TALLY_LENGTH);
  readonly laneCounters: Float64Array = new Float64Array(LANE_COUNTERS_LENGTH);
  readonly tracker: TcpTracker;
  /** In the order of their first packets. */
  readonly streams: TrackedStream[] = [];
  readonly #open = new Map<string, TrackedStream>();
  readonly #layers = new Layers();
  readonly #innermost = new Innermost();
  readonly #reader: InnermostReader;

  constructor(holes = 1000) {
    const { tally, laneCounters } = this;
    this.tracker = new TcpTracker({ holes, laneCounters, tally });
    const fragments = new FragmentTable({ tally, entries: 64, timeoutSeconds: 30 });
    this.#reader = new InnermostReader({ tally, fragments });
  }

  /** Takes one frame of Ethernet; undefined where it is not TCP. */
  see(
    { bytes, view }: Block,
    frameAt: number,
    frameEnd: number,
    seconds: number,
    nanoseconds: number,
  ): { counted: Counted; stream: TrackedStream; direction: 0 | 1 } | undefined {
    const layers = this.#layers;
    Object.assign(layers, { frameAt, frameEnd, linkType: LinkType.ethernet });
    readInner(bytes, layers);
    const innermost = this.#innermost;
    this.#reader.read(bytes, view, layers, seconds, innermost);
    const { protocol, transportAt, ipVersion, sourceAt, destinationAt } = innermost;
    if (protocol !== IpProtocol.tcp || transportAt === ABSENT) return undefined;
    const from = `${formatAddress(bytes, sourceAt, ipVersion)} ${innermost.sourcePort}`;
    const to = `${formatAddress(bytes, destinationAt, ipVersion)} ${innermost.destinationPort}`;
    const key = [from, to].sort().join(' ');
    let stream = this.#open.get(key) ?? this.#begin(key, from, to);
    let direction: 0 | 1 = stream.ends[0] === from ? 0 : 1;
    const take = (): number =>
      this.tracker.see(stream.words, 0, direction, bytes, view, innermost, 0, seconds, nanoseconds);
    let before = countsOf(stream, direction);
    if (take() === TcpEvent.reopened) {
      stream = this.#begin(key, from, to);
      direction = 0;
      before = [0, 0];
      take();
    }
    const after = countsOf(stream, direction);
    const counted = after[0] > before[0] ? 'retransmission' : after[1] > before[1] ? 'out of order' : '';
    return { counted, stream, direction };
  }

  /** What a record of this connection would say; direction 0 is its source. */
  record(stream: TrackedStream): FlowRecord {
    const record = new FlowRecord();
    this.tracker.fill(stream.words, 0, 0, record);
    return record;
  }

  #begin(key: string, from: string, to: string): TrackedStream {
    const stream: TrackedStream = { words: new Int32Array(TCP_WORDS), ends: [from, to] };
    this.tracker.begin(stream.words, 0);
    this.streams.push(stream);
    this.#open.set(key, stream);
    return stream;
  }
}

function countsOf({ words }: TrackedStream, direction: number): [number, number] {
  const side = sideAt(0, direction);
  return [lowCount(words, side + SideWord.retransmissions), lowCount(words, side + SideWord.outOfOrder)];
}
