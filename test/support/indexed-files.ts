import { CaptureIndex } from '../../src/store/capture-index.ts';
import type { IndexedLane, NewFile } from '../../src/store/indexed-file.ts';
import { spanOf } from '../../src/store/indexed-file.ts';

/** What a test says of one file in an index; the rest is filled in. */
export type TestFile = Partial<NewFile> & { readonly path: string };

export function lane(name: string, firstSeconds: number, lastSeconds: number, packets = 1): IndexedLane {
  return { name, packets, dropped: 0, firstSeconds, firstNanoseconds: 0, lastSeconds, lastNanoseconds: 0 };
}

export function indexedFile(file: TestFile): NewFile {
  const lanes = file.lanes ?? [lane(file.path.split('/')[0] ?? '', 100, 200)];
  return {
    sink: 'captures',
    worker: 0,
    format: 'pcapng',
    compression: 'none',
    state: 'kept',
    origin: 'sink',
    owner: '.owner-1-1',
    packets: lanes.reduce((sum, { packets }) => sum + packets, 0),
    dropped: 0,
    bytes: 1000,
    captureBytes: 1000,
    sha256: 'ab'.repeat(32),
    ...spanOf(lanes),
    ...file,
    lanes,
  };
}

/** The index of a folder, which must be one that can be used. */
export function openIndex(directory: string): CaptureIndex {
  const index = CaptureIndex.open(directory);
  if (!(index instanceof CaptureIndex)) throw new Error(index);
  return index;
}
