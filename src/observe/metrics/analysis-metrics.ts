import type {
  DuplicateCounts,
  FlowCounts,
  FragmentCounts,
  NestedCounts,
  OrderCounts,
} from '../analysis-report.ts';
import { counted, type Count, metricGroup, type MetricGroup, type Row } from './exposition.ts';
import type { MetricsSnapshot } from './snapshot.ts';
import type { LaneReport } from '../report.ts';

const ofFlows: readonly Row<FlowCounts>[] = [
  ['flows_opened_total', 'Flows that began.', ({ opened }) => opened],
  ['flows_active', 'Flows that are open.', ({ active }) => active],
  ['flow_records_total', 'Flow records that were made.', ({ records }) => records],
  [
    'flowless_packets_total',
    'Packets of no flow: not IP, or cut before the addresses.',
    (flows) => flows.withoutFlow,
  ],
  ['flow_names_dropped_total', 'Names that were seen and found no place.', (flows) => flows.namesDropped],
  ['flow_name_bytes', 'Bytes of the name memory that are in use.', ({ nameBytes }) => nameBytes],
  [
    'flow_gaps_forgotten_total',
    'TCP gaps that found no place: their bytes are not counted as unseen.',
    (flows) => flows.gapsForgotten,
  ],
];

const ofFragments: readonly Row<FragmentCounts>[] = [
  ['fragment_packets_total', 'Inner fragments.', ({ packets }) => packets],
  [
    'fragments_forgotten_packets_total',
    'Fragmented packets that were forgotten before their time.',
    ({ forgotten }) => forgotten,
  ],
];

const ofNested: readonly Row<NestedCounts>[] = [
  ['nested_packets_total', 'Packets with a tunnel inside that was followed.', ({ packets }) => packets],
  [
    'nested_too_deep_packets_total',
    'Packets with more tunnels inside than are followed.',
    ({ tooDeep }) => tooDeep,
  ],
];

const ofDuplicates: readonly Row<DuplicateCounts>[] = [
  ['duplicates_found_packets_total', 'Copies of packets that were seen before.', ({ found }) => found],
  [
    'duplicates_forgotten_packets_total',
    'Packets that were forgotten within the window: copies of them are not found.',
    ({ forgotten }) => forgotten,
  ],
];

const ofOrder: readonly Row<OrderCounts>[] = [
  ['resequencer_late_packets_total', 'Packets that came after their place was past.', ({ late }) => late],
  ['resequencer_gaps_total', 'Places in a sequence that were given up.', ({ gaps }) => gaps],
  [
    'resequencer_released_early_packets_total',
    'Packets that left before their time because something was full.',
    ({ releasedEarly }) => releasedEarly,
  ],
  [
    'resequencer_evicted_streams_total',
    'TCP streams that were forgotten because the table was full.',
    ({ streamsEvicted }) => streamsEvicted,
  ],
  ['resequencer_held_packets', 'Packets that are held.', ({ heldPackets }) => heldPackets],
  ['resequencer_held_bytes', 'Frame bytes of the packets that are held.', ({ heldBytes }) => heldBytes],
];

const ofLane: readonly Row<LaneReport>[] = [
  ['lane_late_packets_total', 'Packets that left the resequencer after a later one.', ({ late }) => late],
  ['lane_sequence_gaps_total', 'Places in a sequence that were given up.', ({ gaps }) => gaps],
  [
    'lane_duplicate_packets_total',
    'Copies that another mirror source or VNI had delivered before.',
    ({ duplicates }) => duplicates,
  ],
  ['lane_tcp_flows_total', 'TCP flows that ended.', ({ upstream }) => upstream.tcpFlows],
  [
    'lane_one_sided_tcp_flows_total',
    'Of these, those with packets of one direction only.',
    ({ upstream }) => upstream.oneSidedFlows,
  ],
  [
    'lane_acknowledged_bytes_total',
    'TCP payload bytes that the other side acknowledged, where data before and after came.',
    ({ upstream }) => upstream.ackedBytes,
  ],
  [
    'lane_unseen_bytes_total',
    'Of these, those that never came: lost on the way here.',
    ({ upstream }) => upstream.unseenBytes,
  ],
];

function endedFlows({ report }: MetricsSnapshot): Count[] {
  return Object.entries(report.flows.ended);
}

function fragmentFindings({ report: { fragments } }: MetricsSnapshot): Count[] {
  const { matched, unmatched, overlapping, tiny } = fragments;
  return Object.entries({ matched, unmatched, overlapping, tiny });
}

/** Not a histogram of Prometheus, which needs the sum of what it counts. */
function displacements({ report }: MetricsSnapshot): Count[] {
  return report.order.displacement.map(({ upTo, packets }) => [upTo === null ? '+Inf' : `${upTo}`, packets]);
}

/** Metrics of what analysis counts. */
export const analysisGroups: readonly MetricGroup[] = [
  metricGroup(({ report }) => [report.flows], {}, ofFlows),
  counted('flows_ended_total', 'Flows that ended.', 'reason', endedFlows),
  metricGroup(({ report }) => [report.fragments], {}, ofFragments),
  counted(
    'fragment_findings_total',
    'What was found about fragments; one may count more than once.',
    'kind',
    fragmentFindings,
  ),
  metricGroup(({ report }) => [report.nested], {}, ofNested),
  metricGroup(({ report }) => [report.duplicates], {}, ofDuplicates),
  counted(
    'resequencer_reordered_packets_total',
    'Packets that left at another place, by how many of their stream had come too early.',
    'up_to',
    displacements,
  ),
  metricGroup(({ report }) => [report.order], {}, ofOrder),
  metricGroup(({ report }) => report.lanes, { lane: ({ name }) => name }, ofLane),
];
