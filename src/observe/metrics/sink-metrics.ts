import { mergeSinkStates, type SinkState } from '../health.ts';
import type { SinkReport } from '../report.ts';
import { metricGroup, type MetricGroup, type Row } from './exposition.ts';
import { sinkKindGroups } from './sink-kind-metrics.ts';
import type { MetricsSnapshot } from './snapshot.ts';

const ofSinkState: readonly Row<SinkState>[] = [
  ['sink_up', '1 while a sink accepts packets.', ({ failingSinceMs }) => Number(failingSinceMs === 0)],
];

const ofSink: readonly Row<SinkReport>[] = [
  ['sink_delivered_packets_total', 'Packets handed to a sink.', (sink) => sink.delivered],
  ['sink_written_packets_total', 'Packets that a sink has written.', (sink) => sink.written],
  ['sink_filtered_packets_total', 'Packets that the selection of a sink left out.', (sink) => sink.filtered],
  ['sink_pending_packets', 'Packets of a sink that are not settled.', (sink) => sink.pending],
  ['sink_pending_bytes', 'Bytes of the packets that are not settled.', (sink) => sink.pendingBytes],
];

interface SinkDrop {
  readonly sink: string;
  readonly reason: string;
  readonly packets: number;
}

/** Every reason that a sink may drop packets for, also those that never occurred. */
function* sinkDrops({ report, dropReasons }: MetricsSnapshot): Generator<SinkDrop> {
  for (const { name: sink, dropped } of report.sinks) {
    const reasons = new Set([...(dropReasons.get(sink) ?? []), ...Object.keys(dropped)]);
    for (const reason of reasons) yield { sink, reason, packets: dropped[reason] ?? 0 };
  }
}

/** Metrics of each sink, then those that only one kind of sink has. */
export const sinkGroups: readonly MetricGroup[] = [
  metricGroup(({ sinks }) => mergeSinkStates(sinks), { sink: ({ name }) => name }, ofSinkState),
  metricGroup(({ report }) => report.sinks, { sink: ({ name }) => name }, ofSink),
  metricGroup(sinkDrops, { sink: ({ sink }) => sink, reason: ({ reason }) => reason }, [
    ['sink_dropped_packets_total', 'Packets that a sink lost.', ({ packets }) => packets],
  ]),
  ...sinkKindGroups,
];
