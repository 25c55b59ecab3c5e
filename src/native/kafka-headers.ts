import { BlockAddress } from './block-address.ts';
import { rdKafka } from './rdkafka.ts';

export interface NativeHeaders extends ReadonlyMap<Uint8Array, Uint8Array> {
  /** The names alone, where records with the same ones share them. */
  readonly names?: readonly Uint8Array[];
  /** All headers as they stand in a record: length and name, length and value, lengths as zigzag varints of at most two bytes. */
  readonly encoded?: Uint8Array;
  /** The first of them, where other records have the very same object there. */
  readonly beginning?: { readonly encoded: Uint8Array; readonly count: number };
}

/** Names are a few constants: past so many the caller makes them anew each time, and they are forgotten. */
const NAMES_MAX = 64;
/** Beginnings that are kept as lists, below a kilobyte each; past so many they are made anew. */
const BEGINNINGS_MAX = 4096;
/** Longer names have a length of two bytes. */
const SHORT_LEN = 63;

/**
 * Headers of records as lists of librdkafka's.
 *
 * It could make such a list itself of the arguments of `rd_kafka_produceva`, in one call instead of several, but frees it twice where
 * the record's topic or partition is refused, which ends the process (confluentinc/librdkafka#4627). A list that it is
 * given stays the caller's then.
 */
export class HeaderLists {
  readonly #library = rdKafka();
  /** Names and their addresses. */
  readonly #names = new Map<Uint8Array, number>();
  readonly #values = new BlockAddress();
  /** Lists of the first headers, which are copied. */
  readonly #beginnings = new Map<object, number>();

  /** A list for one record, for librdkafka to take over or for `discard`. */
  make(headers: NativeHeaders): number {
    const { names, encoded, beginning } = headers;
    if (names !== undefined && encoded !== undefined) {
      if (beginning === undefined)
        return this.#add(this.#library.headers_new(names.length), names, encoded, 0, 0);
      const list = this.#library.headers_copy(this.#listOf(beginning, names));
      return this.#add(list, names, encoded, beginning.count, beginning.encoded.length);
    }
    const list = this.#library.headers_new(headers.size);
    for (const [name, text] of headers)
      this.#addOne(list, name, this.#values.of(text, this.#library), text.length);
    return list;
  }

  /** The list was not taken over. */
  discard(list: number): void {
    this.#library.headers_destroy(list);
  }

  /** Frees what is kept. Called once, last. */
  close(): void {
    for (const list of this.#beginnings.values()) this.#library.headers_destroy(list);
    this.#beginnings.clear();
  }

  #listOf(beginning: NonNullable<NativeHeaders['beginning']>, names: readonly Uint8Array[]): number {
    const known = this.#beginnings.get(beginning);
    if (known !== undefined) return known;
    if (this.#beginnings.size === BEGINNINGS_MAX) this.close();
    const { encoded, count } = beginning;
    const list = this.#add(this.#library.headers_new(count), names.slice(0, count), encoded, 0, 0);
    this.#beginnings.set(beginning, list);
    return list;
  }

  /** Adds the headers from `first` on, which stand at `at` of `encoded`: all values lie in one block. */
  #add(list: number, names: readonly Uint8Array[], encoded: Uint8Array, first: number, at: number): number {
    const base = this.#values.of(encoded, this.#library);
    for (let i = first; i < names.length; i++) {
      const name = names[i];
      if (name === undefined) break;
      at += (name.length > SHORT_LEN ? 2 : 1) + name.length;
      let length = encoded[at++] ?? 0;
      if (length > 0x7f) length = (length & 0x7f) | ((encoded[at++] ?? 0) << 7);
      length >>>= 1;
      this.#addOne(list, name, base + at, length);
      at += length;
    }
    return list;
  }

  #addOne(list: number, name: Uint8Array, at: number, bytes: number): void {
    this.#library.header_add(list, this.#nameAddress(name), name.length, at, bytes);
  }

  #nameAddress(name: Uint8Array): number {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    if (this.#names.size === NAMES_MAX) this.#names.clear();
    const at = Number(this.#library.address(name));
    // the address alone would not keep the name
    this.#names.set(name, at);
    return at;
  }
}
