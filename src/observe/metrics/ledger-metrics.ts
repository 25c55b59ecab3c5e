import { faultNames } from '../../wire/fault.ts';
import { counted, type Count, metricGroup, type MetricGroup, type Row } from './exposition.ts';
import type { MetricsSnapshot } from './snapshot.ts';

const once: readonly Row<MetricsSnapshot>[] = [
  ['received_packets_total', 'Packets that entered the process.', ({ report }) => report.ledger.received],
  ['received_bytes_total', 'UDP payload bytes that entered.', ({ report }) => report.ledgerBytes.received],
  ['delivered_packets_total', 'Packets handed to the sinks.', ({ report }) => report.ledger.delivered],
  ['delivered_bytes_total', 'UDP payload bytes delivered.', ({ report }) => report.ledgerBytes.delivered],
  ['not_tunnel_packets_total', 'Packets to no tunnel port.', ({ report }) => report.ledger.notTunnel],
  [
    'not_tunnel_bytes_total',
    'UDP payload bytes to no tunnel port.',
    ({ report }) => report.ledgerBytes.notTunnel,
  ],
  ['filtered_bytes_total', 'UDP payload bytes filtered.', ({ report }) => report.ledgerBytes.filtered],
  ['duplicate_packets_total', 'Packets left out as duplicates.', ({ report }) => report.ledger.duplicate],
  ['duplicate_bytes_total', 'UDP payload bytes of duplicates.', ({ report }) => report.ledgerBytes.duplicate],
  ['held_packets', 'Packets that wait in the resequencer.', ({ report }) => report.ledger.held],
  ['held_bytes', 'UDP payload bytes that wait there.', ({ report }) => report.ledgerBytes.held],
  [
    'dropped_bytes_total',
    'UDP payload bytes lost with a worker.',
    ({ report }) => report.ledgerBytes.dropped.worker,
  ],
  [
    'reserved_field_packets_total',
    'Packets with reserved bits set, ignored.',
    ({ report }) => report.reservedBits,
  ],
  ['misrouted_packets_total', 'GENEVE without VXLAN while behind: gwlb.', ({ report }) => report.misrouted],
  ['lanes', 'Lanes that are open.', ({ report }) => report.lanes.length],
  ['lanes_closed_total', 'Lanes that were idle and closed.', ({ report }) => report.closedLanes.count],
  [
    'lanes_closed_tcp_flows_total',
    'TCP flows of those lanes, also such that ended after their lane was closed.',
    ({ report }) => report.closedLanes.upstream.tcpFlows,
  ],
  [
    'lanes_closed_one_sided_tcp_flows_total',
    'Of these, those with packets of one direction only.',
    ({ report }) => report.closedLanes.upstream.oneSidedFlows,
  ],
  [
    'lanes_closed_acknowledged_bytes_total',
    'TCP payload bytes of those lanes that the other side acknowledged, where data before and after came.',
    ({ report }) => report.closedLanes.upstream.ackedBytes,
  ],
  [
    'lanes_closed_unseen_bytes_total',
    'Of these, those that never came: lost on the way here.',
    ({ report }) => report.closedLanes.upstream.unseenBytes,
  ],
  ['ready', '1 while /readyz says 200.', ({ ready }) => Number(ready)],
];

interface FaultCount {
  readonly fault: string;
  readonly packets: number;
  readonly bytes: number;
}

const ofFault: readonly Row<FaultCount>[] = [
  ['faults_total', 'Packets refused, by the names of docs/faults.md.', ({ packets }) => packets],
  ['fault_bytes_total', 'UDP payload bytes refused.', ({ bytes }) => bytes],
];

/** Every fault there is, also those that never occurred: a rate needs a first sample of 0. */
function faultCounts({ report }: MetricsSnapshot): FaultCount[] {
  const { fault: packets } = report.ledger;
  const { fault: bytes } = report.ledgerBytes;
  return faultNames
    .slice(1)
    .map((fault) => ({ fault, packets: packets[fault] ?? 0, bytes: bytes[fault] ?? 0 }));
}

function filtered({ report: { filteredBy } }: MetricsSnapshot): Count[] {
  return [
    ['source', filteredBy.source],
    ['mirror_source', filteredBy.mirrorSource],
    ['vni', filteredBy.vni],
  ];
}

function dropped({ report: { ledger } }: MetricsSnapshot): Count[] {
  return [
    ['kernel', ledger.dropped.kernel],
    ['worker', ledger.dropped.worker],
  ];
}

/** Metrics of every packet that came in, of those that were lost before, and of lanes as a whole. */
export const ledgerGroups: readonly MetricGroup[] = [
  metricGroup((snapshot) => [snapshot], {}, once),
  counted('filtered_packets_total', 'Packets that admission refused.', 'reason', filtered),
  metricGroup(faultCounts, { reason: ({ fault }) => fault }, ofFault),
  counted('dropped_packets_total', 'Packets lost before the sinks.', 'where', dropped),
  counted(
    'host_dropped_packets_total',
    'Packets of any kind that the host lost before any socket, since the start.',
    'where',
    ({ hostDrops }) => hostDrops,
  ),
];
