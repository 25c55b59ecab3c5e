import { array, assert, constantFrom, integer, nat, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { frame4, tcpSegment } from '../../../samples/make/packets.ts';
import { client, server } from '../../../samples/make/traffic.ts';
import { Encapsulation } from '../../../src/packet/lane.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { AnalysisTally } from '../../../src/receive/analysis-tally.ts';
import { ENTRY_BYTES } from '../../../src/receive/duplicate-table.ts';
import { Flag } from '../../../src/wire/tcp.ts';
import { A, B, DuplicateBench, type Source } from '../../support/duplicate-bench.ts';

const WINDOW_US = 100_000;

function segment(sequence: number, length = 60): Buffer {
  const fields = { sourcePort: 40_000, destinationPort: 443, sequence, acknowledgement: 7 };
  return frame4(client, server, tcpSegment({ ...fields, flags: Flag.ack, data: Buffer.alloc(length, 0x61) }));
}

const sources: Readonly<Record<string, Source>> = {
  A,
  B,
  C: { mirror: 3 },
  D: { mirror: 4 },
  E: { mirror: 5 },
};

test.each([
  { order: 'A B A B', copies: '-+-+' },
  { order: 'A A B B', copies: '--++' },
  { order: 'A B B A', copies: '-+-+' },
  { order: 'A B B B A A A', copies: '-+--++-' },
  { order: 'A A A', copies: '---' },
  { order: 'A B C D', copies: '-+++' },
  // a fifth source is not told from others: all it delivers is a copy
  { order: 'A B C D E E A', copies: '-+++++-' },
])('$order', ({ order, copies }) => {
  const bench = new DuplicateBench();
  const seen = order.split(' ').map((name) => (bench.see(segment(1), sources[name]) ? '+' : '-'));
  expect(seen.join('')).toBe(copies);
  expect(bench.tally[AnalysisTally.duplicates]).toBe(copies.replaceAll('-', '').length);
});

test.each([
  ['another mirror source', { mirror: 2 }, true],
  ['a mirror source with an IPv6 address', { version: 6 }, true],
  ['another VNI', { vni: 8 }, false],
  ['another encapsulation', { encapsulation: Encapsulation.geneve }, false],
  ['another endpoint', { encapsulation: Encapsulation.geneveVxlan, endpoint: 2 }, true],
  ['no endpoint', { encapsulation: Encapsulation.geneveVxlan }, true],
] as [string, Source, boolean][])('from %s: a copy, across VNIs and without', (_name, other, without) => {
  const one: Source =
    'endpoint' in other || other.encapsulation === Encapsulation.geneveVxlan
      ? { encapsulation: Encapsulation.geneveVxlan, endpoint: 1 }
      : {};
  for (const acrossVnis of [true, false]) {
    const bench = new DuplicateBench({ acrossVnis });
    expect(bench.seeAll(segment(1), one, other)).toEqual([false, acrossVnis || without]);
  }
});

test('each byte of a mirror source counts', () => {
  for (const version of [4, 6] as const) {
    const bench = new DuplicateBench();
    for (let mirror = 0; mirror < 4; mirror++) {
      expect(bench.see(segment(1), { version, mirror })).toBe(mirror > 0);
    }
  }
});

describe('one source', () => {
  test.each([
    ['a segment', segment(1)],
    [
      'a SYN-ACK with IP identification 0',
      frame4(
        server,
        client,
        tcpSegment({
          sourcePort: 443,
          destinationPort: 40_000,
          sequence: 9,
          acknowledgement: 2,
          flags: 0x12,
        }),
        { identification: 0, flagsAndOffset: 0x4000 },
      ),
    ],
  ])('%s that is repeated is never a copy', (_name, frame) => {
    for (const otherSourcesBefore of [0, 1, 3]) {
      const bench = new DuplicateBench();
      for (let other = 0; other < otherSourcesBefore; other++) bench.see(frame, { mirror: 10 + other });
      // the first is a copy of what the others saw, all further ones are sent anew
      expect(bench.see(frame, A)).toBe(otherSourcesBefore > 0);
      for (let i = 0; i < 2000; i++) expect(bench.see(frame, A, i)).toBe(false);
    }
  });
});

test('counts that are full keep what they differ by', () => {
  const bench = new DuplicateBench();
  for (let i = 0; i < 300; i++) expect(bench.see(segment(1), A)).toBe(false);
  // 300 times from A, all of them copies from B while its lag is not longer than a count can say
  for (let i = 0; i < 100; i++) expect(bench.see(segment(1), B)).toBe(true);
  for (let i = 0; i < 1000; i++) {
    expect(bench.see(segment(2), A)).toBe(false);
    expect(bench.see(segment(2), B)).toBe(true);
  }
  expect(bench.see(segment(2), B)).toBe(false);
  expect(bench.see(segment(2), A)).toBe(true);
});

test('counts that are full: what a third source lacks is not lost behind one that came once', () => {
  const bench = new DuplicateBench();
  const [first, once, third] = [A, B, { mirror: 3 }];
  bench.seeAll(segment(1), first, once, third);
  for (let i = 1; i < 250; i++) bench.seeAll(segment(1), first, third);
  for (let i = 250; i < 255; i++) bench.see(segment(1), first);
  for (let i = 250; i < 255; i++) expect(bench.see(segment(1), third)).toBe(true);
  expect(bench.see(segment(1), third)).toBe(false);
});

test('the window: up to its last microsecond, since the last transmission', () => {
  const bench = new DuplicateBench();
  const steps: [timeUs: number, nanoseconds: number, source: Source, copy: boolean][] = [
    [0, 999, A, false],
    [WINDOW_US, 0, B, true],
    // the copy has not prolonged it
    [WINDOW_US + 1, 0, { mirror: 3 }, false],
    // a new transmission: it begins anew, with nobody having seen it but this one
    [WINDOW_US + 2, 0, B, true],
    [WINDOW_US + 2, 0, B, false],
    // a retransmission prolongs it
    [2 * WINDOW_US + 2, 999, A, true],
    [2 * WINDOW_US + 3, 0, A, false],
  ];
  for (const [timeUs, nanoseconds, source, copy] of steps) {
    expect([timeUs, bench.see(segment(1), source, timeUs, nanoseconds)]).toEqual([timeUs, copy]);
  }
});

test('a clock that is a little behind is no other time', () => {
  const bench = new DuplicateBench();
  bench.see(segment(1), A, 1_000_000);
  expect(bench.see(segment(1), B, 1_000_000 - WINDOW_US)).toBe(true);
  bench.see(segment(2), A, 1_000_000);
  expect(bench.see(segment(2), B, 1_000_000 - WINDOW_US - 1)).toBe(false);
});

test('a retransmission with an earlier time does not shorten the window', () => {
  const bench = new DuplicateBench();
  bench.see(segment(1), A, 50_000);
  bench.see(segment(1), A, 0);
  expect(bench.see(segment(1), B, 50_000 + WINDOW_US)).toBe(true);
});

test('no later time is taken for an earlier one', () => {
  for (const laterUs of [2 ** 31, 2 ** 32, 2 ** 33, 4.2e15]) {
    const bench = new DuplicateBench();
    bench.see(segment(1), A, 0);
    expect(bench.see(segment(1), B, laterUs)).toBe(false);
  }
});

test('the flow of the first copy', () => {
  const { finder, ...bench } = withFinder();
  expect(finder.flow).toBe(-1);
  bench.see(segment(1), A);
  expect(finder.flow).toBe(-1);
  finder.remember(5);
  bench.see(segment(2), A);
  finder.remember(0x7fff_ffff);
  expect(bench.see(segment(1), B)).toBe(true);
  expect(finder.flow).toBe(5);
  // a transmission anew keeps it, another window does not
  bench.see(segment(2), A);
  bench.see(segment(2), B);
  expect(finder.flow).toBe(0x7fff_ffff);
  bench.see(segment(1), A, WINDOW_US + 1);
  expect(finder.flow).toBe(-1);
  // a frame of which too little is there has none, and disturbs nobody's
  finder.remember(6);
  bench.see(segment(1).subarray(0, 20), A, WINDOW_US + 1);
  finder.remember(7);
  expect(finder.flow).toBe(-1);
  bench.see(segment(1), B, WINDOW_US + 1);
  expect(finder.flow).toBe(6);
});

function withFinder(): { finder: DuplicateBench['finder']; see: DuplicateBench['see'] } {
  const bench = new DuplicateBench();
  return { finder: bench.finder, see: (...given) => bench.see(...given) };
}

describe('memory', () => {
  test.each([0, 4096, 100_000, 1 << 20])('%i bytes are enough for what it remembers', (memoryBytes) => {
    const { capacity } = new DuplicateBench({ memoryBytes }).finder;
    expect(capacity * ENTRY_BYTES).toBeLessThanOrEqual(Math.max(memoryBytes, 4096));
    expect(2 * capacity * ENTRY_BYTES).toBeGreaterThan(memoryBytes);
  });

  test('half of it is remembered, but for few; past it the oldest are forgotten, and counted', () => {
    const bench = new DuplicateBench({ memoryBytes: 1 << 18 });
    const { capacity } = bench.finder;
    for (let i = 0; i < capacity / 2; i++) bench.see(segment(i), A);
    expect(bench.forgotten).toBeLessThan(capacity / 500);
    let found = 0;
    for (let i = 0; i < capacity / 2; i++) found += Number(bench.see(segment(i), B));
    expect(found).toBe(capacity / 2 - bench.forgotten);

    const total = 5 * capacity;
    for (let i = capacity; i < total; i++) bench.see(segment(i), A);
    expect(bench.forgotten).toBeGreaterThan(total - 2.5 * capacity);
    found = 0;
    for (let i = total - capacity / 2; i < total; i++) found += Number(bench.see(segment(i), B));
    expect(found).toBeGreaterThan(0.98 * (capacity / 2));
    expect(bench.see(segment(capacity), B)).toBe(false);
  });

  test('what was seen and what is remembered, over and forgotten add up', () => {
    const bench = new DuplicateBench({ memoryBytes: 4096, windowUs: 1_000_000 });
    const { capacity } = bench.finder;
    const packets = 1000;
    for (let i = 0; i < packets; i++) bench.see(segment(i), A);
    expect(packets - bench.forgotten).toBeLessThanOrEqual(capacity);
    expect(packets - bench.forgotten).toBeGreaterThan(capacity / 2);
    const before = bench.forgotten;
    // all of them are over
    for (let i = 0; i < packets; i++) bench.see(segment(i), A, 5_000_000 + i * 100_000);
    expect(bench.forgotten).toBe(before);
  });

  test('a packet that is sent again and again is kept while others come and go', () => {
    const bench = new DuplicateBench({ memoryBytes: 4096 });
    for (let i = 1; i < 2000; i++) {
      bench.see(segment(i), A);
      if (i % 4 === 0) expect(bench.see(segment(0), A)).toBe(false);
    }
    expect(bench.see(segment(0), B)).toBe(true);
  });
});

/** What is to come out, kept without bounds and without hashes. */
class Model {
  readonly #packets = new Map<number, { counts: Map<number, number>; sentUs: number }>();

  see(packet: number, source: number, timeUs: number): boolean {
    let known = this.#packets.get(packet);
    if (known === undefined || Math.abs(timeUs - known.sentUs) > WINDOW_US) {
      this.#packets.set(packet, (known = { counts: new Map(), sentUs: timeUs }));
    }
    const most = Math.max(0, ...known.counts.values());
    const count = (known.counts.get(source) ?? 0) + 1;
    known.counts.set(source, count);
    if (count <= most) return true;
    known.sentUs = Math.max(known.sentUs, timeUs);
    return false;
  }
}

test('any packets from any sources at any time: as a table without bounds has it', () => {
  const event = record({
    packet: nat(5),
    source: nat(3),
    passedUs: constantFrom(0, 0, 1, 40_000, 99_999, 100_000, 100_001, -3, -40_000),
  });
  const lengths = [0, 1, 30, 60, 100, 1400];
  assert(
    property(array(event, { maxLength: 60 }), integer({ min: 0, max: 3e9 }), (events, startUs) => {
      const bench = new DuplicateBench();
      const model = new Model();
      let timeUs = startUs + 1_000_000;
      for (const { packet, source, passedUs } of events) {
        timeUs += passedUs;
        const copy = bench.see(segment(1, lengths[packet]), { mirror: source, vni: source }, timeUs);
        expect(copy).toBe(model.see(packet, source, timeUs));
      }
      expect(bench.forgotten).toBe(0);
    }),
    { numRuns: 500 },
  );
});

test('one source alone never has a copy, whatever it sends', () => {
  assert(
    property(array(nat(3), { maxLength: 100 }), nat(2), (packets, vni) => {
      const bench = new DuplicateBench({ memoryBytes: 4096 });
      for (const packet of packets) expect(bench.see(segment(packet), { mirror: 1, vni })).toBe(false);
    }),
  );
});

test('raw IP and Ethernet carry the same packet', () => {
  const bench = new DuplicateBench();
  const raw: Source = { mirror: 2, linkType: LinkType.raw };
  expect(bench.see(segment(1), A)).toBe(false);
  expect(bench.see(segment(1).subarray(14), raw)).toBe(true);
});
