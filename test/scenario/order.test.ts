import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pcapFile } from '../../samples/make/capture.ts';
import { Mark } from '../../src/packet/mark.ts';
import { AnalysisTally, DISPLACEMENT_BUCKETS } from '../../src/receive/analysis-tally.ts';
import { LANE_COUNTERS_LENGTH, LaneCounter } from '../../src/receive/lane-counters.ts';
import { Tally } from '../../src/receive/tally.ts';
import { type Arrived, type Disorder, disordered } from '../support/disorder.ts';
import { type OrderSettings, type OrderedRun, runOrdered, TICK_US } from '../support/ordered-run.ts';
import { firstSent, outOfOrder, type Recorded, recordedTcp } from '../support/recorded-tcp.ts';
import { requires } from '../support/requires.ts';
import { Seeded } from '../support/seeded.ts';
import { withFolder } from '../support/tshark.ts';

/** Those of src/receive/settings.ts. */
const defaults: OrderSettings = { holdUs: 20_000, holdPackets: 64, holdBytes: 67_108_864 };
/** Of the segments that the network put out of order, the share that may be left. */
const LEFT_SHARE = 0.0001;
const HELD_MARGIN_US = 2 * TICK_US;

const recording = recordedTcp();
/** What is sent again may fill a gap at any time: whether it does so in its place is not for the network to say. */
const sentFirst = firstSent(recording);

const reach = { latePackets: 50, lateUs: 20_000 };
const networks: readonly Disorder[] = [
  { loss: 0, copies: 0, late: 100, ...reach },
  { loss: 0, copies: 100, late: 500, ...reach },
  { loss: 2, copies: 20, late: 200, ...reach },
  { loss: 5, copies: 50, late: 300, ...reach },
  { loss: 8, copies: 0, late: 400, ...reach },
  { loss: 10, copies: 100, late: 200, ...reach },
  { loss: 12, copies: 70, late: 500, ...reach },
  { loss: 15, copies: 30, late: 100, ...reach },
  { loss: 20, copies: 0, late: 500, ...reach },
  { loss: 20, copies: 100, late: 300, ...reach },
];

const others: readonly Pick<OrderSettings, 'holdUs' | 'holdPackets'>[] = [
  { holdUs: 20_000, holdPackets: 64 },
  { holdUs: 20_000, holdPackets: 32 },
  { holdUs: 20_000, holdPackets: 16 },
  { holdUs: 10_000, holdPackets: 64 },
  { holdUs: 5000, holdPackets: 64 },
  { holdUs: 40_000, holdPackets: 128 },
];

interface Outcome {
  readonly arrivals: readonly Arrived[];
  readonly run: OrderedRun;
  /** Segments that the network put out of order, and those of them that are so in the output. */
  readonly putIn: number;
  readonly left: number;
}

const sentOf = ({ sent }: Arrived): Recorded => sent;

function pass(seed: number, shape: Disorder, settings: OrderSettings = defaults): Outcome {
  const random = new Seeded(seed);
  const arrivals = disordered(random, shape, recording);
  const run = runOrdered(random, settings, arrivals);
  const output = run.output.map(({ arrival }) => arrival);
  const misplaced = (packets: readonly Arrived[]): number =>
    [...outOfOrder(packets.map(sentOf))].filter((segment) => sentFirst.has(segment)).length;
  const outcome = { arrivals, run, putIn: misplaced(arrivals), left: misplaced(output) };
  checkNothingLost(outcome);
  checkCounters(outcome);
  return outcome;
}

/** Whatever the settings: each arrival leaves once, as it came, and everything adds up. */
function checkNothingLost({ arrivals, run }: Outcome): void {
  expect(run.isExact).toBe(true);
  expect(run.output).toHaveLength(arrivals.length);
  expect(new Set(run.output.map(({ arrival }) => arrival)).size).toBe(arrivals.length);
  for (const { arrival, frame, wireLen } of run.output) {
    expect(frame.equals(arrival.sent.frame)).toBe(true);
    expect(wireLen).toBe(arrival.sent.wireLen);
  }
  expect(run.ledger[Tally.held]).toBe(0);
  expect(run.ledger[Tally.delivered]).toBe(arrivals.length);
}

function checkCounters({ run }: Outcome): void {
  const { tally, laneCounters, output } = run;
  const lane = (counter: number): number => laneCounters[counter]!;
  expect(run.lanes.lane(0).name).toBe('vni-7');
  expect(laneCounters.length).toBeGreaterThan(LANE_COUNTERS_LENGTH);
  expect([lane(LaneCounter.reordered), lane(LaneCounter.late), lane(LaneCounter.gaps)]).toEqual([
    tally[AnalysisTally.reordered],
    tally[AnalysisTally.late],
    tally[AnalysisTally.gaps],
  ]);
  expect(output.filter(({ marks }) => (marks & Mark.late) !== 0)).toHaveLength(tally[AnalysisTally.late]!);
  const buckets = tally.subarray(
    AnalysisTally.displacement,
    AnalysisTally.displacement + DISPLACEMENT_BUCKETS,
  );
  expect(buckets.reduce((sum, count) => sum + count, 0)).toBe(tally[AnalysisTally.reordered]);
  expect([tally[AnalysisTally.heldPackets], tally[AnalysisTally.heldBytes]]).toEqual([0, 0]);
}

const headings = ['seed', 'loss', 'copies', 'delayed', 'arrived', 'out of order', 'left', 'moved'].concat([
  'held packets',
  'held bytes',
  'gaps',
  'late',
  'early',
]);

function rowOf(seed: number, shape: Disorder, { arrivals, run, putIn, left }: Outcome): string[] {
  const counted = (counter: number): number => run.tally[counter]!;
  const numbers = [
    arrivals.length,
    putIn,
    left,
    counted(AnalysisTally.reordered),
    run.heldPackets,
    run.heldBytes,
    counted(AnalysisTally.gaps),
    counted(AnalysisTally.late),
    counted(AnalysisTally.releasedEarly),
  ];
  const shares = [shape.loss, shape.copies, shape.late].map((share) => `${share / 10}%`);
  return [String(seed), ...shares, ...numbers.map(String)];
}

/** Columns as wide as their widest word, numbers to the right. The first row are the headings. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((word, column) => word.padStart(widths[column] ?? 0)).join('  '));
  return `${lines.join('\n')}\n`;
}

describe('TCP of a kernel, a network that reorders, the resequencer', () => {
  test('with the defaults nothing that the network put out of order is left so', async () => {
    const rows = networks.map((shape, index) => {
      const outcome = pass(index + 1, shape);
      expect(outcome.putIn).toBeGreaterThan(50);
      expect(outcome.left).toBeLessThan(Math.max(outcome.putIn * LEFT_SHARE, 1));
      expect(outcome.run.heldBytes).toBeLessThan(defaults.holdBytes);
      const longest = Math.max(...outcome.run.output.map(({ heldUs }) => heldUs));
      expect(longest).toBeLessThanOrEqual(defaults.holdUs + HELD_MARGIN_US);
      return rowOf(index + 1, shape, outcome);
    });
    await expect(table([headings, ...rows])).toMatchFileSnapshot('__snapshots__/order.txt');
  }, 120_000);

  test('of 10,000 segments that were put out of order none is left so', () => {
    let [putIn, left] = [0, 0];
    for (let seed = 100; putIn < 10_000; seed++) {
      const outcome = pass(seed, { loss: seed % 21, copies: (seed * 7) % 101, late: 500, ...reach });
      putIn += outcome.putIn;
      left += outcome.left;
    }
    expect(left).toBe(0);
  }, 240_000);

  test('what other settings leave, over the same ten networks', async () => {
    const rows = others.map((own) => {
      const outcomes = networks.map((shape, index) => pass(index + 1, shape, { ...defaults, ...own }));
      const sum = (of: (outcome: Outcome) => number): number =>
        outcomes.reduce((total, outcome) => total + of(outcome), 0);
      const numbers = [
        own.holdUs,
        own.holdPackets,
        sum(({ putIn }) => putIn),
        sum(({ left }) => left),
        sum(({ run }) => run.tally[AnalysisTally.gaps]!),
        sum(({ run }) => run.tally[AnalysisTally.releasedEarly]!),
      ];
      return numbers.map(String);
    });
    const names = ['hold µs', 'hold packets', 'out of order', 'left', 'gaps', 'early'];
    await expect(table([names, ...rows])).toMatchFileSnapshot('__snapshots__/order-settings.txt');
  }, 120_000);

  test('a SYN that came behind packets of its connection leaves before them', () => {
    const behind = (packets: readonly Arrived[]): number => {
      const [known, seen] = [new Set<string>(), new Set<Recorded>()];
      const found = packets.filter(({ sent }) => {
        const isBehind = sent.isSyn && known.has(sent.stream) && !seen.has(sent);
        known.add(sent.stream);
        seen.add(sent);
        return isBehind;
      });
      return found.length;
    };
    const counts = networks.map((shape, index) => {
      const { arrivals, run } = pass(index + 1, shape);
      return [behind(arrivals), behind(run.output.map(({ arrival }) => arrival))] as const;
    });
    expect(counts.reduce((sum, [came]) => sum + came, 0)).toBeGreaterThan(5);
    expect(counts.map(([, left]) => left)).toEqual(networks.map(() => 0));
  }, 120_000);

  test('what arrives in order leaves in order, and only the beginnings of streams are held', () => {
    const { run, arrivals, putIn } = pass(1, { ...networks[0]!, late: 0 });
    expect(putIn).toBe(0);
    const misplaced = outOfOrder(recording).size;
    expect(misplaced).toBeGreaterThan(100);
    expect(outOfOrder(run.output.map(({ arrival }) => arrival.sent)).size).toBeLessThan(misplaced);
    expect(run.tally[AnalysisTally.releasedEarly]).toBe(0);
    expect(arrivals.map(sentOf)).toEqual(recording);
  });

  test.each<[string, Partial<OrderSettings>]>([
    ['a memory of a few packets', { holdBytes: 2048 }],
    ['four packets a stream', { holdPackets: 4 }],
    ['a millisecond', { holdUs: 1000 }],
    ['no time', { holdUs: 0 }],
  ])('%s: less is put in order, nothing is lost and no limit passed', (_, settings) => {
    const all = { ...defaults, ...settings };
    const outcome = pass(3, networks[6]!, all);
    expect(outcome.left).toBeGreaterThan(0);
    expect(outcome.run.heldBytes).toBeLessThanOrEqual(all.holdBytes);
    const longest = Math.max(...outcome.run.output.map(({ heldUs }) => heldUs));
    expect(longest).toBeLessThanOrEqual(all.holdUs + HELD_MARGIN_US);
  });
});

/** Places, from 0, of the packets that tshark calls out of order. */
function tsharkOutOfOrder(path: string): number[] {
  const args = ['-r', path, '-Y', 'tcp.analysis.out_of_order', '-T', 'fields', '-e', 'frame.number'];
  const text = execFileSync('tshark', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => Number(line) - 1);
}

test.skipIf(!requires('tshark'))(
  'tshark finds none of them out of order in the output, either',
  async () => {
    await withFolder((folder) => {
      const misplaced = (packets: readonly Arrived[]): number => {
        const path = join(folder, 'packets.pcap');
        const records = packets.map(({ sent, timeUs }) => ({
          timeUs,
          bytes: sent.frame,
          wireLen: sent.wireLen,
        }));
        writeFileSync(path, pcapFile(records));
        const isSecond = (place: number): boolean =>
          packets.findIndex(({ sent }) => sent === packets[place]!.sent) < place;
        const places = tsharkOutOfOrder(path).filter((place) => !isSecond(place));
        return places.filter((place) => sentFirst.has(packets[place]!.sent)).length;
      };
      const counts = networks.map((shape, index) => {
        const { arrivals, run } = pass(index + 1, shape);
        return [misplaced(arrivals), misplaced(run.output.map(({ arrival }) => arrival))] as const;
      });
      expect(counts.reduce((sum, [came]) => sum + came, 0)).toBeGreaterThan(1000);
      expect(counts.map(([, left]) => left)).toEqual(networks.map(() => 0));
    });
  },
  240_000,
);
