import { readdirSync } from 'node:fs';
import {
  Spool,
  type SpoolEntry,
  type SpoolOptions,
  type SpoolRecovery,
} from '../../src/sinks/kafka/spool/spool.ts';
import type { SpoolDisk } from '../../src/sinks/kafka/spool/spool-disk.ts';

/** Settings of a spool for tests. */
function spoolOptions(directory: string, changes: Partial<SpoolOptions> = {}): SpoolOptions {
  return {
    directory,
    maxBytes: 1 << 30,
    maxSeconds: 0,
    segmentBytes: 1 << 20,
    fsync: 'never',
    fsyncMs: 1000,
    now: () => 1_000_000,
    ...changes,
  };
}

export async function openSpool(
  directory: string,
  changes: Partial<SpoolOptions> = {},
  disk?: SpoolDisk,
): Promise<{ spool: Spool; recovered: SpoolRecovery }> {
  return Spool.open(spoolOptions(directory, changes), disk);
}

/** A block that says its number, and is as long as asked for: at least eight bytes. It holds one record. */
export function numberedBlock(number: number, bytes = 8): { bytes: Buffer; records: number } {
  const block = Buffer.alloc(bytes, number % 251);
  block.writeDoubleLE(number);
  return { bytes: block, records: 1 };
}

/** The numbers of such blocks; NaN where anything else in one is not as it was. */
export function numbersOf(entries: readonly SpoolEntry[]): number[] {
  return entries.map(({ bytes }) => {
    const number = bytes.readDoubleLE();
    return bytes.equals(numberedBlock(number, bytes.length).bytes) ? number : Number.NaN;
  });
}

/** Reads to the end without acknowledging. */
export async function readAll(spool: Spool, maxBytes = 1 << 20): Promise<SpoolEntry[]> {
  const all: SpoolEntry[] = [];
  for (;;) {
    const entries = await spool.read(maxBytes);
    if (entries.length === 0) return all;
    all.push(...entries);
  }
}

/** Names of the segments in a folder, oldest first. */
export function segmentsIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.spool'))
    .sort();
}

/** Whole numbers from `first` up to `end`, without it. */
export function numbersFrom(first: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
}
