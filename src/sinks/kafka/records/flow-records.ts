import { BlockEntry, PacketBlockReader } from '../../../format/packet-block.ts';
import { murmur2, partitionOf } from '../../../wire/murmur2.ts';
import { Batching, type Route } from './batching.ts';
import { privateBlock } from './private-block.ts';
import type { Encoded, EncoderOptions, RecordEncoder } from './record-encoder.ts';
import { TopicNames } from './topic-names.ts';
import { topicsOf } from './topics-of.ts';

const NANOSECONDS_A_MILLISECOND = 1_000_000;
const NO_HEADERS: ReadonlyMap<Buffer, Buffer> = new Map();

/** One record a flow record: its value is the JSON object, or what `toValue` makes of it. */
export class FlowRecords implements RecordEncoder {
  readonly #names: TopicNames;
  readonly #batchBytes: number;
  readonly #toValue: ((json: Buffer) => Buffer) | undefined;
  readonly #reader = new PacketBlockReader();

  /** @param toValue may throw: the record is then dropped as `notEncoded` */
  constructor(
    topic: string,
    options: Pick<EncoderOptions, 'batchBytes'>,
    toValue?: (json: Buffer) => Buffer,
  ) {
    this.#names = new TopicNames(topic);
    this.#batchBytes = options.batchBytes;
    this.#toValue = toValue;
  }

  topics(blocks: readonly Buffer[]): ReadonlySet<string> {
    return topicsOf(this.#names, this.#reader, blocks);
  }

  encode(blocks: readonly Buffer[], partitions: ReadonlyMap<string, number>): Encoded {
    const batching = new Batching(this.#names, this.#batchBytes, partitions);
    const reader = this.#reader;
    for (const block of blocks) {
      reader.begin(privateBlock(block));
      for (let entry = reader.next(); entry !== BlockEntry.end; entry = reader.next()) {
        if (entry === BlockEntry.flow) {
          const route = batching.route(reader.vni);
          if (route !== undefined) this.#addFlow(batching, route);
        } else batching.drop('damaged');
      }
    }
    return batching.encoded();
  }

  #addFlow(batching: Batching, route: Route): void {
    const { bytes, keyAt, keyEnd, jsonAt, jsonEnd, seconds, nanoseconds } = this.#reader;
    const value = this.#valueOf(bytes.subarray(jsonAt, jsonEnd));
    if (value === undefined) return batching.drop('notEncoded');
    const key = bytes.subarray(keyAt, keyEnd);
    const timestampMs = seconds * 1000 + ((nanoseconds / NANOSECONDS_A_MILLISECOND) | 0);
    const record = { key, value, timestampMs, headers: NO_HEADERS, count: 1 };
    batching.add(route, partitionOf(murmur2(key), route.partitions), record, key.length + value.length);
  }

  /** undefined where the record cannot be told in that format: the next ones may well be. */
  #valueOf(json: Buffer): Buffer | undefined {
    if (this.#toValue === undefined) return json;
    try {
      return this.#toValue(json);
    } catch {
      return undefined;
    }
  }
}
