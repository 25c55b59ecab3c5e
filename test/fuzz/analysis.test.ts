import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { nameHashes, sha1Base64 } from '../../src/app/name-hashes.ts';
import { PacketBatch } from '../../src/packet/batch.ts';
import { FlowEndReason } from '../../src/packet/flow-record.ts';
import { Admission } from '../../src/receive/admission.ts';
import { Analysis } from '../../src/receive/analysis.ts';
import { ANALYSIS_TALLY_LENGTH, AnalysisTally } from '../../src/receive/analysis-tally.ts';
import { DuplicateFinder } from '../../src/receive/duplicates.ts';
import { FlowTable } from '../../src/receive/flows/flow-table.ts';
import { InterfaceTable } from '../../src/receive/flows/interface-table.ts';
import { NameFinder } from '../../src/receive/flows/name-finder.ts';
import { FragmentTable } from '../../src/receive/fragment-table.ts';
import { InnermostReader } from '../../src/receive/innermost.ts';
import { LANE_COUNTERS_LENGTH, LaneCounter } from '../../src/receive/lane-counters.ts';
import { allocateLanes } from '../../src/receive/lane-memory.ts';
import { LaneDirectory } from '../../src/receive/lanes.ts';
import { Resequencer } from '../../src/receive/order/resequencer.ts';
import { Receiver } from '../../src/receive/receiver.ts';
import { settled, Tally, TALLY_LENGTH } from '../../src/receive/tally.ts';
import { FlowSums, OrderedSums } from '../support/flow-sums.ts';
import { HostileTraffic } from '../support/hostile-traffic.ts';
import { admitAll, defaultPorts } from '../support/receiving.ts';
import { soaking } from '../support/scale.ts';
import { Seeded } from '../support/seeded.ts';

/** Of both runs together: 10,000,000 under `npm run soak`. */
const PACKETS = soaking ? 10_000_000 : 200_000;
const BATCH_PACKETS = 256;
const BLOCK_BYTES = 1024 * 1024;
/** Tables so small that each of them is full at times. */
const MAX_FLOWS = 4096;
const GAPS = 16;
const STREAMS = 1024;
const DUPLICATE_BYTES = 32_768;
const NAME_BYTES = 65_536;
const HOLD_BYTES = 65_536;
/** What the heap may grow by once everything has been met: a byte left behind by each packet of a soak is more. */
const GROWTH_MAX_BYTES = 4 * 1024 * 1024;

const runs = [
  { seed: 20_261_121, wildTime: false, dropDuplicates: false, perVlan: false },
  { seed: 20_261_122, wildTime: true, dropDuplicates: true, perVlan: true },
];

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes in use when all that can be freed is freed. */
function usedBytes(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function makeRun({ seed, wildTime, dropDuplicates, perVlan }: (typeof runs)[number]) {
  const lanes = new LaneDirectory(allocateLanes(64, 1));
  const ledger = new Float64Array(TALLY_LENGTH);
  const tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  const records = new FlowSums();
  const output = new OrderedSums();
  const laneCounters = lanes.counters(0);
  const names = new NameFinder({ nameBytes: NAME_BYTES, tally, hashes: nameHashes });
  const flows = new FlowTable({
    maxFlows: MAX_FLOWS,
    gaps: GAPS,
    idleSeconds: { tcp: 350, udp: 60, other: 30 },
    activeSeconds: 120,
    perVlan,
    tally,
    laneCounters,
    lanes,
    emit: (record) => {
      records.take(record);
    },
    sha1Base64,
    names,
  });
  const order = new Resequencer({
    join: 'none',
    holdUs: 20_000,
    holdPackets: 16,
    holdBytes: HOLD_BYTES,
    streams: STREAMS,
    tally,
    laneCounters,
    ledger,
    output,
  });
  const fragments = new FragmentTable({ tally, entries: 256, timeoutSeconds: 30 });
  const analysis = new Analysis({
    innermost: new InnermostReader({ tally, fragments }),
    interfaces: new InterfaceTable(16),
    duplicates: new DuplicateFinder({
      windowUs: 100_000,
      acrossVnis: true,
      memoryBytes: DUPLICATE_BYTES,
      tally,
    }),
    dropDuplicates,
    flows,
    order,
  });
  const receiver = new Receiver({
    ports: defaultPorts,
    admission: new Admission(admitAll),
    lanes,
    worker: 0,
    tally: ledger,
    verifyChecksums: 'all',
    analysis,
  });
  const traffic = new HostileTraffic(new Seeded(seed), wildTime);
  watchCopies(analysis, tally, records);
  return { laneCounters, ledger, tally, records, output, flows, order, receiver, traffic };
}

/** Counts copies of frames that are of no flow: the tally has them among both. */
function watchCopies(analysis: Analysis, tally: Float64Array, records: FlowSums): void {
  const count = analysis.count.bind(analysis);
  analysis.count = (...args) => {
    const before = tally[AnalysisTally.withoutFlow];
    count(...args);
    if (analysis.isDuplicate && tally[AnalysisTally.withoutFlow] !== before) records.copiesWithoutFlow++;
  };
}

test.each(runs)(
  `${PACKETS / 2} hostile packets through all of the receiver, %o`,
  (run) => {
    const { laneCounters, ledger, tally, records, output, flows, order, receiver, traffic } = makeRun(run);
    const batch = new PacketBatch(BATCH_PACKETS, Buffer.alloc(BLOCK_BYTES));
    const before = Buffer.alloc(BLOCK_BYTES);
    const wrong = new Set<string>();
    const need = (holds: boolean, what: string): void => {
      if (!holds) wrong.add(what);
    };
    let sent = 0;
    let heldMost = 0;
    let baseBytes = 0;
    for (let batches = 0; sent < PACKETS / 2; batches++) {
      traffic.writeTo(batch);
      const isWatched = batches % 64 === 0;
      if (isWatched) batch.bytes.copy(before);
      receiver.process(batch);
      flows.expire(traffic.seconds, 1000);
      if (isWatched) need(before.equals(batch.bytes), 'the input was changed');
      sent += batch.count;
      heldMost = Math.max(heldMost, order.heldPackets);
      for (const of of [0, 1] as const) {
        need(settled(ledger, of) === ledger[Tally.received + of], `ledger ${of}`);
      }
      need(ledger[Tally.received] === sent, 'received');
      need(ledger[Tally.held] === order.heldPackets, 'held');
      need(flows.active <= MAX_FLOWS, 'flows');
      need(tally[AnalysisTally.flowsActive] === flows.active, 'flows counted');
      need(tally[AnalysisTally.nameBytes]! <= NAME_BYTES, 'name bytes');
      need(tally[AnalysisTally.heldBytes]! <= HOLD_BYTES, 'held bytes');
      if (baseBytes === 0 && sent >= PACKETS / 6) baseBytes = usedBytes();
    }
    const grownBytes = usedBytes() - baseBytes;
    order.flush();
    while (flows.end(1000) > 0);

    expect([...wrong, ...records.wrong]).toEqual([]);
    expect(output.wrong).toBe(0);
    expect(grownBytes).toBeLessThan(GROWTH_MAX_BYTES);
    expect(heldMost).toBeGreaterThan(0);
    expect([ledger[Tally.held], ledger[Tally.held + 1]]).toEqual([0, 0]);
    expect(settled(ledger, 1)).toBe(ledger[Tally.received + 1]);
    expect(output.packets).toBe(ledger[Tally.delivered]);
    expect(flows.active).toBe(0);
    expect(tally[AnalysisTally.nameBytes]).toBe(0);
    expect(tally[AnalysisTally.flowRecords]).toBe(records.count);
    // every frame is in a flow, a duplicate, or of no flow
    const frames = ledger[Tally.delivered]! + ledger[Tally.duplicate]!;
    const { duplicates, withoutFlow } = AnalysisTally;
    const outside = tally[duplicates]! + tally[withoutFlow]! - records.copiesWithoutFlow;
    expect(records.packets + outside).toBe(frames);
    expect(records.duplicates).toBeLessThanOrEqual(tally[duplicates]!);
    expect(records.duplicates).toBeGreaterThan(0);
    expect(ofAllLanes(laneCounters, LaneCounter.packets)).toBe(ledger[Tally.delivered]);
    expect(ofAllLanes(laneCounters, LaneCounter.duplicates)).toBe(tally[duplicates]);
    expect(ofAllLanes(laneCounters, LaneCounter.tcpFlows)).toBeGreaterThan(0);
    expect(laneCounters.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
    expect(tally.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
    expect(silent(tally)).toEqual([]);
    expect([...records.ends].toSorted()).toEqual(Object.values(FlowEndReason).toSorted());
  },
  3_600_000,
);

function ofAllLanes(counters: Float64Array, counter: number): number {
  let sum = 0;
  for (let at = counter; at < counters.length; at += LANE_COUNTERS_LENGTH) sum += counters[at]!;
  return sum;
}

/** What the walk never met: counters that stayed 0, but for those that are 0 at the end, and ends that are none. */
function silent(tally: Float64Array): string[] {
  const atEnd = new Set(['heldPackets', 'heldBytes', 'flowsActive', 'nameBytes', 'flowsEnded']);
  return Object.entries(AnalysisTally).flatMap(([name, at]) =>
    tally[at] === 0 && !atEnd.has(name) ? [name] : [],
  );
}
