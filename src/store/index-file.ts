import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { FILE_MODE } from './file-system.ts';
import { defectOf, type IndexDefect, isWhole, makeTables } from './index-schema.ts';
import { loadSqlite } from './sqlite.ts';

/** Name of the index in the folder whose captures it lists. */
export const INDEX_NAME = '.index.sqlite';

/** A call waits so long for another process that writes. */
const BUSY_MS = 5000;

/** SQLite's primary result codes, from `sqlite3.h`. */
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/**
 * Opens the file of an index, and makes it with its tables where there is none.
 *
 * @param check whether every page is looked at
 * @returns what is wrong with the file that is there, if it cannot be used
 */
export function openIndexFile(directory: string, check: boolean): DatabaseSync | IndexDefect {
  const { DatabaseSync } = loadSqlite();
  const path = join(directory, INDEX_NAME);
  // SQLite would make it readable for all
  closeSync(openSync(path, 'a', FILE_MODE));
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: BUSY_MS });
    const defect = defectOf(database) ?? (check && !isWhole(database) ? 'damaged' : undefined);
    if (defect !== undefined) {
      database.close();
      return defect;
    }
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON');
    makeTables(database);
    return database;
  } catch (error) {
    if (database?.isOpen === true) database.close();
    if (isDamage(error)) return 'damaged';
    throw error;
  }
}

/** Whether an error is one of SQLite's. */
export function isDatabaseError(error: unknown): error is Error & { readonly errcode: unknown } {
  return error instanceof Error && 'errcode' in error;
}

/** Whether an error of SQLite's says that the file is no database, or not whole. */
function isDamage(error: unknown): boolean {
  if (!isDatabaseError(error)) return false;
  const code = Number(error.errcode) & 0xff;
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}
