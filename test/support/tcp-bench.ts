import { FlowRecord } from '../../src/packet/flow-record.ts';
import { Innermost } from '../../src/packet/innermost.ts';
import { ANALYSIS_TALLY_LENGTH } from '../../src/receive/analysis-tally.ts';
import { TCP_WORDS, TcpTracker } from '../../src/receive/flows/tcp-tracker.ts';
import { LANE_COUNTERS_LENGTH, LaneCounter } from '../../src/receive/lane-counters.ts';
import { type Block, blockOf } from '../../src/wire/block.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';
import * as tcp from '../../src/wire/tcp.ts';

/** A segment; what is left out is filled in. */
export interface Segment {
  /** 0 is the side that a record has as its source. */
  readonly from: 0 | 1;
  /** Bits of `Flag`; ACK unless given. */
  readonly flags?: number;
  readonly sequence: number;
  readonly ack?: number;
  readonly len?: number;
  readonly window?: number;
  /** Time; 100 µs after the segment before unless given. */
  readonly us?: number;
  /** Bytes of the TCP header and payload that arrived; all of the header unless given. */
  readonly kept?: number;
  readonly fragment?: boolean;
  /** Header length field, in words. */
  readonly headerWords?: number;
}

const BEFORE = 3;
const IP_AT = 8;
const TCP_AT = IP_AT + 20;
const SECONDS = 1_795_233_600;

/** A tracker and connections that it follows, with words of others before and behind theirs. */
export class TcpBench {
  readonly tally: Float64Array = new Float64Array(ANALYSIS_TALLY_LENGTH);
  readonly laneCounters: Float64Array = new Float64Array(2 * LANE_COUNTERS_LENGTH);
  readonly tracker: TcpTracker;
  readonly words: Int32Array = new Int32Array(BEFORE + TCP_WORDS + BEFORE);
  /** Number of the lane that all is of. */
  readonly lane = 1;
  us = 0;
  readonly #block: Block = blockOf(Buffer.alloc(TCP_AT + 60));
  readonly #innermost = new Innermost();
  readonly #offsets: readonly [number, number];

  /** @param offsets are added to all sequence numbers of the two sides */
  constructor(holes = 100, offsets: readonly [number, number] = [0, 0]) {
    const { tally, laneCounters } = this;
    this.tracker = new TcpTracker({ holes, laneCounters, tally });
    this.#offsets = offsets;
    this.begin();
  }

  begin(): void {
    this.words.fill(-1);
    this.tracker.begin(this.words, BEFORE);
  }

  /** Hands a segment to the tracker; returns the event. */
  see(segment: Segment): number {
    const {
      from,
      flags = tcp.Flag.ack,
      sequence,
      ack = 0,
      len = 0,
      window = 1000,
      headerWords = 5,
    } = segment;
    this.us = segment.us ?? this.us + 100;
    const { bytes, view } = this.#block;
    const [own, other] = from === 0 ? [0, 1] : [1, 0];
    const wire = (number: number, side: number): number => (number + this.#offsets[side as 0 | 1]) >>> 0;
    tcp.emit(bytes, TCP_AT, 1, 2, wire(sequence, own), wire(ack, other), flags, window);
    view.setUint8(TCP_AT + 12, headerWords << 4);
    const innermost = this.#innermost;
    Object.assign(innermost, {
      ipVersion: 4,
      ipAt: IP_AT,
      transportAt: TCP_AT,
      protocol: IpProtocol.tcp,
      end: TCP_AT + (segment.kept ?? 4 * headerWords),
      wireLen: 20 + 4 * headerWords + len,
      fragment: segment.fragment === true ? 1 : 0,
    });
    const seconds = SECONDS + Math.floor(this.us / 1_000_000);
    const nanoseconds = (this.us % 1_000_000) * 1000;
    const { words, lane } = this;
    return this.tracker.see(words, BEFORE, from, bytes, view, innermost, lane, seconds, nanoseconds);
  }

  /** Hands segments to the tracker, in the words of `segmentOf` with `; ` between them; returns the last event. */
  play(segments: string): number {
    return segments.split('; ').reduce((_, segment) => this.see(segmentOf(segment)), 0);
  }

  /** What a record says now. */
  record(source: 0 | 1 = 0): FlowRecord {
    const record = new FlowRecord();
    this.tracker.fill(this.words, BEFORE, source, record);
    return record;
  }

  end(): void {
    this.tracker.end(this.words, BEFORE, this.lane);
  }

  opener(): number {
    return this.tracker.opener(this.words, BEFORE);
  }

  laneCount(counter: keyof typeof LaneCounter): number {
    return this.laneCounters[this.lane * LANE_COUNTERS_LENGTH + LaneCounter[counter]]!;
  }

  /** True where the words next to those of the connection were left alone. */
  isAloneInItsWords(): boolean {
    return [...this.words.subarray(0, BEFORE), ...this.words.subarray(BEFORE + TCP_WORDS)].every(
      (word) => word === -1,
    );
  }
}

const names: Readonly<Record<string, number>> = {
  S: tcp.Flag.syn,
  F: tcp.Flag.fin,
  R: tcp.Flag.rst,
  A: tcp.Flag.ack,
  P: tcp.Flag.psh,
  '-': 0,
};

/**
 * A segment in words: `> SA 499 a100 +10 w0 @3000` is from the source (`<`: from the other side), with SYN and ACK,
 * sequence number 499, acknowledgement 100, 10 bytes of payload, window 0, at 3,000 µs. Flags `-`: none. `first`: it is
 * the first fragment of a packet; `k13`: 13 bytes of it arrived.
 */
function segmentOf(text: string): Segment {
  const [direction, flags = '', sequence, ...rest] = text.split(' ');
  const value = (letter: string): number | undefined => {
    const word = rest.find((one) => one.startsWith(letter) && one !== 'first');
    return word === undefined ? undefined : Number(word.slice(1));
  };
  const given = { ack: value('a'), len: value('+'), window: value('w'), us: value('@'), kept: value('k') };
  return {
    from: direction === '>' ? 0 : 1,
    flags: flags.split('').reduce((bits, flag) => bits | names[flag]!, 0),
    sequence: Number(sequence),
    fragment: rest.includes('first'),
    ...Object.fromEntries(Object.entries(given).filter(([, number]) => number !== undefined)),
  };
}
