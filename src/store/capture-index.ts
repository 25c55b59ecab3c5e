import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { FileCompression } from './live-names.ts';
import { asFile, asLane } from './index-rows.ts';
import { openIndexFile } from './index-file.ts';
import type { IndexDefect } from './index-schema.ts';
import {
  type IndexedFile,
  type IndexedLane,
  mergedByName,
  type NewFile,
  type OldFile,
} from './indexed-file.ts';

const NANOSECONDS_PER_SECOND = 1e9;

/** What is asked of the files of a lane: packets between these times, seconds since the epoch. */
export interface WantedTime {
  readonly fromSeconds?: number;
  readonly toSeconds?: number;
}

/** What of a file changes when it is kept. */
export interface KeptFile {
  readonly path: string;
  readonly compression: FileCompression;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * The finished captures of one folder: an SQLite file in it, which may be read by others at any time. Calls are short and
 * happen on the calling thread; they throw SQLite's errors.
 */
export class CaptureIndex {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /**
   * Opens the index of a folder, and makes it where there is none.
   *
   * @param check whether every page is looked at
   * @returns what is wrong with the file that is there, if it cannot be used
   */
  static open(directory: string, check = false): CaptureIndex | IndexDefect {
    const opened = openIndexFile(directory, check);
    return typeof opened === 'string' ? opened : new CaptureIndex(opened);
  }

  close(): void {
    this.#database.close();
  }

  /** Does several things as one: all of them or, when `work` throws, none. */
  together<Result>(work: () => Result): Result {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Adds a file. One of the same path is replaced: the same file, better known. */
  add(file: NewFile): void {
    this.#run('DELETE FROM file WHERE path = ?', file.path);
    const { lastInsertRowid } = this.#statement(
      `INSERT INTO file (path, sink, worker, format, compression, state, origin, owner, first_s, first_ns, last_s, last_ns,
         packets, dropped, bytes, capture_bytes, sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      file.path,
      file.sink,
      file.worker,
      file.format,
      file.compression,
      file.state,
      file.origin,
      file.owner,
      file.firstSeconds,
      file.firstNanoseconds,
      file.lastSeconds,
      file.lastNanoseconds,
      file.packets,
      file.dropped ?? null,
      file.bytes,
      file.captureBytes,
      file.sha256 ?? null,
    );
    for (const lane of mergedByName(file.lanes)) this.#addLane(lastInsertRowid, lane);
  }

  /** A file has been compressed and hashed: it is called `kept.path` now. False where the index knows it no more. */
  keep(path: string, kept: KeptFile): boolean {
    // what a crash left unsaid: a file of the new name that was found before
    if (kept.path !== path) this.#run('DELETE FROM file WHERE path = ?', kept.path);
    const { changes } = this.#statement(
      `UPDATE file SET path = ?, compression = ?, bytes = ?, sha256 = ?, state = 'kept' WHERE path = ?`,
    ).run(kept.path, kept.compression, kept.bytes, kept.sha256, path);
    return Number(changes) > 0;
  }

  /** A file cannot be read: it is left as it is. */
  giveUp(path: string): void {
    this.#run(`UPDATE file SET state = 'damaged' WHERE path = ?`, path);
  }

  /** Forgets a file. */
  remove(path: string): void {
    this.#run('DELETE FROM file WHERE path = ?', path);
  }

  has(path: string): boolean {
    return this.#statement('SELECT 1 FROM file WHERE path = ?').get(path) !== undefined;
  }

  /** Paths of the files in one folder of a lane, without that folder. */
  namesIn(laneFolder: string): Set<string> {
    const rows = this.#statement('SELECT path FROM file WHERE path >= ? AND path < ?').all(
      `${laneFolder}/`,
      `${laneFolder}0`, // the character after the slash
    );
    return new Set(rows.map((row) => String(row['path']).slice(laneFolder.length + 1)));
  }

  /** Folders of lanes that files are in. */
  laneFolders(): string[] {
    return this.#statement(`SELECT DISTINCT substr(path, 1, instr(path, '/') - 1) AS folder FROM file`)
      .all()
      .map((row) => String(row['folder']));
  }

  /** All files of all workers that hold packets of a lane, by the time of the lane's first packet in them. */
  filesOf(lane: string, { fromSeconds = 0, toSeconds = Infinity }: WantedTime = {}): IndexedFile[] {
    const until = Number.isFinite(toSeconds) ? Math.trunc(toSeconds) : Number.MAX_SAFE_INTEGER;
    const untilNanoseconds = Math.round((toSeconds % 1) * NANOSECONDS_PER_SECOND) || 0;
    const from = Math.trunc(fromSeconds);
    const fromNanoseconds = Math.round((fromSeconds % 1) * NANOSECONDS_PER_SECOND);
    return this.#statement(
      `SELECT file.* FROM file_lane JOIN file ON file.id = file_lane.file
       WHERE lane = ? AND (file_lane.first_s, file_lane.first_ns) <= (?, ?)
         AND (file_lane.last_s, file_lane.last_ns) >= (?, ?)
       ORDER BY file_lane.first_s, file_lane.first_ns, worker, path`,
    )
      .all(lane, until, untilNanoseconds, from, fromNanoseconds)
      .map(asFile);
  }

  /** Names of all lanes that there are files of. */
  lanes(): string[] {
    return this.#statement('SELECT DISTINCT lane FROM file_lane ORDER BY lane')
      .all()
      .map((row) => String(row['lane']));
  }

  /** What a file holds of each lane. */
  lanesIn(path: string): IndexedLane[] {
    return this.#statement(
      `SELECT file_lane.* FROM file_lane JOIN file ON file.id = file_lane.file
       WHERE path = ? ORDER BY file_lane.first_s, file_lane.first_ns, lane`,
    )
      .all(path)
      .map(asLane);
  }

  file(path: string): IndexedFile | undefined {
    const row = this.#statement('SELECT * FROM file WHERE path = ?').get(path);
    return row === undefined ? undefined : asFile(row);
  }

  /** The files that are deleted first: those whose last packet is the longest ago. */
  oldest(limit: number): OldFile[] {
    return this.#statement('SELECT path, bytes, last_s FROM file ORDER BY last_s, last_ns, path LIMIT ?')
      .all(limit)
      .map((row) => ({
        path: String(row['path']),
        bytes: Number(row['bytes']),
        lastSeconds: Number(row['last_s']),
      }));
  }

  /** Files of an owner that wait to be compressed and hashed, in the order they were added. */
  unkept(owner: string, limit: number): IndexedFile[] {
    return this.#statement(`SELECT * FROM file WHERE state = 'finished' AND owner = ? ORDER BY id LIMIT ?`)
      .all(owner, limit)
      .map(asFile);
  }

  /** Makes what processes have left undone that are no more the business of `owner`; returns how many files. */
  takeOver(owner: string, living: readonly string[]): number {
    const others = new Set([owner, ...living]);
    const marks = [...others].map(() => '?').join(', ');
    const { changes } = this.#statement(
      `UPDATE file SET owner = ? WHERE state = 'finished' AND owner NOT IN (${marks})`,
    ).run(owner, ...others);
    return Number(changes);
  }

  /** How many files there are, and their bytes as stored. */
  totals(): { readonly files: number; readonly bytes: number } {
    const row = this.#statement('SELECT files, bytes FROM total').get();
    return { files: Number(row?.['files']), bytes: Number(row?.['bytes']) };
  }

  #addLane(file: number | bigint, lane: IndexedLane): void {
    this.#run(
      `INSERT INTO file_lane (lane, first_s, first_ns, file, last_s, last_ns, packets, dropped)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      lane.name,
      lane.firstSeconds,
      lane.firstNanoseconds,
      file,
      lane.lastSeconds,
      lane.lastNanoseconds,
      lane.packets,
      lane.dropped ?? null,
    );
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).run(...values);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }
}
