import { expect, test } from 'vitest';
import { analysisTotals } from '../../../src/app/analysis-totals.ts';
import { allocateMemory, analysisTallyOf } from '../../../src/app/shared-memory.ts';
import type { AnalysisReport } from '../../../src/observe/analysis-report.ts';
import { FlowEndReason } from '../../../src/packet/flow-record.ts';
import {
  ANALYSIS_TALLY_LENGTH,
  AnalysisTally,
  DISPLACEMENT_BUCKETS,
} from '../../../src/receive/analysis-tally.ts';

type Told = (report: AnalysisReport) => number | undefined;

const counters: readonly [name: string, index: number, told: Told][] = [
  ['fragments', AnalysisTally.fragments, ({ fragments }) => fragments.packets],
  ['fragmentsMatched', AnalysisTally.fragmentsMatched, ({ fragments }) => fragments.matched],
  ['fragmentsUnmatched', AnalysisTally.fragmentsUnmatched, ({ fragments }) => fragments.unmatched],
  ['fragmentsOverlapping', AnalysisTally.fragmentsOverlapping, ({ fragments }) => fragments.overlapping],
  ['fragmentsTiny', AnalysisTally.fragmentsTiny, ({ fragments }) => fragments.tiny],
  ['fragmentsEvicted', AnalysisTally.fragmentsEvicted, ({ fragments }) => fragments.forgotten],
  ['nested', AnalysisTally.nested, ({ nested }) => nested.packets],
  ['nestedTooDeep', AnalysisTally.nestedTooDeep, ({ nested }) => nested.tooDeep],
  ['withoutFlow', AnalysisTally.withoutFlow, ({ flows }) => flows.withoutFlow],
  ['duplicates', AnalysisTally.duplicates, ({ duplicates }) => duplicates.found],
  ['duplicatesForgotten', AnalysisTally.duplicatesForgotten, ({ duplicates }) => duplicates.forgotten],
  ['reordered', AnalysisTally.reordered, ({ order }) => order.reordered],
  ['late', AnalysisTally.late, ({ order }) => order.late],
  ['gaps', AnalysisTally.gaps, ({ order }) => order.gaps],
  ['releasedEarly', AnalysisTally.releasedEarly, ({ order }) => order.releasedEarly],
  ['heldPackets', AnalysisTally.heldPackets, ({ order }) => order.heldPackets],
  ['heldBytes', AnalysisTally.heldBytes, ({ order }) => order.heldBytes],
  ['streamsEvicted', AnalysisTally.streamsEvicted, ({ order }) => order.streamsEvicted],
  ['flowsOpened', AnalysisTally.flowsOpened, ({ flows }) => flows.opened],
  ['flowsActive', AnalysisTally.flowsActive, ({ flows }) => flows.active],
  ['flowRecords', AnalysisTally.flowRecords, ({ flows }) => flows.records],
  ['namesDropped', AnalysisTally.namesDropped, ({ flows }) => flows.namesDropped],
  ['nameBytes', AnalysisTally.nameBytes, ({ flows }) => flows.nameBytes],
  ['gapsForgotten', AnalysisTally.gapsForgotten, ({ flows }) => flows.gapsForgotten],
  ...(['idle', 'fin', 'rst', 'evicted', 'end'] as const).map((reason): (typeof counters)[number] => [
    `flowsEnded ${reason}`,
    AnalysisTally.flowsEnded + FlowEndReason[reason],
    ({ flows }) => flows.ended[reason],
  ]),
  ...Array.from({ length: DISPLACEMENT_BUCKETS }, (_, bucket): (typeof counters)[number] => [
    `displacement ${bucket}`,
    AnalysisTally.displacement + bucket,
    ({ order }) => order.displacement[bucket]?.packets,
  ]),
];

/** All numbers of a report, wherever they stand, but the limits of buckets. */
function numbers(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === 'upTo' ? [] : numbers(inner)));
}

test.each(counters)('%s is told of all workers, and nowhere else', (_, index, told) => {
  const memory = allocateMemory(2, 1, []);
  analysisTallyOf(memory, 0)[index] = 3;
  analysisTallyOf(memory, 1)[index] = 4;
  const report = analysisTotals(memory);
  expect(told(report)).toBe(7);
  expect(numbers(report).filter((number) => number !== 0)).toEqual([7]);
});

test('every counter is told', () => {
  const memory = allocateMemory(1, 1, []);
  analysisTallyOf(memory, 0).fill(1);
  const told = numbers(analysisTotals(memory));
  expect(told.length).toBe(counters.length);
  expect(new Set(told)).toEqual(new Set([1]));
  // what goes on has not ended
  const known = [AnalysisTally.flowsEnded, ...counters.map(([, index]) => index)];
  for (const index of Object.values(AnalysisTally)) expect(known).toContain(index);
  expect(Math.max(...Object.values(AnalysisTally))).toBeLessThan(ANALYSIS_TALLY_LENGTH);
});

test('the buckets of displacement say up to where they go', () => {
  const { displacement } = analysisTotals(allocateMemory(1, 1, [])).order;
  expect(displacement.map(({ upTo }) => upTo)).toEqual([1, 2, 4, 8, 16, 32, 64, null]);
});
