import type { DatabaseSync } from 'node:sqlite';

/** `PRAGMA user_version`: grows with every change that an earlier version could not read. */
export const SCHEMA_VERSION = 1;
/** `PRAGMA application_id`, "mtap": says that the file is an index of ours. */
const APPLICATION_ID = 0x6d74_6170;

/**
 * The tables, as docs/capture-store.md tells them. Times are seconds since the epoch and nanoseconds within the second, of
 * packets. `total` has one row, kept by triggers: to add up a million files takes too long to do it each second.
 */
const TABLES = `
CREATE TABLE file (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  sink TEXT NOT NULL,
  worker INTEGER NOT NULL,
  format TEXT NOT NULL,
  compression TEXT NOT NULL,
  state TEXT NOT NULL,
  origin TEXT NOT NULL,
  owner TEXT NOT NULL,
  first_s INTEGER NOT NULL,
  first_ns INTEGER NOT NULL,
  last_s INTEGER NOT NULL,
  last_ns INTEGER NOT NULL,
  packets INTEGER NOT NULL,
  dropped INTEGER,
  bytes INTEGER NOT NULL,
  capture_bytes INTEGER NOT NULL,
  sha256 TEXT
) STRICT;
CREATE INDEX file_by_age ON file (last_s, last_ns, path);
CREATE INDEX file_unkept ON file (id) WHERE state = 'finished';
CREATE TABLE file_lane (
  lane TEXT NOT NULL,
  first_s INTEGER NOT NULL,
  first_ns INTEGER NOT NULL,
  file INTEGER NOT NULL REFERENCES file (id) ON DELETE CASCADE,
  last_s INTEGER NOT NULL,
  last_ns INTEGER NOT NULL,
  packets INTEGER NOT NULL,
  dropped INTEGER,
  PRIMARY KEY (lane, first_s, first_ns, file)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_lane_by_file ON file_lane (file);
CREATE TABLE total (files INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
INSERT INTO total VALUES (0, 0);
CREATE TRIGGER file_added AFTER INSERT ON file BEGIN
  UPDATE total SET files = files + 1, bytes = bytes + new.bytes;
END;
CREATE TRIGGER file_removed AFTER DELETE ON file BEGIN
  UPDATE total SET files = files - 1, bytes = bytes - old.bytes;
END;
CREATE TRIGGER file_changed AFTER UPDATE OF bytes ON file BEGIN
  UPDATE total SET bytes = bytes - old.bytes + new.bytes;
END;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** What is wrong with an index: why it is set aside. */
export type IndexDefect = 'damaged' | 'foreign' | 'later version';

/** What is wrong with a database that is neither ours nor empty. Changes nothing in it. */
export function defectOf(database: DatabaseSync): IndexDefect | undefined {
  const version = pragma(database, 'user_version');
  const application = pragma(database, 'application_id');
  if (application === APPLICATION_ID) {
    if (version === SCHEMA_VERSION) return undefined;
    return version > SCHEMA_VERSION ? 'later version' : 'damaged';
  }
  const things = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count'];
  return application !== 0 || version !== 0 || things !== 0 ? 'foreign' : undefined;
}

/** Makes the tables where the database is empty. */
export function makeTables(database: DatabaseSync): void {
  if (pragma(database, 'application_id') === APPLICATION_ID) return;
  // two processes may get here at the same moment
  database.exec('BEGIN IMMEDIATE');
  try {
    if (pragma(database, 'application_id') === 0) database.exec(TABLES);
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

/** Looks at every page: whether the file is whole. */
export function isWhole(database: DatabaseSync): boolean {
  return database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] === 'ok';
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
