import { REPORT_FILES_MAX } from '../observe/report.ts';
import type { FinishedFile } from '../pipeline/finished-file.ts';

interface LaneFiles {
  count: number;
  readonly newest: string[];
}

/** The files of each lane: how many in all, and the names of the newest. */
export class FileList {
  readonly #lanes = new Map<string, LaneFiles>();

  add({ path, lanes }: FinishedFile): void {
    for (const { name } of lanes) {
      let files = this.#lanes.get(name);
      if (files === undefined) this.#lanes.set(name, (files = { count: 0, newest: [] }));
      files.count++;
      files.newest.push(path);
      if (files.newest.length > REPORT_FILES_MAX) files.newest.shift();
    }
  }

  /** A file is called otherwise now. */
  rename(from: string, to: string, lanes: readonly string[]): void {
    for (const name of lanes) {
      const newest = this.#lanes.get(name)?.newest;
      const at = newest?.lastIndexOf(from) ?? -1;
      if (newest !== undefined && at >= 0) newest[at] = to;
    }
  }

  of(lane: string): { readonly count: number; readonly newest: readonly string[] } {
    return this.#lanes.get(lane) ?? { count: 0, newest: [] };
  }

  /**
   * Forgets all lanes but these. A lane that was closed may finish its last file long after: asked again and again,
   * this keeps the list as short as the directory of lanes.
   */
  keepOnly(lanes: ReadonlySet<string>): void {
    for (const name of this.#lanes.keys()) if (!lanes.has(name)) this.#lanes.delete(name);
  }
}
