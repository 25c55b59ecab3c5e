import { describe, expect, test } from 'vitest';
import { LANE_COUNTERS_LENGTH } from '../../../../src/receive/lane-counters.ts';
import { Flag } from '../../../../src/wire/tcp.ts';
import { TcpBench } from '../../../support/tcp-bench.ts';
import { countsOf, expectRow, open, type TcpRow } from '../../../support/tcp-rows.ts';

describe('packets that are not whole', () => {
  const rows: TcpRow[] = [
    {
      name: 'payload that was cut away counts',
      segments: `${open}; > A 100 a500 +1000 k20; > A 1100 a500 +1000 k20; < A 500 a2100`,
      source: { ackedBytes: 2000 },
    },
    {
      name: 'flags and numbers are enough: the window is cut away',
      segments: '> S 99 k14; < SA 499 a100 k15; > A 100 a500 k14 w0; > A 100 a500 +10 k15 w0',
      history: 'ShAD',
      source: {},
    },
    {
      name: 'the flags are cut away',
      segments: `${open}; > FA 100 a500 k13; > R 100 k4`,
      history: 'ShA',
      source: {},
    },
    { name: 'nothing but ports', segments: '> S 99 k4', history: '', state: '', opener: -1 },
    {
      name: 'the first fragment says nothing about where the next segment begins',
      segments: `${open}; > A 100 a500 +50 first; > A 500 a500 +50; < A 500 a550`,
      source: { ackedBytes: 450 },
    },
    {
      name: 'but what is missing before it is missing',
      segments: `${open}; > A 100 a500 +50; > A 200 a500 +50 first; > A 500 a500 +50; < A 500 a550`,
      source: { ackedBytes: 450, unseenBytes: 50 },
    },
    {
      name: 'an ACK tells where the fragments ended',
      segments: `${open}; > A 100 a500 +50 first; > A 500 a500; > A 550 a500 +50; < A 500 a600`,
      source: { ackedBytes: 500, unseenBytes: 50 },
    },
  ];
  test.each(rows)('$name', (row) => expectRow(row));

  test('a header that is shorter than a header, or longer than its packet', () => {
    const bench = new TcpBench();
    bench.see({ from: 0, sequence: 99, flags: Flag.syn, headerWords: 4 });
    bench.see({ from: 0, sequence: 99, flags: Flag.syn, headerWords: 15, len: -40, kept: 20 });
    expect(bench.record().history).toBe('');
    bench.see({ from: 0, sequence: 99, flags: Flag.syn, headerWords: 15 });
    expect(bench.record().history).toBe('S');
  });
});

describe('windows, resets and letters', () => {
  const rows: TcpRow[] = [
    {
      name: 'every segment without SYN, FIN and RST whose window is 0',
      segments: `${open}; < A 500 a100 w0; < A 500 a100 +10 w0; < FA 510 a100 w0; < R 511 w0; > S 99 w0`,
      destination: { zeroWindows: 2, resets: 1 },
      history: 'ShAwadfr',
    },
    {
      name: 'payload of a RST is no data (RFC 9293 section 3.5.3)',
      segments: `${open}; > R 100 +10; > R 100 +10`,
      source: { resets: 2 },
      history: 'ShAR',
    },
    {
      name: 'all letters of one side',
      segments:
        '< A 400 a50; > S 99; > SA 99 a401; > A 100 a401 w0; > A 100 a401 +10; > A 100 a401 +10; > A 130 a401 +10; < A 400 a140; > FA 140 a401; > SF 99; > FR 99',
      history: 'aSHWADTGFQIR',
    },
  ];
  test.each(rows)('$name', (row) => expectRow(row));

  test('letters are turned with the side that is the source, and the last ones find no place', () => {
    const bench = new TcpBench();
    const both = (segment: string): void => {
      bench.play(`> ${segment}`);
      bench.play(`< ${segment}`);
    };
    for (const one of [
      'S 99',
      'SA 99 a100',
      'A 100 a100',
      'A 100 a100 w0',
      'A 100 a100 +10',
      'A 100 a100 +10',
    ])
      both(one);
    for (const one of ['A 130 a140 +10', 'FA 140 a140', 'SF 99', 'FR 99']) both(one);
    expect(bench.record(0).history).toBe('SsHhAaWwDdTtgGFfQq');
    expect(bench.record(1).history).toBe('sShHaAwWdDtTGgfFqQ');
  });

  test('what shares a word stops at its highest number', () => {
    const bench = new TcpBench();
    for (let i = 0; i < 5000; i++) bench.play('> A 100 w0; > R 100');
    expect(countsOf(bench.record().source)).toEqual({ zeroWindows: 4095, resets: 4095 });
    bench.play('> A 100 w0; > R 100');
    expect(countsOf(bench.record().source)).toEqual({ zeroWindows: 1, resets: 1 });
    const COUNT = (1 << 20) + 10;
    bench.play('> A 100 +10');
    for (let i = 0; i < COUNT; i++) bench.see({ from: 0, sequence: 100, len: 10 });
    bench.play('> R 100');
    expect(countsOf(bench.record().source)).toEqual({ retransmissions: (1 << 20) - 1, resets: 1 });
  });

  test('flags, state, times and history stay from record to record', () => {
    const bench = new TcpBench();
    bench.play(`${open}; > A 100 a500 +10`);
    const first = bench.record();
    const second = bench.record();
    expect(second).toEqual(first);
    expect([second.source.tcpFlags, second.destination.tcpFlags]).toEqual([
      Flag.syn | Flag.ack,
      Flag.syn | Flag.ack,
    ]);
    expect(second.history).toBe('ShAD');
  });
});

describe('flows that end', () => {
  const rows: readonly { name: string; segments: string; isOneSided: boolean }[] = [
    { name: 'a SYN that nobody answers', segments: '> S 99; > S 99', isOneSided: false },
    { name: 'a SYN that is refused', segments: '> S 99; < RA 0 a100', isOneSided: false },
    { name: 'a RST alone', segments: '> R 99', isOneSided: false },
    { name: 'a SYN-ACK alone', segments: '> SA 99 a500', isOneSided: false },
    { name: 'data both ways', segments: '> A 100 +10; < A 500 a110', isOneSided: false },
    { name: 'data one way', segments: '> A 100 +10', isOneSided: true },
    { name: 'ACKs one way', segments: '< A 100 a700', isOneSided: true },
    { name: 'data one way, a RST the other', segments: '> A 100 +10; < R 500', isOneSided: false },
    { name: 'flags cut away', segments: '> A 100 +10 k12', isOneSided: false },
  ];
  test.each(rows)('$name', ({ segments, isOneSided }) => {
    const bench = new TcpBench();
    bench.play(segments);
    expect(bench.record().oneSided).toBe(isOneSided);
    bench.end();
    expect(bench.laneCount('tcpFlows')).toBe(1);
    expect(bench.laneCount('oneSidedFlows')).toBe(isOneSided ? 1 : 0);
    // nothing of it in the lane before
    expect(bench.laneCounters.subarray(0, LANE_COUNTERS_LENGTH).every((count) => count === 0)).toBe(true);
  });
});
