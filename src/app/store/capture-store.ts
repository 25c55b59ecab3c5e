import type { Log } from '../../observe/log.ts';
import type { StoreState } from '../../observe/metrics/snapshot.ts';
import type { FinishedFile } from '../../pipeline/finished-file.ts';
import type { FlowFileNews } from '../../pipeline/flow-sink.ts';
import type { FileCompression } from '../../store/live-names.ts';
import { thisProcess } from '../../store/owner.ts';
import type { KeepLimits } from '../../store/retention.ts';
import { FlowFolderStore } from './flow-folder-store.ts';
import { FolderStore } from './folder-store.ts';
import { StorePool } from './store-pool.ts';

/** A sink whose files are kept. */
export interface StoreSink extends KeepLimits {
  readonly name: string;
  /** No two sinks have the same. */
  readonly directory: string;
  readonly compress: FileCompression;
}

/** A sink of flow records: its workers delete what is too old or too much themselves. */
export interface FlowStoreSink {
  readonly name: string;
  /** No other sink has the same. */
  readonly directory: string;
  readonly compress: FileCompression;
}

export interface CaptureStoreOptions {
  readonly sinks: readonly StoreSink[];
  readonly flowSinks?: readonly FlowStoreSink[];
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told of each file that has another name now. */
  readonly onRenamed: (from: string, to: string, lanes: readonly string[]) => void;
}

/**
 * What becomes of finished captures, and of those that a crash left: they are listed in an index, compressed, hashed, and
 * deleted when their time has come. Finished files of flow records are compressed. The work is done by a pool of threads;
 * workers that receive do none of it.
 */
export class CaptureStore {
  readonly #pool: StorePool | undefined;
  readonly #folders = new Map<string, FolderStore>();
  readonly #flowFolders = new Map<string, FlowFolderStore>();

  constructor({ sinks, flowSinks = [], log, now, onRenamed }: CaptureStoreOptions) {
    if (sinks.length + flowSinks.length === 0) return;
    this.#pool = new StorePool(sinks.length + flowSinks.length);
    const self = thisProcess();
    for (const { name, directory, compress, ...limits } of sinks) {
      const folder = { directory, sink: name, compress, limits, self };
      this.#folders.set(name, new FolderStore({ folder, pool: this.#pool, log, now, onRenamed }));
    }
    for (const { name: sink, ...flowFolder } of flowSinks) {
      const folder = { ...flowFolder, self };
      this.#flowFolders.set(sink, new FlowFolderStore({ sink, folder, pool: this.#pool, log, now }));
    }
  }

  /** To be called before workers write: finishes what a crash left. Rejects with `OUTPUT_UNWRITABLE`. */
  async open(): Promise<void> {
    await Promise.all(
      [...this.#folders.values(), ...this.#flowFolders.values()].map((folder) => folder.open()),
    );
  }

  /** Takes note of a file that a sink of a worker has finished. */
  finished(sink: string, worker: number, file: FinishedFile): void {
    this.#folders.get(sink)?.finished(worker, file);
  }

  /** Takes note of what became of a file of flow records. */
  flowFile(sink: string, news: FlowFileNews): void {
    this.#flowFolders.get(sink)?.take(news);
  }

  /** Has what a worker left unfinished when it died finished, a little later. */
  workerDied(worker: number): void {
    for (const folder of this.#folders.values()) folder.workerDied(worker);
  }

  /** Resolves when as much was deleted as the limits of the sink ask for, or can be. */
  async makeRoom(sink: string): Promise<void> {
    await this.#folders.get(sink)?.makeRoom();
  }

  snapshot(): StoreState[] {
    return [...this.#folders.values(), ...this.#flowFolders.values()].map((folder) => folder.state());
  }

  /** To be called once workers have ended: does what waits, for a few seconds; the rest is done after the next start. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#folders.values(), ...this.#flowFolders.values()].map((folder) => folder.close()),
    );
    await this.#pool?.end();
  }
}
