import type { StoreState } from '../../observe/metrics/snapshot.ts';
import type { Kept } from '../../store/keep-waiting.ts';
import type { Retained } from '../../store/retain.ts';
import { deletionReasons } from '../../store/retention.ts';
import type { Totals } from './store-tasks.ts';

/** What is counted of one folder, of captures or of flow files, for the metrics. */
export class FolderCounts {
  /** Finished files that found no place in the queue before the index. */
  overlooked = 0;
  recovered = 0;
  readonly #sink: string;
  #totals: Totals = { files: 0, bytes: 0 };
  #compressed = { files: 0, inputBytes: 0, outputBytes: 0 };
  readonly #deleted = new Map<string, { files: number; bytes: number }>(
    deletionReasons.map((reason) => [reason, { files: 0, bytes: 0 }]),
  );

  constructor(sink: string) {
    this.#sink = sink;
  }

  setTotals(totals: Totals): void {
    this.#totals = totals;
  }

  /** So much came, or went where it is less than 0, since the totals were set. */
  changed(files: number, bytes: number): void {
    this.#totals = { files: this.#totals.files + files, bytes: this.#totals.bytes + bytes };
  }

  kept({ from, to, captureBytes, bytes }: Kept): void {
    if (from !== to) this.compressed(captureBytes, bytes);
  }

  compressed(inputBytes: number, outputBytes: number): void {
    this.#compressed.files++;
    this.#compressed.inputBytes += inputBytes;
    this.#compressed.outputBytes += outputBytes;
  }

  retained({ deleted }: Retained, totals: Totals | undefined): void {
    if (totals !== undefined) this.#totals = totals;
    for (const { reason, bytes } of deleted) this.deleted(reason, bytes);
  }

  deleted(reason: string, bytes: number): void {
    const count = this.#deleted.get(reason);
    if (count === undefined) return;
    count.files++;
    count.bytes += bytes;
  }

  state(): Omit<StoreState, 'waitingFiles'> {
    return {
      sink: this.#sink,
      ...this.#totals,
      overlookedFiles: this.overlooked,
      compressedFiles: this.#compressed.files,
      compressedInputBytes: this.#compressed.inputBytes,
      compressedOutputBytes: this.#compressed.outputBytes,
      recoveredFiles: this.recovered,
      deleted: [...this.#deleted].map(([reason, count]) => ({ reason, ...count })),
    };
  }
}
