import type { Layers } from '../packet/layers.ts';
import { AnalysisTally } from './analysis-tally.ts';
import { DuplicateTable, Entry, NO_ENTRY, SOURCES_MAX } from './duplicate-table.ts';
import { PacketIdentity } from './packet-identity.ts';
import { sessionOf, sourceOf } from './packet-source.ts';

export interface DuplicateFinderOptions {
  /** How long after its last transmission a packet is remembered, microseconds. */
  readonly windowUs: number;
  /** Whether a packet may be a copy of one that came under another VNI or encapsulation. */
  readonly acrossVnis: boolean;
  /** Memory for packets that are remembered, `ENTRY_BYTES` each: enough for twice what comes within a window. */
  readonly memoryBytes: number;
  /** One row of `AnalysisTally`. */
  readonly tally: Float64Array;
}

const COUNT_BITS = 8;
const COUNT_MAX = 255;
/** What is taken from all counts of an entry when one of them is full. */
const COUNT_STEP = 128;
const NO_FLOW = -1;
const NO_SHIFT = -1;

/**
 * Finds copies: packets that another source has delivered within the window. A source is a mirror source, encapsulation,
 * VNI and Gateway Load Balancer endpoint; what makes two packets the same is said in `PacketIdentity`.
 *
 * An entry counts how often each source delivered its packet. The largest count says how often the packet was sent: a
 * source that has delivered it less often, or as often, delivers a copy; one that now has delivered it more often than any
 * other delivers a new transmission. So whatever a single source repeats is never a copy, and both ends of a connection
 * give each transmission once, in whatever order they come. What only one end saw is counted once as well.
 *
 * Four sources are told apart for one packet. All that a fifth delivers is a copy, its retransmissions included. A packet
 * is remembered until the window is over since its last transmission, which copies do not prolong, or until memory is full
 * and it is the oldest, which is counted. Packets may come a little out of their order in time; what is more than the
 * window earlier or later is another time, also where a second file begins before the first one ended.
 */
export class DuplicateFinder {
  readonly #acrossVnis: boolean;
  readonly #tally: Float64Array;
  readonly #identity = new PacketIdentity();
  readonly #table: DuplicateTable;
  readonly #entries: Int32Array;
  /** Where the entry of the last packet begins; NO_ENTRY where it is not remembered. */
  #at = NO_ENTRY;

  constructor(options: DuplicateFinderOptions) {
    this.#acrossVnis = options.acrossVnis;
    this.#tally = options.tally;
    this.#table = new DuplicateTable(options.memoryBytes, options.windowUs, options.tally);
    this.#entries = this.#table.entries;
  }

  /** Packets that can be remembered at a time. */
  get capacity(): number {
    return this.#table.capacity;
  }

  /** Flow slot that was remembered for the first copy of the last packet; -1 (no flow) where none was. */
  get flow(): number {
    return this.#at === NO_ENTRY ? NO_FLOW : this.#entries[this.#at + Entry.flow]!;
  }

  /**
   * Says whether the packet is a copy of one that another source has delivered, and remembers it.
   *
   * @param layers      with the headers of the inner frame
   * @param seconds     arrival: whole seconds since the epoch
   * @param nanoseconds and nanoseconds within the second; what is below a microsecond does not count
   */
  check(view: DataView, layers: Layers, seconds: number, nanoseconds: number): boolean {
    const identity = this.#identity;
    const table = this.#table;
    this.#at = NO_ENTRY;
    if (!identity.read(view, layers, this.#acrossVnis ? 0 : sessionOf(layers))) return false;
    table.setTime(seconds, nanoseconds);
    const source = sourceOf(view, layers);
    const at = table.find(identity);
    if (at === NO_ENTRY) {
      this.#at = table.begin(identity, source);
      this.#entries[this.#at + Entry.flow] = NO_FLOW;
      return false;
    }
    this.#at = at;
    if (!this.#isCopy(at, source)) {
      this.#at = table.renew(at);
      return false;
    }
    this.#tally[AnalysisTally.duplicates]! += 1;
    return true;
  }

  /** Keeps the flow slot of the packet that `check` has just said to be no copy, for copies to come. */
  remember(flow: number): void {
    if (this.#at !== NO_ENTRY) this.#entries[this.#at + Entry.flow] = flow;
  }

  /** Counts the packet for its source; whether it was sent as often before. */
  #isCopy(at: number, source: number): boolean {
    const entries = this.#entries;
    const counts = entries[at + Entry.counts]!;
    let most = 0;
    let own = 0;
    let shift = NO_SHIFT;
    for (let i = 0; i < SOURCES_MAX; i++) {
      const count = (counts >>> (COUNT_BITS * i)) & COUNT_MAX;
      if (count === 0) {
        if (shift !== NO_SHIFT) break;
        shift = COUNT_BITS * i;
        entries[at + Entry.source + i] = source;
        break;
      }
      if (count > most) most = count;
      if (entries[at + Entry.source + i] === source) {
        shift = COUNT_BITS * i;
        own = count;
      }
    }
    // a source more than are told apart
    if (shift === NO_SHIFT) return true;
    entries[at + Entry.counts] = counts + (1 << shift);
    if (own + 1 === COUNT_MAX) this.#lower(at + Entry.counts);
    return own < most;
  }

  /** Makes room in the counts of an entry; how much they differ stays, up to what one of them says. */
  #lower(at: number): void {
    const counts = this.#entries[at]!;
    let lowered = 0;
    for (let shift = 0; shift < COUNT_BITS * SOURCES_MAX; shift += COUNT_BITS) {
      const count = (counts >>> shift) & COUNT_MAX;
      // 1 stays: 0 would say that the place of this source is free
      const less = count > COUNT_STEP ? count - COUNT_STEP : Math.min(count, 1);
      lowered |= less << shift;
    }
    this.#entries[at] = lowered;
  }
}
