import type { AnalysisReport } from '../../src/observe/analysis-report.ts';
import type { LaneReport, Ledger, Report } from '../../src/observe/report.ts';

/** A report whose ledgers add up, with something in most buckets. */
export function sampleReport(lanes: readonly LaneReport[] = [sampleLane(42)]): Report {
  return {
    input: { packets: 120, bytes: 31_000 },
    ledger: sampleLedger(1),
    ledgerBytes: sampleLedger(250),
    filteredBy: { source: 1, mirrorSource: 2, vni: 3 },
    reservedBits: 7,
    misrouted: 2,
    ...sampleAnalysis(),
    closedLanes: {
      count: 1,
      packets: 8,
      bytes: 900,
      upstream: { tcpFlows: 3, oneSidedFlows: 1, ackedBytes: 70, unseenBytes: 20 },
    },
    lanes,
    sinks: [
      {
        name: 'captures',
        kind: 'files',
        delivered: 98,
        written: 90,
        filtered: 1,
        dropped: { queueFull: 4 },
        pending: 3,
        pendingBytes: 300,
      },
    ],
  };
}

/** Something of everything that analysis counts, each another number. */
function sampleAnalysis(): AnalysisReport {
  return {
    flows: {
      opened: 61,
      active: 6,
      records: 70,
      ended: { idle: 30, fin: 15, rst: 5, evicted: 1, end: 4 },
      withoutFlow: 9,
      nameBytes: 4_096,
      namesDropped: 8,
      gapsForgotten: 7,
    },
    fragments: { packets: 20, matched: 10, unmatched: 11, overlapping: 12, tiny: 13, forgotten: 14 },
    nested: { packets: 21, tooDeep: 2 },
    duplicates: { found: 23, forgotten: 3 },
    order: {
      reordered: 28,
      late: 16,
      gaps: 17,
      releasedEarly: 18,
      heldPackets: 19,
      heldBytes: 1_900,
      streamsEvicted: 22,
      displacement: [1, 2, 4, 8, 16, 32, 64, null].map((upTo, bucket) => ({ upTo, packets: bucket })),
    },
  };
}

export function sampleLane(vni: number): LaneReport {
  return {
    name: `vni-${vni}`,
    encapsulation: 'vxlan',
    vni,
    linkType: 'ethernet',
    packets: 98,
    bytes: 20_500,
    wireBytes: 21_100,
    truncated: 3,
    snapped: 1,
    reordered: 2,
    late: 1,
    gaps: 3,
    duplicates: 4,
    upstream: { tcpFlows: 40, oneSidedFlows: 3, ackedBytes: 1_234_567, unseenBytes: 1_481 },
    checksum: {
      ip: { valid: 97, bad: 1, unverifiable: 0 },
      transport: { valid: 80, partial: 10, zero: 2, bad: 1, unverifiable: 5 },
    },
    first: '2019-06-27T10:00:00.000000000Z',
    last: '2019-06-27T10:00:05.250000000Z',
    fileCount: 1,
    files: [`vni-${vni}.pcapng`],
  };
}

function sampleLedger(unit: number): Ledger {
  return {
    received: 120 * unit,
    delivered: 98 * unit,
    notTunnel: 5 * unit,
    filtered: 6 * unit,
    duplicate: 2 * unit,
    fault: { vxlanNoVni: 3 * unit, geneveVersion: unit },
    held: 4 * unit,
    dropped: { kernel: 11 * unit, worker: unit },
  };
}
