import type { Lane } from '../../packet/lane.ts';
import { hashKey, laneOfKey } from '../lane-key.ts';

/** A power of two. */
const ENTRIES = 256;

interface Entry {
  readonly key: number;
  readonly high: number;
  readonly low: number;
  readonly lane: Lane;
}

/** Lanes by key, so that not every record makes one. Each has one place, which the next of that place takes over. */
export class LaneCache {
  readonly #entries: (Entry | undefined)[] = Array.from({ length: ENTRIES }, () => undefined);

  lane(key: number, high: number, low: number): Lane {
    const at = hashKey(key, high, low) & (ENTRIES - 1);
    let entry = this.#entries[at];
    if (entry === undefined || entry.key !== key || entry.high !== high || entry.low !== low) {
      entry = { key, high, low, lane: laneOfKey(key, high, low) };
      this.#entries[at] = entry;
    }
    return entry.lane;
  }
}
