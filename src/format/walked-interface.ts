import { END_OF_OPTIONS, IF_TSRESOL, OPTION_HEADER_BYTES, padded } from './pcapng-block.ts';

const IF_NAME = 2;
const ISB_IFDROP = 5;
const INTERFACE_OPTIONS = 16;
const STATISTICS_OPTIONS = 20;
const MICROSECONDS_EXPONENT = 6;
const NANOSECONDS_PER_SECOND = 1_000_000_000n;

/** Seconds since the epoch and nanoseconds within the second. */
export interface WalkedTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** What a walk over a capture file has found of one interface. Times are those of its first and last packet in the file. */
export class WalkedInterface {
  /** `if_name`; empty where the file does not say it. */
  readonly name: string;
  readonly linkType: number;
  packets = 0;
  /** Whether the file has statistics of it, and what they say of dropped packets, if they do. */
  hasStatistics = false;
  dropped: number | undefined = undefined;
  readonly #unitsPerSecond: bigint;
  // as they stand in the file: halves of a count of units, or seconds and nanoseconds of a pcap
  #firstHigh = 0;
  #firstLow = 0;
  #lastHigh = 0;
  #lastLow = 0;

  /** @param unitsPerSecond of its time stamps; 0: they are seconds and nanoseconds */
  constructor(name: string, linkType: number, unitsPerSecond = 0n) {
    this.name = name;
    this.linkType = linkType;
    this.#unitsPerSecond = unitsPerSecond;
  }

  /** Reads an interface description block at `at` whose body ends at `end`. */
  static read(view: DataView, at: number, end: number): WalkedInterface {
    let name = '';
    let resolution = MICROSECONDS_EXPONENT;
    for (const [code, value, length] of options(view, at + INTERFACE_OPTIONS, end)) {
      if (code === IF_NAME) name = Buffer.from(view.buffer, view.byteOffset + value, length).toString();
      if (code === IF_TSRESOL && length >= 1) resolution = view.getUint8(value);
    }
    const [base, exponent] = resolution < 0x80 ? [10n, resolution] : [2n, resolution & 0x7f];
    return new WalkedInterface(name, view.getUint16(at + 8, true), base ** BigInt(exponent));
  }

  /** Counts a packet of a pcapng by the two halves of its time stamp. */
  add(high: number, low: number): void {
    if (this.packets === 0) {
      this.#firstHigh = high;
      this.#firstLow = low;
    }
    this.#lastHigh = high;
    this.#lastLow = low;
    this.packets++;
  }

  /** Counts a packet of a pcap. */
  addAt(seconds: number, nanoseconds: number): void {
    this.add(seconds, nanoseconds);
  }

  readStatistics(view: DataView, at: number, end: number): void {
    this.hasStatistics = true;
    for (const [code, value, length] of options(view, at + STATISTICS_OPTIONS, end)) {
      if (code === ISB_IFDROP && length === 8) this.dropped = Number(view.getBigUint64(value, true));
    }
  }

  get first(): WalkedTime {
    return this.#time(this.#firstHigh, this.#firstLow);
  }

  get last(): WalkedTime {
    return this.#time(this.#lastHigh, this.#lastLow);
  }

  #time(high: number, low: number): WalkedTime {
    if (this.#unitsPerSecond === 0n) return { seconds: high, nanoseconds: low };
    const units = (BigInt(high) << 32n) | BigInt(low);
    const nanoseconds = ((units % this.#unitsPerSecond) * NANOSECONDS_PER_SECOND) / this.#unitsPerSecond;
    return { seconds: Number(units / this.#unitsPerSecond), nanoseconds: Number(nanoseconds) };
  }
}

/** Code, offset of the value and its length of each option; ends at one that runs past the block. */
function* options(view: DataView, at: number, end: number): Generator<[number, number, number]> {
  for (let next = at; end - next >= OPTION_HEADER_BYTES; ) {
    const code = view.getUint16(next, true);
    const length = view.getUint16(next + 2, true);
    const value = next + OPTION_HEADER_BYTES;
    if (code === END_OF_OPTIONS || end - value < length) return;
    yield [code, value, length];
    next = value + padded(length);
  }
}
