import { describe, expect, test } from 'vitest';
import { AnalysisTally } from '../../../../src/receive/analysis-tally.ts';
import { TcpEvent } from '../../../../src/receive/flows/tcp-tracker.ts';
import { TcpBench } from '../../../support/tcp-bench.ts';
import { countsOf, expectRow, open, type TcpRow } from '../../../support/tcp-rows.ts';

describe('sent again, or out of order', () => {
  const rows: TcpRow[] = [
    {
      name: 'all of it seen before',
      segments: `${open}; > A 100 a500 +50; > A 100 a500 +50`,
      source: { retransmissions: 1 },
      history: 'ShADT',
    },
    {
      name: 'a part of it seen before',
      segments: `${open}; > A 100 a500 +50; > A 120 a500 +20`,
      source: { retransmissions: 1 },
    },
    {
      name: 'seen before, with more behind it',
      segments: `${open}; > A 100 a500 +50; > A 100 a500 +80; < A 500 a180`,
      source: { retransmissions: 1, ackedBytes: 80 },
    },
    {
      name: 'overtaken, within the round-trip time',
      segments: `${open}; > A 100 a500 +50; > A 200 a500 +50; > A 150 a500 +50 @450`,
      source: { outOfOrder: 1 },
      history: 'ShAD',
    },
    {
      name: 'fills a gap later than that',
      segments: `${open}; > A 100 a500 +50; > A 200 a500 +50; > A 150 a500 +50 @900`,
      source: { retransmissions: 1 },
    },
    {
      name: '3 ms where no round-trip time is known',
      segments: '> A 100 +50 @0; > A 200 +50 @0; > A 300 +50 @0; > A 150 +50 @2999; > A 250 +50 @3000',
      source: { outOfOrder: 1, retransmissions: 1 },
    },
    {
      name: 'asked for twice: sent again, however soon',
      segments: `${open}; > A 100 a500 +50; > A 200 a500 +50 @400; < A 500 a150 @401; < A 500 a150 @402; < A 500 a150 @403; > A 150 a500 +50 @404`,
      source: { retransmissions: 1, ackedBytes: 50 },
    },
    {
      name: 'asked for once, it may as well be late',
      segments: `${open}; > A 100 a500 +50; > A 200 a500 +50 @400; < A 500 a150 @401; < A 500 a150 @402; > A 150 a500 +50 @404`,
      source: { outOfOrder: 1, ackedBytes: 50 },
    },
    {
      name: 'fills two gaps in part',
      segments: `${open}; > A 110 a500 +10; > A 130 a500 +10; > A 105 a500 +20 @550; < A 500 a140`,
      source: { outOfOrder: 1, ackedBytes: 35, unseenBytes: 5 },
    },
    {
      name: 'keep-alive of no byte and of one (RFC 9293 section 3.8.4)',
      segments: `${open}; > A 100 a500 +50; < A 500 a150; > A 149 a500; > A 149 a500 +1; < A 500 a150`,
      source: { ackedBytes: 50 },
    },
    {
      name: 'probes of a closed window, and the same byte with what follows it',
      segments: `${open}; > A 100 a500 +50; < A 500 a150 w0; > A 150 a500 +1; < A 500 a150 w0; > A 150 a500 +1; < A 500 a150; > A 150 a500 +50`,
      source: { ackedBytes: 50 },
      destination: { zeroWindows: 2 },
    },
    {
      name: 'SYN again, SYN-ACK again',
      segments: '> S 99; > S 99; < SA 499 a100; < SA 499 a100',
      source: { retransmissions: 1 },
      destination: { retransmissions: 1 },
    },
    {
      name: 'a late SYN behind its data',
      segments: '> A 100 a500 +10; > S 99',
      source: { outOfOrder: 1 },
      opener: 0,
      event: TcpEvent.none,
    },
    {
      name: 'a late SYN, and then the data between',
      segments: '> A 150 a500 +10 @0; > S 99 @100; > A 100 a500 +50 @200; < A 500 a160',
      source: { outOfOrder: 2, ackedBytes: 60 },
    },
    {
      name: 'a late SYN behind a bare ACK',
      segments: '> A 150 a500 @0; > S 99 @100; > A 150 +10; < A 500 a160',
      source: { outOfOrder: 1, ackedBytes: 10 },
    },
    {
      name: 'data from before the first that was seen',
      segments: '> A 100 a500 +50; > A 50 a500 +50; < A 500 a150',
      source: { outOfOrder: 1, ackedBytes: 100 },
    },
    {
      name: 'the same, a while after the first and just after the newest',
      segments: '> A 100 a500 +50 @0; > A 150 a500 +50 @10000; > A 50 a500 +50 @11000',
      source: { outOfOrder: 1 },
    },
    {
      name: 'data that a bare ACK overtook',
      segments: `${open}; > A 150 a500; > A 100 a500 +50; > A 150 a500 +50; < A 500 a200`,
      source: { outOfOrder: 1, ackedBytes: 100 },
    },
    {
      name: 'first data that a bare ACK and later data overtook',
      segments: `${open}; > A 150 a500 @400; > A 200 a500 +10; > A 100 a500 +50 @550; < A 500 a210`,
      source: { outOfOrder: 1, ackedBytes: 110, unseenBytes: 50 },
    },
    {
      name: 'data that a FIN overtook',
      segments: `${open}; > A 100 a500 +10; > FA 160 a500; > A 110 a500 +50; < A 500 a161`,
      source: { outOfOrder: 1, ackedBytes: 60 },
    },
    {
      name: 'FIN with data again',
      segments: `${open}; > FA 100 a500 +50; > FA 100 a500 +50`,
      source: { retransmissions: 1 },
    },
    {
      name: 'ACKs behind a FIN tell of no data',
      segments: `${open}; > A 100 a500 +10; > FA 110 a500; < A 500 a111; > A 111 a500`,
      source: { ackedBytes: 10 },
    },
  ];
  test.each(rows)('$name', (row) => expectRow(row));
});

describe('acknowledged and never seen', () => {
  const rows: TcpRow[] = [
    {
      name: 'a gap between data',
      segments: `${open}; > A 100 a500 +50; > A 200 a500 +50; < A 500 a250`,
      source: { ackedBytes: 150, unseenBytes: 50 },
      history: 'ShADaG',
    },
    {
      name: 'not before it is acknowledged',
      segments: `${open}; > A 100 a500 +50; > A 200 a500 +50; < A 500 a150`,
      source: { ackedBytes: 50 },
    },
    {
      name: 'acknowledged in part',
      segments: `${open}; > A 100 a500 +50; > A 200 a500 +50; < A 500 a170`,
      source: { ackedBytes: 70, unseenBytes: 20 },
    },
    {
      name: 'the acknowledgement came first',
      segments: `${open}; > A 100 a500 +50; < A 500 a250; > A 200 a500 +50`,
      source: { ackedBytes: 150, unseenBytes: 50 },
    },
    {
      name: 'taken back when it comes after all',
      segments: `${open}; > A 100 a500 +50; > A 200 a500 +50; < A 500 a250; > A 150 a500 +30 @650`,
      source: { ackedBytes: 150, unseenBytes: 20, outOfOrder: 1 },
    },
    {
      name: 'not after a second',
      segments: `${open}; > A 100 a500 +50; > A 200 a500 +50; < A 500 a250; > A 250 a500 +10 @1000500; < A 500 a260; > A 150 a500 +50`,
      source: { ackedBytes: 160, unseenBytes: 50, retransmissions: 1 },
    },
    {
      name: 'nothing before the first data',
      segments: `${open}; > A 200 a500 +50; < A 500 a250`,
      source: { ackedBytes: 50 },
    },
    {
      name: 'nothing after the last',
      segments: `${open}; > A 100 a500 +50; < A 500 a400`,
      source: { ackedBytes: 50 },
    },
    {
      name: 'nothing after the last, though FIN or ACK tell that there was more',
      segments: `${open}; > A 100 a500 +50; > A 200 a500; > FA 300 a500; < A 500 a301`,
      source: { ackedBytes: 50 },
    },
    {
      name: 'but when data follows after all',
      segments: `${open}; > A 100 a500 +50; > A 200 a500; < A 500 a200; > A 200 a500 +10`,
      source: { ackedBytes: 100, unseenBytes: 50 },
    },
    {
      name: 'between SYN and data the first that comes late makes the rest count',
      segments: `${open}; > A 200 a500 +50; < A 500 a250; > A 100 a500 +20 @550`,
      source: { ackedBytes: 150, unseenBytes: 80, outOfOrder: 1 },
    },
    {
      name: 'SYN and FIN are no bytes',
      segments: `${open}; > FA 100 a500 +10; < A 500 a111`,
      source: { ackedBytes: 10 },
    },
    {
      name: 'no data of this side was seen at all',
      segments: '< A 500 a100; < A 500 a90000',
      source: {},
      oneSided: true,
    },
    {
      name: 'an acknowledgement from nowhere is not believed',
      segments: `${open}; > A 100 a500 +50; < A 500 a1900000000; > A 200 a500 +50`,
      source: {},
    },
    {
      name: 'nor is one that came before any data, and had nothing to do with it',
      segments: '< A 500 a1500000000; > A 100 a500 +50; > A 200 a500 +50; > A 250 a500 +50; < A 500 a250',
      source: { ackedBytes: 150, unseenBytes: 50 },
    },
    {
      name: 'farther than any window: another connection whose SYN was not seen',
      segments: `${open}; > A 100 a500 +50; > A 1900000000 a500 +50; < A 500 a1900000050`,
      source: { ackedBytes: 50 },
    },
    {
      name: 'and the same backwards',
      segments: '> A 1900000000 a500 +50; > A 100 a500 +50; < A 500 a150',
      source: { ackedBytes: 50 },
    },
    {
      name: 'farther than two gigabytes, where what was acknowledged before says nothing',
      segments: `${open}; > A 100 a500 +50; < A 500 a150; > A 2700000000 a500 +50; > A 2700000050 a500 +50; < A 500 a2700000050`,
      source: { ackedBytes: 100 },
    },
  ];
  test.each(rows)('$name', (row) => expectRow(row));

  test('what a record has counted stays counted', () => {
    const bench = new TcpBench();
    bench.play(`${open}; > A 100 a500 +50; > A 200 a500 +50; > A 300 a500 +50; < A 500 a270`);
    expect(countsOf(bench.record().source)).toEqual({ ackedBytes: 170, unseenBytes: 70 });
    bench.play('> A 150 a500 +50; > A 250 a500 +50');
    expect(countsOf(bench.record().source)).toEqual({ retransmissions: 2 });
    bench.play('< A 500 a350');
    expect(countsOf(bench.record().source)).toEqual({ ackedBytes: 80 });
    expect([bench.laneCount('ackedBytes'), bench.laneCount('unseenBytes')]).toEqual([250, 70]);
  });

  test('more than 4 GiB in one record, and more than 2^32 sequence numbers', () => {
    const bench = new TcpBench();
    const LEN = 60_000;
    const COUNT = 150_000;
    for (let i = 0; i < COUNT; i++) {
      if (i % 2 === 0) bench.see({ from: 0, sequence: i * LEN, len: LEN });
      else bench.see({ from: 1, sequence: 0, ack: i * LEN });
    }
    const { source } = bench.record();
    expect(source.ackedBytes).toBe((COUNT - 1) * LEN);
    expect(source.unseenBytes).toBe((COUNT / 2 - 1) * LEN);
    expect(bench.laneCount('unseenBytes')).toBe(source.unseenBytes);
  });

  test('gaps of gigabytes that nobody acknowledges are forgotten before numbers repeat', () => {
    const bench = new TcpBench();
    const JUMP = 0x2000_0000;
    bench.play('> S -1');
    for (let i = 1; i <= 40; i++) bench.see({ from: 0, sequence: i * JUMP, len: 10 });
    expect(bench.tally[AnalysisTally.gapsForgotten]).toBeGreaterThan(30);
    bench.see({ from: 1, sequence: 0, ack: 40 * JUMP + 10 });
    // what is still known: less than the gigabyte before
    expect(bench.laneCount('unseenBytes')).toBeLessThan(2 * JUMP);
    expect(bench.laneCount('ackedBytes')).toBeLessThanOrEqual(2 * JUMP + 10);
  });

  test('an acknowledgement from gigabytes ago says nothing of data now', () => {
    const bench = new TcpBench();
    const LEN = 0x100_0000;
    bench.play('> A 0 +10; < A 0 a10');
    for (let i = 0; i < 600; i++) bench.see({ from: 0, sequence: 10 + i * LEN, len: LEN });
    expect(bench.laneCount('ackedBytes')).toBe(10);
    bench.see({ from: 1, sequence: 0, ack: 10 + 600 * LEN });
    expect(bench.laneCount('unseenBytes')).toBe(0);
    expect(bench.laneCount('ackedBytes')).toBeLessThan(0x4000_0000);
  });

  test('gigabytes that are acknowledged and not mirrored', () => {
    const bench = new TcpBench();
    bench.play(`${open}; > A 100 a500 +50; > A 200 a500 +50`);
    for (let i = 1; i <= 600; i++) bench.see({ from: 1, sequence: 500, ack: 250 + i * 0x100_0000 });
    expect(countsOf(bench.record().source)).toEqual({ ackedBytes: 150, unseenBytes: 50 });
  });

  test('ACKs that go ahead for gigabytes without data', () => {
    const bench = new TcpBench();
    for (let i = 0; i < 600; i++) bench.see({ from: 0, sequence: i * 0x100_0000 });
    bench.play('> A 10066329600 +10; < A 0 a10066329610');
    expect(countsOf(bench.record().source)).toEqual({ ackedBytes: 10 });
  });

  test('17 gaps: the first that was acknowledged makes room, else the last is forgotten', () => {
    const bench = new TcpBench();
    for (let i = 0; i <= 16; i++) bench.see({ from: 0, sequence: 100 * i, len: 10 });
    expect(bench.tally[AnalysisTally.gapsForgotten]).toBe(0);
    bench.see({ from: 0, sequence: 1700, len: 10 });
    expect(bench.tally[AnalysisTally.gapsForgotten]).toBe(1);
    bench.see({ from: 1, sequence: 0, ack: 150 });
    bench.see({ from: 0, sequence: 1800, len: 10 });
    expect(bench.tally[AnalysisTally.gapsForgotten]).toBe(1);
    bench.see({ from: 1, sequence: 0, ack: 1810 });
    expect(bench.laneCount('unseenBytes')).toBe(17 * 90);
    expect(bench.laneCount('ackedBytes')).toBe(1810);
  });

  test('the memory of all connections is full', () => {
    const bench = new TcpBench(1);
    bench.play('> A 100 +10; > A 200 +10; > A 300 +10; < A 0 a310');
    expect(bench.tally[AnalysisTally.gapsForgotten]).toBe(1);
    expect(countsOf(bench.record().source)).toEqual({ ackedBytes: 210, unseenBytes: 90 });

    bench.play('> A 500 +10');
    // the next one finds no place for what is missing before its first data
    bench.begin();
    const before = bench.laneCount('ackedBytes');
    bench.play('> S 99; > A 200 +10; < A 0 a210');
    expect(bench.tally[AnalysisTally.gapsForgotten]).toBe(2);
    expect(bench.laneCount('ackedBytes') - before).toBe(10);
  });
});
