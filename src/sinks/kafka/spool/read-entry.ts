import type { FoundBlock } from './scan.ts';
import type { SpoolEntry } from './options.ts';
import type { Place } from './segment.ts';

/** A block that was read, with what is needed to acknowledge it. */
export class ReadEntry implements SpoolEntry {
  readonly bytes: Buffer;
  readonly records: number;
  readonly timeMs: number;
  /** The place behind it. */
  readonly behind: Place;

  constructor({ data, head }: FoundBlock, behind: Place) {
    this.bytes = data;
    this.records = head.records;
    this.timeMs = head.timeMs;
    this.behind = behind;
  }
}
