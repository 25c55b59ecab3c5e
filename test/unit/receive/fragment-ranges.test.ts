import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { opaque, udpDatagram } from '../../../samples/make/packets.ts';
import { IpProtocol } from '../../../src/wire/ip-protocol.ts';
import { fragment4, fragment6, type Piece, pieces } from '../../support/fragmenting.ts';
import { InnermostBench } from '../../support/innermost.ts';
import { change } from '../../support/tunnels.ts';

const datagram = udpDatagram(1000, 2000, Buffer.alloc(4000, 'abcdefg'));

const teardrop: [string, Piece[], number][] = [
  [
    'the second begins in the first',
    [
      { offset: 0, length: 40 },
      { offset: 24, length: 4, more: false },
    ],
    1,
  ],
  [
    'the second lies over the end of the first',
    [
      { offset: 0, length: 40 },
      { offset: 32, length: 400 },
    ],
    1,
  ],
  [
    'the second holds all of the first',
    [
      { offset: 8, length: 40 },
      { offset: 0, length: 400 },
    ],
    1,
  ],
  [
    'same begin, other end',
    [
      { offset: 0, length: 400 },
      { offset: 0, length: 392 },
    ],
    1,
  ],
  [
    'over two that were put together',
    [
      { offset: 0, length: 400 },
      { offset: 400, length: 400 },
      { offset: 200, length: 400 },
    ],
    1,
  ],
  [
    'part of one within many',
    [...pieces(2000, 400), { offset: 800, length: 392 }, { offset: 808, length: 392 }],
    2,
  ],
  ['a shorter last one over an equal one', [...pieces(2000, 400), { offset: 1600, length: 200 }], 1],
  [
    'the same again is none',
    [
      { offset: 0, length: 400 },
      { offset: 400, length: 400 },
      { offset: 0, length: 400 },
    ],
    0,
  ],
  [
    'an empty one is none',
    [
      { offset: 0, length: 400 },
      { offset: 200, length: 0, more: false },
    ],
    0,
  ],
];
test.each(teardrop)('teardrop: %s', (_name, list, overlapping) => {
  const bench = new InnermostBench();
  for (const piece of list) bench.read(fragment4(datagram, piece));
  expect(bench.counts['fragmentsOverlapping'] ?? 0).toBe(overlapping);
  const again = new InnermostBench();
  for (const piece of list) again.read(fragment6(datagram, piece));
  expect(again.counts['fragmentsOverlapping'] ?? 0).toBe(overlapping);
});

test('fragments of one size in any order, any number of times, never overlap; and one that is moved does', () => {
  const order = fc
    .record({ length: fc.integer({ min: 1, max: 4000 }), units: fc.integer({ min: 30, max: 185 }) })
    .chain(({ length, units }) => {
      const list = pieces(length, 8 * units);
      const once = fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length });
      return fc.tuple(once, fc.array(fc.constantFrom(...list), { maxLength: 20 }), fc.constant(list));
    });
  fc.assert(
    fc.property(order, ([once, more, list]) => {
      const bench = new InnermostBench();
      const whole = opaque(
        IpProtocol.udp,
        datagram.bytes.subarray(0, list.at(-1)!.offset + list.at(-1)!.length),
      );
      for (const piece of [...once, ...more]) bench.read(fragment4(whole, piece));
      expect(bench.counts['fragmentsOverlapping']).toBeUndefined();
    }),
    { numRuns: 300 },
  );
});

test('two first fragments that contradict each other overlap; the newer counts', () => {
  const bench = new InnermostBench();
  const [first = datagram.bytes, second = datagram.bytes] = pieces(datagram.bytes.length, 1480).map((piece) =>
    fragment4(datagram, piece),
  );
  bench.read(first);
  bench.read(change(first, 34, '0bb8 0fa0'));
  expect(bench.read(second)).toMatchObject({ ports: '3000 > 4000' });
  expect(bench.counts).toMatchObject({ fragmentsOverlapping: 1 });
});
