import type { CaptureFormat, FileCompression } from './live-names.ts';

/**
 * How far a finished capture has got. `finished`: what is to be done with it (compress, hash) waits; `kept`: done;
 * `damaged`: it cannot be read to its end, and is kept as it is.
 */
export type FileState = 'finished' | 'kept' | 'damaged';

/** How the index came to know of a file: its sink said so, it was left unfinished by a crash, or it was found. */
export type FileOrigin = 'sink' | 'recovered' | 'found';

/** When the first and the last packet came: seconds since the epoch and nanoseconds within the second. */
export interface TimeSpan {
  readonly firstSeconds: number;
  readonly firstNanoseconds: number;
  readonly lastSeconds: number;
  readonly lastNanoseconds: number;
}

/** What a file holds of one lane. */
export interface IndexedLane extends TimeSpan {
  readonly name: string;
  readonly packets: number;
  /** `undefined` where nobody could say: the process that wrote the file ended before. */
  readonly dropped: number | undefined;
}

/** One finished capture file as the index knows it. */
export interface IndexedFile extends TimeSpan {
  /** Relative to the folder, as it is stored: with `.zst` or `.gz` once compressed. */
  readonly path: string;
  readonly sink: string;
  readonly worker: number;
  readonly format: CaptureFormat;
  readonly compression: FileCompression;
  readonly state: FileState;
  readonly origin: FileOrigin;
  /** Which process does what is still to be done with it; see `owner.ts`. */
  readonly owner: string;
  readonly packets: number;
  readonly dropped: number | undefined;
  /** As it is stored. */
  readonly bytes: number;
  /** Before compression. */
  readonly captureBytes: number;
  /** Of the file as it is stored, 64 hex digits; `undefined` until the file is kept. */
  readonly sha256: string | undefined;
}

/** A file with its lanes, to be added. */
export interface NewFile extends IndexedFile {
  readonly lanes: readonly IndexedLane[];
}

/** What retention looks at. */
export interface OldFile {
  readonly path: string;
  readonly bytes: number;
  readonly lastSeconds: number;
}

/** The time from the first packet of any lane to the last one of any; all 0 where there is none. */
export function spanOf(lanes: readonly TimeSpan[]): TimeSpan {
  let span: TimeSpan | undefined;
  for (const lane of lanes) {
    if (span === undefined) span = lane;
    else {
      const first = before(lane.firstSeconds, lane.firstNanoseconds, span.firstSeconds, span.firstNanoseconds)
        ? lane
        : span;
      const last = before(span.lastSeconds, span.lastNanoseconds, lane.lastSeconds, lane.lastNanoseconds)
        ? lane
        : span;
      span = {
        firstSeconds: first.firstSeconds,
        firstNanoseconds: first.firstNanoseconds,
        lastSeconds: last.lastSeconds,
        lastNanoseconds: last.lastNanoseconds,
      };
    }
  }
  const { firstSeconds = 0, firstNanoseconds = 0, lastSeconds = 0, lastNanoseconds = 0 } = span ?? {};
  return { firstSeconds, firstNanoseconds, lastSeconds, lastNanoseconds };
}

function before(
  seconds: number,
  nanoseconds: number,
  otherSeconds: number,
  otherNanoseconds: number,
): boolean {
  return seconds < otherSeconds || (seconds === otherSeconds && nanoseconds < otherNanoseconds);
}

/** One entry a lane: a lane that was closed and came back while the file grew stands in it twice. */
export function mergedByName(lanes: readonly IndexedLane[]): IndexedLane[] {
  const byName = new Map<string, IndexedLane>();
  for (const lane of lanes) {
    const known = byName.get(lane.name);
    const dropped =
      known?.dropped === undefined || lane.dropped === undefined ? undefined : known.dropped + lane.dropped;
    const merged = known && { ...spanOf([known, lane]), packets: known.packets + lane.packets, dropped };
    byName.set(lane.name, merged === undefined ? lane : { name: lane.name, ...merged });
  }
  return [...byName.values()];
}
