import { metricGroup, type MetricGroup, type Row } from './exposition.ts';
import type { DeletedFiles, MetricsSnapshot, StoreState } from './snapshot.ts';

const ofStore: readonly Row<StoreState>[] = [
  ['store_files', 'Finished files, of captures or flow records, that are kept.', ({ files }) => files],
  ['store_bytes', 'Bytes of those files, as they are stored.', ({ bytes }) => bytes],
  [
    'store_waiting_files',
    'Finished captures that the index does not list yet; of flow records, files that are not compressed yet.',
    (store) => store.waitingFiles,
  ],
  [
    'store_overlooked_files_total',
    'Finished captures that the index missed, and takes in a minute later.',
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

interface StoreDeletion extends DeletedFiles {
  readonly sink: string;
}

const ofDeletion: readonly Row<StoreDeletion>[] = [
  ['store_deleted_files_total', 'Old files that were deleted.', ({ files }) => files],
  ['store_deleted_bytes_total', 'Bytes of deleted files.', ({ bytes }) => bytes],
];

function* storeDeletions({ stores }: MetricsSnapshot): Generator<StoreDeletion> {
  for (const { sink, deleted } of stores) for (const files of deleted) yield { sink, ...files };
}

/** Metrics of what is kept of the files of each sink. */
export const storeGroups: readonly MetricGroup[] = [
  metricGroup(({ stores }) => stores, { sink: ({ sink }) => sink }, ofStore),
  metricGroup(storeDeletions, { sink: ({ sink }) => sink, reason: ({ reason }) => reason }, ofDeletion),
];
