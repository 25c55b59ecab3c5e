import { REPORT_FILES_MAX } from '../observe/report.ts';

/** A capture file that a sink has finished. */
export interface FinishedFile {
  /** The lane's name; `all` for a file that holds every lane. */
  readonly lane: string;
  /** Relative to the output folder. */
  readonly path: string;
}

interface LaneFiles {
  count: number;
  readonly newest: string[];
}

/** The files of each lane: how many in all, and the names of the newest. */
export class FileList {
  readonly #lanes = new Map<string, LaneFiles>();

  add(file: FinishedFile): void {
    let files = this.#lanes.get(file.lane);
    if (files === undefined) this.#lanes.set(file.lane, (files = { count: 0, newest: [] }));
    files.count++;
    files.newest.push(file.path);
    if (files.newest.length > REPORT_FILES_MAX) files.newest.shift();
  }

  of(lane: string): { readonly count: number; readonly newest: readonly string[] } {
    return this.#lanes.get(lane) ?? { count: 0, newest: [] };
  }

  /** Forgets a lane that was closed. */
  forget(lane: string): void {
    this.#lanes.delete(lane);
  }
}
