import { metricGroup, type MetricGroup, type Row } from './exposition.ts';
import type { ReceiveBuffer, SymmetryState, WorkerState } from './snapshot.ts';

const ofWorker: readonly Row<WorkerState>[] = [
  ['worker_up', '1 while a worker receives.', ({ up }) => Number(up)],
  ['worker_restarts_total', 'Times a worker died and was started again.', ({ restarts }) => restarts],
];

const ofSocket: readonly Row<ReceiveBuffer>[] = [
  ['receive_buffer_bytes', 'Receive buffer that the kernel granted a socket.', ({ bytes }) => bytes],
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

/** Metrics of the workers, of how the kernel spreads connections over them, and of the program. */
export const processGroups: readonly MetricGroup[] = [
  metricGroup(({ workers }) => workers, { worker: ({ worker }) => worker }, ofWorker),
  metricGroup(
    ({ receiveBuffers }) => receiveBuffers,
    { worker: ({ worker }) => worker, port: ({ port }) => port },
    ofSocket,
  ),
  metricGroup(({ symmetry }) => (symmetry === undefined ? [] : [symmetry]), {}, ofSymmetry),
  metricGroup(({ version }) => [version], { version: (version) => version }, ofVersion),
];
