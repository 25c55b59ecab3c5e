import type { LaneReport } from '../report.ts';
import { timestampSeconds } from '../timestamp.ts';
import { metricGroup, type MetricGroup, type Row } from './exposition.ts';
import type { ExpectedVni, MetricsSnapshot } from './snapshot.ts';

const ofLane: readonly Row<LaneReport>[] = [
  ['lane_bytes_total', 'Inner bytes that arrived.', (lane) => lane.bytes],
  ['lane_wire_bytes_total', 'Inner bytes before anything cut them.', (lane) => lane.wireBytes],
  ['lane_truncated_packets_total', 'Packets that promise more bytes than arrived.', (lane) => lane.truncated],
  ['lane_snapped_packets_total', 'Packets whose outer datagram is incomplete.', (lane) => lane.snapped],
  ['lane_reordered_packets_total', 'Packets that the resequencer moved.', (lane) => lane.reordered],
  [
    'lane_last_packet_timestamp_seconds',
    'Arrival of the latest packet.',
    (lane) => timestampSeconds(lane.last),
  ],
];

interface VerdictCount {
  readonly lane: string;
  readonly layer: 'ip' | 'transport';
  readonly verdict: string;
  readonly packets: number;
}

function* verdictCounts({ report }: MetricsSnapshot): Generator<VerdictCount> {
  for (const { name: lane, checksum } of report.lanes) {
    for (const layer of ['ip', 'transport'] as const) {
      for (const [verdict, packets] of Object.entries(checksum[layer]))
        yield { lane, layer, verdict, packets };
    }
  }
}

const ofExpectedVni: readonly Row<ExpectedVni>[] = [
  [
    'lane_silent',
    '1 once an expected VNI has been silent for silentSeconds.',
    ({ silent }) => Number(silent),
  ],
];

/** Metrics of each lane; those of what analysis finds in it are in analysis-metrics.ts. */
export const laneGroups: readonly MetricGroup[] = [
  metricGroup(
    ({ report }) => report.lanes,
    {
      lane: ({ name }) => name,
      encapsulation: ({ encapsulation }) => encapsulation,
      vni: ({ vni }) => vni ?? '',
    },
    [['lane_packets_total', 'Inner packets of a lane.', ({ packets }) => packets]],
  ),
  metricGroup(({ report }) => report.lanes, { lane: ({ name }) => name }, ofLane),
  metricGroup(
    verdictCounts,
    { lane: ({ lane }) => lane, layer: ({ layer }) => layer, verdict: ({ verdict }) => verdict },
    [['lane_checksum_packets_total', 'Inner packets by checksum verdict.', ({ packets }) => packets]],
  ),
  metricGroup(({ expected }) => expected, { vni: ({ vni }) => vni }, ofExpectedVni),
];
