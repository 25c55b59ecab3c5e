import type { SQLOutputValue } from 'node:sqlite';
import type { IndexedFile, IndexedLane, TimeSpan } from './indexed-file.ts';

/** A row as SQLite gives it. */
type Row = Record<string, SQLOutputValue>;

/** A row of `file`. */
export function asFile(row: Row): IndexedFile {
  return {
    path: String(row['path']),
    sink: String(row['sink']),
    worker: Number(row['worker']),
    format: row['format'] as IndexedFile['format'],
    compression: row['compression'] as IndexedFile['compression'],
    state: row['state'] as IndexedFile['state'],
    origin: row['origin'] as IndexedFile['origin'],
    owner: String(row['owner']),
    packets: Number(row['packets']),
    dropped: row['dropped'] === null ? undefined : Number(row['dropped']),
    bytes: Number(row['bytes']),
    captureBytes: Number(row['capture_bytes']),
    sha256: row['sha256'] === null ? undefined : String(row['sha256']),
    ...asSpan(row),
  };
}

/** A row of `file_lane`. */
export function asLane(row: Row): IndexedLane {
  return {
    name: String(row['lane']),
    packets: Number(row['packets']),
    dropped: row['dropped'] === null ? undefined : Number(row['dropped']),
    ...asSpan(row),
  };
}

function asSpan(row: Row): TimeSpan {
  return {
    firstSeconds: Number(row['first_s']),
    firstNanoseconds: Number(row['first_ns']),
    lastSeconds: Number(row['last_s']),
    lastNanoseconds: Number(row['last_ns']),
  };
}
