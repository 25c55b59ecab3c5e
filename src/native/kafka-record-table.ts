import { BlockAddress } from './block-address.ts';
import { HeaderLists, type NativeHeaders } from './kafka-headers.ts';
import { rdKafkaArgument as argument, rdKafkaNumber as number } from './rdkafka-layout.ts';
import { rdKafka } from './rdkafka.ts';

/** One record; its buffers are copied by librdkafka while it is produced. */
export interface NativeRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly timestampMs: number;
  readonly headers: NativeHeaders;
}

/** Entries of every record; the last one is left out where there are no headers. */
const entries = [
  number.RD_KAFKA_VTYPE_RKT,
  number.RD_KAFKA_VTYPE_PARTITION,
  number.RD_KAFKA_VTYPE_MSGFLAGS,
  number.RD_KAFKA_VTYPE_OPAQUE,
  number.RD_KAFKA_VTYPE_VALUE,
  number.RD_KAFKA_VTYPE_KEY,
  number.RD_KAFKA_VTYPE_TIMESTAMP,
  number.RD_KAFKA_VTYPE_HEADERS,
] as const;
const [TOPIC, PARTITION, FLAGS, OPAQUE, VALUE, KEY, TIMESTAMP, HEADERS] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const NONE = 0;

/** The arguments of `rd_kafka_produceva` for one record after the other, in one piece of memory. */
export class RecordTable {
  readonly #library = rdKafka();
  readonly #table = Buffer.alloc(entries.length * argument.bytes);
  readonly #view = new DataView(this.#table.buffer, this.#table.byteOffset, this.#table.length);
  readonly #valueBlock = new BlockAddress();
  readonly #keyBlock = new BlockAddress();
  readonly #lists = new HeaderLists();
  /** Headers of the record that the table has. */
  #list = NONE;

  constructor() {
    for (const [i, type] of entries.entries()) this.#table.writeInt32LE(type, i * argument.bytes);
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
   * Fills the table with one record. What librdkafka does not take is to be taken back.
   *
   * @returns entries in use
   */
  fill(record: NativeRecord): number {
    const { key, value, headers } = record;
    this.#writeMemory(VALUE, this.#valueBlock.of(value, this.#library), value.length);
    this.#writeMemory(KEY, this.#keyBlock.of(key, this.#library), key.length);
    this.#writeWord(record.timestampMs, field(TIMESTAMP, 'u.i64'));
    this.#list = headers.size === 0 ? NONE : this.#lists.make(headers);
    if (this.#list === NONE) return HEADERS;
    this.#writeWord(this.#list, field(HEADERS, 'u.headers'));
    return entries.length;
  }

  /** The record that the table has was not taken. */
  takeBack(): void {
    if (this.#list !== NONE) this.#lists.discard(this.#list);
    this.#list = NONE;
  }

  /** Frees what is kept. Called once, last. */
  close(): void {
    this.#lists.close();
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
