import { expect } from 'vitest';
import { type FlowSide, tcpStateNames } from '../../src/packet/flow-record.ts';
import { TcpBench } from './tcp-bench.ts';

type Counter = 'retransmissions' | 'outOfOrder' | 'zeroWindows' | 'resets' | 'ackedBytes' | 'unseenBytes';

/** Counters that are not 0. */
export type Counts = Partial<Record<Counter, number>>;

/** Segments, and what is known of their connection then. What a row does not name is not compared. */
export interface TcpRow {
  readonly name: string;
  /** In the words of `segmentOf`, with `; ` between them. */
  readonly segments: string;
  readonly state?: string;
  readonly history?: string;
  readonly source?: Counts;
  readonly destination?: Counts;
  /** Round-trip times, of server and client. */
  readonly rtt?: readonly [number, number];
  readonly opener?: number;
  /** What the last segment returned. */
  readonly event?: number;
  readonly oneSided?: boolean;
}

/** A handshake: the next sequence numbers are 100 and 500. */
export const open = '> S 99; < SA 499 a100; > A 100 a500';

const counters: readonly Counter[] = [
  'retransmissions',
  'outOfOrder',
  'zeroWindows',
  'resets',
  'ackedBytes',
  'unseenBytes',
];

export function countsOf(side: FlowSide): Counts {
  return Object.fromEntries(counters.filter((name) => side[name] !== 0).map((name) => [name, side[name]]));
}

/** Sequence numbers of the two sides begin here: as they stand, and so that both turn over within a row. */
const starts: readonly (readonly [number, number])[] = [
  [0, 0],
  [0xffff_ffff - 150, 0xffff_ffff - 550],
  [0x7fff_ffff - 150, 0x7fff_ffff - 550],
];

/** Plays the row, each time with other sequence numbers, and compares. */
export function expectRow(row: TcpRow): void {
  for (const offsets of starts) {
    const bench = new TcpBench(100, offsets);
    const event = bench.play(row.segments);
    const opener = bench.opener();
    const record = bench.record();
    const found: Omit<TcpRow, 'name' | 'segments'> = {
      state: tcpStateNames[record.tcpState] ?? '',
      history: record.history,
      source: countsOf(record.source),
      destination: countsOf(record.destination),
      rtt: [record.serverRttUs, record.clientRttUs],
      opener,
      event,
      oneSided: record.oneSided,
    };
    const { name, segments, ...expected } = row;
    expect(found, `${name}: ${segments}`).toEqual({ ...found, ...expected });
    expect(bench.isAloneInItsWords()).toBe(true);
  }
}
