import { collectDefaultMetrics, Registry } from 'prom-client';
import { analysisGroups } from './analysis-metrics.ts';
import { metricGroup, type MetricGroup, type Row } from './exposition.ts';
import { mergeSinkStates, type SinkState } from './health.ts';
import {
  dropCounts,
  faultCounts,
  filterCounts,
  sinkDrops,
  type StoreDeletion,
  storeDeletions,
  verdictCounts,
} from './metric-things.ts';
import type { ExpectedVni, MetricsSnapshot, MetricsSource } from './metrics-snapshot.ts';
import type { ReceiveBuffer, StoreState, SymmetryState, WorkerState } from './metrics-snapshot.ts';
import type { LaneReport, SinkReport } from './report.ts';
import { sinkKindGroups } from './sink-metrics.ts';
import { timestampSeconds } from './timestamp.ts';

// A new metric is one line in the list of the labels it has; those of flows, order and the like are in
// analysis-metrics.ts. docs/metrics.md is printed from these lists.

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
  ['ready', '1 while /readyz says 200.', ({ ready }) => Number(ready)],
];

const ofFault: readonly Row<ReturnType<typeof faultCounts>[number]>[] = [
  ['faults_total', 'Packets refused, by the names of docs/faults.md.', ({ packets }) => packets],
  ['fault_bytes_total', 'UDP payload bytes refused.', ({ bytes }) => bytes],
];

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

const ofSink: readonly Row<SinkReport>[] = [
  ['sink_delivered_packets_total', 'Packets handed to a sink.', (sink) => sink.delivered],
  ['sink_written_packets_total', 'Packets that a sink has written.', (sink) => sink.written],
  ['sink_filtered_packets_total', 'Packets that the selection of a sink left out.', (sink) => sink.filtered],
  ['sink_pending_packets', 'Packets of a sink that are not settled.', (sink) => sink.pending],
  ['sink_pending_bytes', 'Bytes of the packets that are not settled.', (sink) => sink.pendingBytes],
];

const ofStore: readonly Row<StoreState>[] = [
  ['store_files', 'Finished capture files that are kept.', ({ files }) => files],
  ['store_bytes', 'Bytes of those files, as they are stored.', ({ bytes }) => bytes],
  ['store_waiting_files', 'Finished files that the index does not list yet.', (store) => store.waitingFiles],
  [
    'store_overlooked_files_total',
    'Finished files that the index missed, and takes in a minute later.',
    (store) => store.overlookedFiles,
  ],
  ['store_compressed_files_total', 'Files that were compressed.', (store) => store.compressedFiles],
  [
    'store_compressed_input_bytes_total',
    'Bytes of compressed files before.',
    (store) => store.compressedInputBytes,
  ],
  [
    'store_compressed_output_bytes_total',
    'Bytes of compressed files after.',
    (store) => store.compressedOutputBytes,
  ],
  ['store_recovered_files_total', 'Files of a crash that were finished.', (store) => store.recoveredFiles],
];

const ofDeletion: readonly Row<StoreDeletion>[] = [
  ['store_deleted_files_total', 'Old files that were deleted.', ({ files }) => files],
  ['store_deleted_bytes_total', 'Bytes of deleted files.', ({ bytes }) => bytes],
];

const ofSinkState: readonly Row<SinkState>[] = [
  ['sink_up', '1 while a sink accepts packets.', ({ failingSinceMs }) => Number(failingSinceMs === 0)],
];

const ofExpectedVni: readonly Row<ExpectedVni>[] = [
  [
    'lane_silent',
    '1 once an expected VNI has been silent for silentSeconds.',
    ({ silent }) => Number(silent),
  ],
];

const ofWorker: readonly Row<WorkerState>[] = [
  ['worker_up', '1 while a worker receives.', ({ up }) => Number(up)],
  ['worker_restarts_total', 'Times a worker died and was started again.', ({ restarts }) => restarts],
];

const ofSocket: readonly Row<ReceiveBuffer>[] = [
  ['receive_buffer_bytes', 'Receive buffer that the kernel granted a socket.', ({ bytes }) => bytes],
];

const ofHost: readonly Row<readonly [where: string, packets: number]>[] = [
  [
    'host_dropped_packets_total',
    'Packets of any kind that the host lost before any socket, since the start.',
    ([, packets]) => packets,
  ],
];

const ofSymmetry: readonly Row<SymmetryState>[] = [
  [
    'symmetry_sampled_connections',
    "Inner connections in the last minute's sample.",
    ({ sampled }) => sampled,
  ],
  [
    'symmetry_split_connections',
    'Of these, those of which several workers have packets.',
    ({ split }) => split,
  ],
  ['symmetry_sampled_tcp_connections', 'TCP connections in the same sample.', ({ tcp }) => tcp],
  [
    'symmetry_one_sided_tcp_connections',
    'Of these, those with one direction only.',
    ({ oneSided }) => oneSided,
  ],
];

const ofVersion: readonly Row<string>[] = [
  ['build_info', 'Always 1; the label says which version runs.', () => 1],
];

/** A metric that says how many packets each of the things stands for. */
function packetsOf(name: string, help: string): Row<{ readonly packets: number }>[] {
  return [[name, help, ({ packets }) => packets]];
}

const groups: readonly MetricGroup[] = [
  metricGroup((snapshot) => [snapshot], {}, once),
  metricGroup(
    filterCounts,
    { reason: ({ by }) => by },
    packetsOf('filtered_packets_total', 'Packets that admission refused.'),
  ),
  metricGroup(faultCounts, { reason: ({ by }) => by }, ofFault),
  metricGroup(
    dropCounts,
    { where: ({ by }) => by },
    packetsOf('dropped_packets_total', 'Packets lost before the sinks.'),
  ),
  metricGroup(({ hostDrops }) => [...hostDrops], { where: ([where]) => where }, ofHost),
  metricGroup(
    ({ report }) => report.lanes,
    {
      lane: ({ name }) => name,
      encapsulation: ({ encapsulation }) => encapsulation,
      vni: ({ vni }) => vni ?? '',
    },
    packetsOf('lane_packets_total', 'Inner packets of a lane.'),
  ),
  metricGroup(({ report }) => report.lanes, { lane: ({ name }) => name }, ofLane),
  metricGroup(
    verdictCounts,
    { lane: ({ lane }) => lane, layer: ({ layer }) => layer, verdict: ({ verdict }) => verdict },
    packetsOf('lane_checksum_packets_total', 'Inner packets by checksum verdict.'),
  ),
  ...analysisGroups,
  metricGroup(({ expected }) => expected, { vni: ({ vni }) => vni }, ofExpectedVni),
  metricGroup(({ sinks }) => mergeSinkStates(sinks), { sink: ({ name }) => name }, ofSinkState),
  metricGroup(({ report }) => report.sinks, { sink: ({ name }) => name }, ofSink),
  metricGroup(
    sinkDrops,
    { sink: ({ sink }) => sink, reason: ({ reason }) => reason },
    packetsOf('sink_dropped_packets_total', 'Packets that a sink lost.'),
  ),
  ...sinkKindGroups,
  metricGroup(({ stores }) => stores, { sink: ({ sink }) => sink }, ofStore),
  metricGroup(storeDeletions, { sink: ({ sink }) => sink, reason: ({ reason }) => reason }, ofDeletion),
  metricGroup(({ workers }) => workers, { worker: ({ worker }) => worker }, ofWorker),
  metricGroup(
    ({ receiveBuffers }) => receiveBuffers,
    { worker: ({ worker }) => worker, port: ({ port }) => port },
    ofSocket,
  ),
  metricGroup(({ symmetry }) => (symmetry === undefined ? [] : [symmetry]), {}, ofSymmetry),
  metricGroup(({ version }) => [version], { version: (version) => version }, ofVersion),
];

export interface Metrics {
  /** Everything as Prometheus text. Scrapes at the same time share one answer. */
  render(): Promise<string>;
  readonly contentType: string;
}

const LOOP_DELAY_MS = 500;

/** The metrics of the process and of what `source` counts. */
export function createMetrics(source: MetricsSource): Metrics {
  const registry = new Registry();
  // it looks at the event loop's delay so often: its default is a hundred times a second
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_DELAY_MS });
  removeMisnamed(registry);

  let running: Promise<string> | undefined;
  const render = async (): Promise<string> => renderGroups(source.snapshot()) + (await registry.metrics());
  const shared = (): Promise<string> => {
    running ??= render().finally(() => {
      running = undefined;
    });
    return running;
  };
  return { contentType: registry.contentType, render: shared };
}

function renderGroups(snapshot: MetricsSnapshot): string {
  return groups.map(({ render }) => render(snapshot)).join('');
}

/** Gauges that the library calls `…_total`, the ending that is kept for counters; they say the same by type. */
function removeMisnamed(registry: Registry): void {
  for (const { name } of registry.getMetricsAsArray()) {
    if (name.startsWith('nodejs_active_') && name.endsWith('_total')) registry.removeSingleMetric(name);
  }
}

/** What the values of a label are. */
const labelMeanings: Readonly<Record<string, string>> = {
  reason:
    'of `filtered_packets_total`: `source`, `mirror_source`, `vni`; of faults: a name of docs/faults.md; of a sink: a drop reason of its kind; of flows: `idle`, `fin`, `rst`, `evicted`, `end`; of deleted files: `age`, `bytes`, `space`',
  where:
    'of `dropped_packets_total`: `kernel`, `worker`; of the host: `ena_bw_in`, `ena_pps`, `ena_conntrack`, `nic`, `softnet`, see operations.md; what cannot be read is left out',
  lane: 'name of the lane; at most `admission.maxLanes` and `overflow`',
  encapsulation: '`vxlan`, `geneve`, `geneve+vxlan`; `none` for `overflow`',
  vni: 'number; empty for `overflow`',
  layer: '`ip`, `transport`',
  verdict: '`valid`, `bad`, `unverifiable`; of `transport` also `partial`, `zero`',
  kind: 'of fragments: `matched`, `unmatched`, `overlapping`, `tiny`',
  up_to:
    '`1`, `2`, `4`, … `64`, `+Inf`: more than the value before and at most so many packets; each packet is counted once, unlike in a histogram',
  action:
    '`pad`, `shorten`, `pass`: settings of a sink of kind inject; what was dropped is in `sink_dropped_packets_total`',
  sink: 'name of the sink in the settings; of one that takes flow records, packets are records',
  worker: 'number of the worker, from 0',
  port: 'UDP port',
  version: 'of mirrortap',
};

/** What `config metrics` prints and docs/metrics.md holds: every metric as a Markdown table. */
export function metricsReference(): string {
  const rows = groups
    .flatMap(({ metrics }) => metrics)
    .map(({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.join(', ')} | ${help} |`);
  return [
    '# Metrics',
    '',
    '`GET /metrics` answers in the text format of Prometheus. Besides the metrics below it has those of the process',
    'and of Node.js, `process_…` and `nodejs_…`. Bytes are UDP payload bytes where nothing else is said.',
    '',
    '| metric | type | labels | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    '| label | values |',
    '| --- | --- |',
    ...Object.entries(labelMeanings).map(([label, meaning]) => `| \`${label}\` | ${meaning} |`),
    '',
  ].join('\n');
}
