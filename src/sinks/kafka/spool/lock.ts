import type { DatabaseSync } from 'node:sqlite';
import { closeSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MirrorError } from '../../../observe/error.ts';
import { loadSqlite } from '../../../store/sqlite.ts';
import { errnoOf, FILE_MODE } from '../../files/disk.ts';

const LOCK_NAME = 'lock';
const OWNER_NAME = 'owner';
const SQLITE_BUSY = 5;
const SQLITE_NOTADB = 26;

/**
 * A folder that one spool has for itself. The lock is the kernel's on a file that SQLite holds open: it ends with the process or
 * the worker thread however that ends, is seen from other containers too, and keeps two threads of one process apart.
 */
export class SpoolLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Throws `SPOOL_UNUSABLE` where another spool has the folder, and the system's error where it cannot be locked. */
  static take(directory: string): SpoolLock {
    const path = join(directory, LOCK_NAME);
    makeFile(path);
    let lock: SpoolLock;
    try {
      lock = SpoolLock.#begin(path);
    } catch (error) {
      if (!isSqlite(error, SQLITE_BUSY)) throw error;
      const owner = ownerOf(directory);
      throw new MirrorError(
        'SPOOL_UNUSABLE',
        `The spool ${directory} is used by ${owner === undefined ? 'another process' : `process ${owner}`}.`,
        { directory, ...(owner === undefined ? {} : { process: owner }) },
        { cause: error },
      );
    }
    try {
      writeFileSync(join(directory, OWNER_NAME), `${process.pid}\n`, { mode: FILE_MODE });
    } catch {
      // on a full disk: it only tells others who we are
    }
    return lock;
  }

  static #begin(path: string): SpoolLock {
    const { DatabaseSync } = loadSqlite();
    const database = new DatabaseSync(path);
    try {
      // no journal: nothing is ever written
      database.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
      return new SpoolLock(database);
    } catch (error) {
      database.close();
      if (!isSqlite(error, SQLITE_NOTADB)) throw error;
    }
    // a disk has put something into it: as nobody could have locked it, nobody has
    truncateSync(path);
    return SpoolLock.#begin(path);
  }

  release(): void {
    this.#database.close();
  }
}

/** SQLite would make it readable for all. Closing it again, if it were there, would give up the lock of another thread. */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', FILE_MODE));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

function isSqlite(error: unknown, code: number): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === code;
}

function ownerOf(directory: string): number | undefined {
  try {
    const owner = Number(readFileSync(join(directory, OWNER_NAME), 'utf8'));
    return Number.isSafeInteger(owner) && owner > 0 ? owner : undefined;
  } catch {
    return undefined;
  }
}
