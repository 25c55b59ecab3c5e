import type { AnalysisReport } from '../observe/analysis-report.ts';
import { FlowEndReason, flowEndReasonNames } from '../packet/flow-record.ts';
import { ANALYSIS_TALLY_LENGTH, AnalysisTally, DISPLACEMENT_LIMITS } from '../receive/analysis-tally.ts';
import { analysisTallyOf, type SharedMemory } from './shared-memory.ts';

/** What the workers have counted of fragments, nesting, duplicates, order and flows, all together. */
export function analysisTotals(memory: SharedMemory): AnalysisReport {
  const at = summed(memory);
  return {
    flows: {
      opened: at(AnalysisTally.flowsOpened),
      active: at(AnalysisTally.flowsActive),
      records: at(AnalysisTally.flowRecords),
      ended: ended(at),
      withoutFlow: at(AnalysisTally.withoutFlow),
      nameBytes: at(AnalysisTally.nameBytes),
      namesDropped: at(AnalysisTally.namesDropped),
      gapsForgotten: at(AnalysisTally.gapsForgotten),
    },
    fragments: {
      packets: at(AnalysisTally.fragments),
      matched: at(AnalysisTally.fragmentsMatched),
      unmatched: at(AnalysisTally.fragmentsUnmatched),
      overlapping: at(AnalysisTally.fragmentsOverlapping),
      tiny: at(AnalysisTally.fragmentsTiny),
      forgotten: at(AnalysisTally.fragmentsEvicted),
    },
    nested: { packets: at(AnalysisTally.nested), tooDeep: at(AnalysisTally.nestedTooDeep) },
    duplicates: { found: at(AnalysisTally.duplicates), forgotten: at(AnalysisTally.duplicatesForgotten) },
    order: {
      reordered: at(AnalysisTally.reordered),
      late: at(AnalysisTally.late),
      gaps: at(AnalysisTally.gaps),
      releasedEarly: at(AnalysisTally.releasedEarly),
      heldPackets: at(AnalysisTally.heldPackets),
      heldBytes: at(AnalysisTally.heldBytes),
      streamsEvicted: at(AnalysisTally.streamsEvicted),
      displacement: DISPLACEMENT_LIMITS.map((limit, bucket) => ({
        upTo: Number.isFinite(limit) ? limit : null,
        packets: at(AnalysisTally.displacement + bucket),
      })),
    },
  };
}

function summed(memory: SharedMemory): (counter: number) => number {
  const total = new Float64Array(ANALYSIS_TALLY_LENGTH);
  for (let worker = 0; worker < memory.workers; worker++) {
    for (const [counter, count] of analysisTallyOf(memory, worker).entries()) {
      total[counter] = (total[counter] ?? 0) + count;
    }
  }
  return (counter) => total[counter] ?? 0;
}

/** By reason; a flow that goes on has not ended. */
function ended(at: (counter: number) => number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [reason, name] of flowEndReasonNames.entries()) {
    if (reason !== FlowEndReason.active) counts[name] = at(AnalysisTally.flowsEnded + reason);
  }
  return counts;
}
