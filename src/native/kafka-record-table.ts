import { rdKafkaArgument as argument, rdKafkaNumber as number } from './rdkafka-layout.ts';
import { type RdKafka, rdKafka } from './rdkafka.ts';

/** One record; its buffers are copied by librdkafka while it is produced. */
export interface NativeRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly timestampMs: number;
  readonly headers: NativeHeaders;
}

export interface NativeHeaders extends ReadonlyMap<Uint8Array, Uint8Array> {
  /** The names alone, where records with the same ones share them. */
  readonly names?: readonly Uint8Array[];
  /** All headers as they stand in a record: length and name, length and value, lengths as zigzag varints of at most two bytes. */
  readonly encoded?: Uint8Array;
}

/** Entries before the headers: topic, partition, flags, opaque, value, key, timestamp. */
const fixed = [
  number.RD_KAFKA_VTYPE_RKT,
  number.RD_KAFKA_VTYPE_PARTITION,
  number.RD_KAFKA_VTYPE_MSGFLAGS,
  number.RD_KAFKA_VTYPE_OPAQUE,
  number.RD_KAFKA_VTYPE_VALUE,
  number.RD_KAFKA_VTYPE_KEY,
  number.RD_KAFKA_VTYPE_TIMESTAMP,
] as const;
const [TOPIC, PARTITION, FLAGS, OPAQUE, VALUE, KEY, TIMESTAMP] = [0, 1, 2, 3, 4, 5, 6] as const;

/** Most headers of a record; a record of ours has a dozen. */
const MAX_HEADERS = 32;
/** Names are a few constants: past so many the caller makes them anew each time, and they are forgotten. */
const MAX_NAMES = 64;
/** Longer names have a length of two bytes. */
const SHORT_LEN = 63;
/** No bytes lie anywhere but at NULL, which would be a record without a value instead of one with an empty value. */
const NO_BYTES_AT = 1;

/**
 * Remembers the address of one block of memory and keeps it alive: most values of a batch lie in the same block, and asking
 * for an address costs a call.
 */
class BlockAddress {
  #block: ArrayBufferLike | undefined;
  #at = 0;

  of(bytes: Uint8Array, library: RdKafka): number {
    if (bytes.length === 0) return NO_BYTES_AT;
    const block = bytes.buffer;
    if (block !== this.#block) {
      this.#block = block;
      this.#at = Number(library.address(bytes)) - bytes.byteOffset;
    }
    return this.#at + bytes.byteOffset;
  }
}

/** The arguments of `rd_kafka_produceva` for one record after the other, in one piece of memory. */
export class RecordTable {
  readonly #library = rdKafka();
  readonly #table = Buffer.alloc((fixed.length + MAX_HEADERS) * argument.bytes);
  readonly #view = new DataView(this.#table.buffer, this.#table.byteOffset, this.#table.length);
  /** Whose addresses the table has. */
  #lastNames: readonly Uint8Array[] | undefined;
  /** Names as C wants them, with a zero at their end, and their addresses. */
  readonly #names = new Map<Uint8Array, { readonly text: Buffer; readonly at: number }>();
  readonly #valueBlock = new BlockAddress();
  readonly #keyBlock = new BlockAddress();
  readonly #headerBlock = new BlockAddress();

  constructor() {
    for (const [i, type] of fixed.entries()) this.#table.writeInt32LE(type, i * argument.bytes);
    for (let i = fixed.length; i < fixed.length + MAX_HEADERS; i++) {
      this.#table.writeInt32LE(number.RD_KAFKA_VTYPE_HEADER, i * argument.bytes);
    }
    this.#table.writeInt32LE(number.RD_KAFKA_MSG_F_COPY, field(FLAGS, 'u.i'));
  }

  get memory(): Uint8Array {
    return this.#table;
  }

  /** What the next records have in common. */
  aim(topic: bigint, partition: number, opaque: number): void {
    this.#table.writeBigUInt64LE(topic, field(TOPIC, 'u.rkt'));
    this.#table.writeInt32LE(partition, field(PARTITION, 'u.i32'));
    this.#writeWord(opaque, field(OPAQUE, 'u.ptr'));
  }

  /**
   * Fills the table with one record.
   *
   * @returns entries in use
   * @throws RangeError - the record has too many headers
   */
  fill(record: NativeRecord): number {
    const { key, value, headers } = record;
    if (headers.size > MAX_HEADERS) throw new RangeError(`a record has ${headers.size} headers`);
    this.#writeMemory(VALUE, this.#valueBlock.of(value, this.#library), value.length);
    this.#writeMemory(KEY, this.#keyBlock.of(key, this.#library), key.length);
    this.#writeWord(record.timestampMs, field(TIMESTAMP, 'u.i64'));
    if (headers.names !== undefined && headers.encoded !== undefined)
      return this.#fillHeaders(headers.names, headers.encoded);
    this.#lastNames = undefined;
    let entry = fixed.length;
    for (const [name, text] of headers) {
      this.#writeWord(this.#nameAddress(name), field(entry, 'u.header.name'));
      this.#writeWord(this.#headerBlock.of(text, this.#library), field(entry, 'u.header.val'));
      this.#writeWord(text.length, field(entry, 'u.header.size'));
      entry++;
    }
    return entry;
  }

  /** Values lie in one block: one address does for all of them. */
  #fillHeaders(names: readonly Uint8Array[], encoded: Uint8Array): number {
    const base = this.#headerBlock.of(encoded, this.#library);
    // the table still has their addresses from the record before
    const areNew = names !== this.#lastNames;
    this.#lastNames = names;
    let entry = fixed.length;
    let at = 0;
    for (const name of names) {
      if (areNew) this.#writeWord(this.#nameAddress(name), field(entry, 'u.header.name'));
      at += (name.length > SHORT_LEN ? 2 : 1) + name.length;
      let length = encoded[at++] ?? 0;
      if (length > 0x7f) length = (length & 0x7f) | ((encoded[at++] ?? 0) << 7);
      length >>>= 1;
      this.#writeWord(base + at, field(entry, 'u.header.val'));
      this.#writeWord(length, field(entry, 'u.header.size'));
      at += length;
      entry++;
    }
    return entry;
  }

  #nameAddress(name: Uint8Array): number {
    const known = this.#names.get(name);
    if (known !== undefined) return known.at;
    if (this.#names.size === MAX_NAMES) {
      this.#names.clear();
      this.#lastNames = undefined;
    }
    const text = Buffer.concat([name, Buffer.alloc(1)]);
    const at = Number(this.#library.address(text));
    this.#names.set(name, { text, at });
    return at;
  }

  #writeMemory(entry: number, at: number, bytes: number): void {
    this.#writeWord(at, field(entry, 'u.mem.ptr'));
    this.#writeWord(bytes, field(entry, 'u.mem.size'));
  }

  /** 64 bits of a whole number from 0 to 2^53: addresses of processes have 47. */
  #writeWord(value: number, at: number): void {
    const low = value >>> 0;
    this.#view.setUint32(at, low, true);
    this.#view.setUint32(at + 4, (value - low) / 0x1_0000_0000, true);
  }
}

function field(entry: number, name: keyof typeof argument.at): number {
  return entry * argument.bytes + argument.at[name];
}
