import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../../observe/log.ts';
import type { SinkCounters } from '../../../pipeline/sink-counters.ts';
import type { KafkaSettings } from '../settings.ts';
import { Spool } from '../spool/spool.ts';

/** A segment has at least so many bytes: an entry may be as large as a block of a channel. */
const SEGMENT_MIN_BYTES = 1_048_576;
const SEGMENTS_A_SPOOL = 4;

export interface SpoolPlace {
  readonly settings: KafkaSettings['spool'];
  /** The user's name for the sink. */
  readonly sink: string;
  readonly takes: 'packets' | 'flows';
}

/** The folder of one worker's spool. */
export function spoolFolder({ settings, sink, takes }: SpoolPlace, worker: number): string {
  return join(settings.directory, sink, `w${worker}-${takes}`);
}

/** Folders of workers that there are no more. */
export function leftoverFolders({ settings, sink, takes }: SpoolPlace, workers: number): string[] {
  const parent = join(settings.directory, sink);
  return readdirSync(parent)
    .filter((name) => {
      const [, worker, what] = /^w(\d+)-(packets|flows)$/.exec(name) ?? [];
      return what === takes && Number(worker) >= workers;
    })
    .map((name) => join(parent, name));
}

export interface OpenSpoolOptions {
  readonly place: SpoolPlace;
  readonly folder: string;
  /** Among how many spools `maxBytes` is shared. */
  readonly shares: number;
  readonly counters: SinkCounters;
  /** What is in it was counted by an earlier courier of this run. */
  readonly isAgain: boolean;
  readonly log: Log;
  readonly now: () => number;
}

/** Opens a spool; what is found in it is delivered to the sink again. Rejects with `SPOOL_UNUSABLE`. */
export async function openSpool(options: OpenSpoolOptions): Promise<Spool> {
  const { place, folder: directory, shares, counters, isAgain, log, now } = options;
  const { sink, takes } = place;
  const { maxSeconds, segmentBytes, fsync, fsyncMs } = place.settings;
  const maxBytes = Math.floor(place.settings.maxBytes / shares);
  const { spool, recovered } = await Spool.open({
    directory,
    maxBytes,
    maxSeconds,
    segmentBytes: Math.min(
      segmentBytes,
      Math.max(SEGMENT_MIN_BYTES, Math.floor(maxBytes / SEGMENTS_A_SPOOL)),
    ),
    fsync,
    fsyncMs,
    now,
  });
  const { records, bytes, damaged, cutBytes, freeBytes } = recovered;
  if (!isAgain) {
    counters.addDelivered(records);
    counters.add('recovered', records);
  }
  if (records > 0)
    log.info({ sink, takes, directory, records, bytes }, 'What was left in the spool is sent first.');
  if (damaged > 0 || cutBytes > 0)
    log.warn({ sink, directory, damaged, cutBytes }, 'Part of the spool could not be read; it was left out.');
  if (freeBytes < maxBytes)
    log.warn({ sink, directory, maxBytes, freeBytes }, 'The disk has less room than the spool may need.');
  return spool;
}
