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
    closedLanes: { count: 1, packets: 8, bytes: 900 },
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
