import { describe, expect, test } from 'vitest';
import { verdictNames } from '../../src/packet/verdict.ts';
import { LANE_COUNTERS_LENGTH, LaneCounter } from '../../src/receive/lane-counters.ts';
import { settled, Tally } from '../../src/receive/tally.ts';
import {
  type Datagram,
  isCut,
  kept,
  type Let,
  receive,
  type Received,
  routes,
  send,
} from '../support/mirror-path.ts';
import { type Carried, carry, type NetworkShape } from '../support/network.ts';
import { type Bench, buckets, makeBench } from '../support/receiving.ts';
import { Seeded } from '../support/seeded.ts';

/** Bytes of every frame that hold all headers down to IP: Ethernet, two tags, IPv6. */
const HEADERS_LEN = 62;

const sentByAll = send();

/** Counters of all lanes by name. */
function laneRows({ lanes, laneCounters }: Bench): Map<string, Float64Array> {
  const slots = Array.from({ length: lanes.slots }, (_, slot) => slot).filter((slot) => lanes.isUsed(slot));
  return new Map(
    slots.map((slot) => {
      const at = slot * LANE_COUNTERS_LENGTH;
      return [lanes.lane(slot).name, laneCounters.subarray(at, at + LANE_COUNTERS_LENGTH)];
    }),
  );
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, number) => total + number, 0);
const total = (rows: Map<string, Float64Array>, counter: number): number =>
  sum([...rows.values()].map((row) => row[counter] ?? 0));

/** What holds whatever the network does. */
function checkLedger(bench: Bench, arrivals: readonly Let[]): void {
  const { tally } = bench;
  const bytes = sum(arrivals.map((arrival) => arrival.bytes.length));
  const headers = sum(arrivals.map(({ sent }) => (sent.route.from.includes(':') ? 48 : 28)));
  expect([tally[Tally.received], tally[Tally.received + 1]]).toEqual([arrivals.length, bytes]);
  expect([settled(tally, 0), settled(tally, 1)]).toEqual([arrivals.length, bytes]);
  expect(tally[Tally.inputBytes]).toBe(bytes + headers);
  const rows = laneRows(bench);
  const delivered = tally[Tally.delivered];
  expect(total(rows, LaneCounter.packets)).toBe(delivered);
  for (const first of [LaneCounter.ipVerdict, LaneCounter.transportVerdict]) {
    expect(sum(verdictNames.map((_, verdict) => total(rows, first + verdict)))).toBe(delivered);
  }
}

/** Every frame that no byte was changed of is delivered as it was sent, in the lane of its session. */
function checkWhole(received: readonly Received[]): void {
  for (const { arrival, lane, frame, wireLen } of received) {
    const { sent, corrupted } = arrival;
    if (corrupted) continue;
    const expected = Buffer.from(sent.frame.subarray(0, kept(sent))).toString('hex');
    expect({ lane, frame }).toEqual({ lane: sent.route.lane, frame: expected });
    if (kept(sent) >= HEADERS_LEN) expect(wireLen).toBe(sent.frame.length);
  }
}

/** Lanes count what was let through; where bytes were changed, that much can be more or less. */
function checkLanes(bench: Bench, arrivals: readonly Let[]): void {
  const rows = laneRows(bench);
  for (const { lane } of routes) {
    const own = arrivals.filter(({ sent }) => sent.route.lane === lane);
    const row = rows.get(lane) ?? new Float64Array(LANE_COUNTERS_LENGTH);
    const corrupted = arrivals.filter((one) => one.corrupted).length;
    const counted = [row[LaneCounter.packets], row[LaneCounter.truncated], row[LaneCounter.bytes]];
    const sure = own.filter((one) => !one.corrupted);
    const least = [
      sure.length,
      sure.filter(({ sent }) => isCut(sent)).length,
      sum(sure.map(({ sent }) => kept(sent))),
    ];
    if (corrupted === 0) expect(counted).toEqual(least);
    for (const [index, count] of least.entries()) expect(counted[index]).toBeGreaterThanOrEqual(count);
    expect(counted[0]).toBeLessThanOrEqual(sure.length + corrupted);
    expect(row[LaneCounter.snapped]).toBe(0);
  }
}

/** A changed byte makes a fault of its tunnel, another lane, or nothing at all. */
function checkCorruption(bench: Bench, received: readonly Received[]): void {
  const { delivered = [0, 0], received: _, reservedBits, geneveOnly, ...rest } = buckets(bench.tally);
  const changed = received.filter(({ arrival }) => arrival.corrupted);
  const refused = changed.filter(({ lane }) => lane === undefined);
  expect(received.length - (delivered[0] ?? 0)).toBe(refused.length);
  expect(sum(Object.values(rest).map(([packets]) => packets))).toBe(refused.length);
  for (const name of Object.keys(rest)) expect(name).toMatch(/^(vxlan|geneve)[A-Z]/);
  expect(sum([reservedBits?.[0] ?? 0, geneveOnly?.[0] ?? 0])).toBeLessThanOrEqual(2 * changed.length);
  const names = new Set(routes.map(({ lane }) => lane));
  const strange = received.filter(({ lane }) => lane !== undefined && !names.has(lane));
  expect(strange.filter(({ arrival }) => !arrival.corrupted)).toEqual([]);
  for (const { lane } of strange) expect(lane).toMatch(/^(vni|geneve|gwlb)-\d+(-[\da-f]{16})?(-ip)?$/);
}

interface Outcome {
  readonly carried: Carried<Datagram>;
  readonly bench: Bench;
  readonly received: readonly Received[];
}

/** One run from sender to lanes, with all that must hold of it. */
function pass(seed: number, shape: NetworkShape): Outcome {
  const random = new Seeded(seed);
  const carried = carry(random, shape, sentByAll);
  const { arrivals, lost, doubled } = carried;
  expect(arrivals).toHaveLength(sentByAll.length - lost + doubled);
  const bench = makeBench({ maxLanes: 256 });
  const received = receive(random, bench, arrivals);
  checkLedger(bench, arrivals);
  checkWhole(received);
  checkLanes(bench, arrivals);
  checkCorruption(bench, received);
  return { carried, bench, received };
}

const calm: NetworkShape = { loss: 0, duplicates: 0, late: 0, lateBy: 50, corruption: 0 };
const networks: readonly NetworkShape[] = [
  calm,
  { ...calm, loss: 10 },
  { ...calm, loss: 20 },
  { ...calm, duplicates: 100 },
  { ...calm, late: 200 },
  { ...calm, loss: 20, duplicates: 100, late: 200 },
  { ...calm, corruption: 20 },
  { loss: 20, duplicates: 100, late: 200, lateBy: 50, corruption: 100 },
];
const seeds = [1, 2, 3];

const headings = ['seed', 'loss', 'dup', 'late', 'corr'].concat(
  ['sent', 'lost', 'doubled', 'changed', 'received', 'delivered', 'truncated', 'lanes'],
  verdictNames,
  ['faults and marks'],
);

function rowOf(seed: number, shape: NetworkShape, { carried, bench }: Outcome): string[] {
  const { received, delivered, ...rest } = buckets(bench.tally);
  const rows = laneRows(bench);
  const numbers = [
    sentByAll.length,
    carried.lost,
    carried.doubled,
    carried.corrupted,
    received?.[0] ?? 0,
    delivered?.[0] ?? 0,
    total(rows, LaneCounter.truncated),
    bench.lanes.used,
    ...verdictNames.map((_, verdict) => total(rows, LaneCounter.transportVerdict + verdict)),
  ];
  const shares = [shape.loss, shape.duplicates, shape.late, shape.corruption].map(
    (share) => `${share / 10}%`,
  );
  const faults = Object.entries(rest).map(([name, [packets]]) => `${name} ${packets}`);
  return [String(seed), ...shares, ...numbers.map(String), faults.join(', ')];
}

/** Columns as wide as their widest word, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row.map((word, column) => (column === row.length - 1 ? word : word.padStart(widths[column] ?? 0))),
  );
  return `${lines.map((words) => words.join('  ').trimEnd()).join('\n')}\n`;
}

describe('sender, network, receiver', () => {
  test('what the network does, and what the receiver makes of it', async () => {
    const rows = networks.flatMap((shape) => seeds.map((seed) => rowOf(seed, shape, pass(seed, shape))));
    await expect(table([headings, ...rows])).toMatchFileSnapshot('__snapshots__/mirror-path.txt');
  });

  test('the network reorders as far as it says, and no further', () => {
    const { arrivals } = carry(new Seeded(1), { ...calm, late: 200 }, sentByAll);
    const order = new Map(sentByAll.map((datagram, index) => [datagram, index]));
    let furthest = 0;
    let latest = 0;
    for (const { sent } of arrivals) {
      const index = order.get(sent) ?? 0;
      latest = Math.max(latest, index);
      furthest = Math.max(furthest, latest - index);
    }
    expect(furthest).toBeGreaterThan(40);
    expect(furthest).toBeLessThanOrEqual(50);
  });

  test('the equation holds under other seeds and other networks', () => {
    for (let seed = 100; seed < 130; seed++) {
      const random = new Seeded(seed);
      const shape = {
        loss: random.below(21),
        duplicates: random.below(101),
        late: random.below(500),
        lateBy: 1 + random.below(50),
        corruption: random.below(2) * random.below(200),
      };
      const { carried, received } = pass(seed, shape);
      expect(received.map(({ arrival }) => arrival)).toEqual(carried.arrivals);
    }
  });
});
