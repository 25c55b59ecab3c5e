import type { KafkaRecord, PartitionBatch } from '../client.ts';
import type { Encoded, RecordDropReason } from './record-encoder.ts';
import type { TopicNames } from './topic-names.ts';

/** Bytes of a batch before its records (Kafka protocol, "Record Batch"). */
export const BATCH_HEAD_BYTES = 61;
/**
 * Most bytes of a record besides key, value and headers: its length 4, attributes 1, time 7 and number 4 within the batch, length
 * of the key 2, of the value 4, number of headers 1. Numbers are zigzag varints; bytes are fewer than 2^27.
 */
export const RECORD_HEAD_BYTES = 23;
/** Most bytes of a header besides name and value: their lengths, below 64 and 8192. */
export const HEADER_HEAD_BYTES = 3;

/** A topic in the making of one `Encoded`. */
export interface Route {
  readonly topic: string;
  readonly partitions: number;
  /** The batch that takes records, by partition. */
  readonly open: (OpenBatch | undefined)[];
}

interface OpenBatch extends PartitionBatch {
  readonly records: KafkaRecord[];
  bytes: number;
}

/** Collects records into batches of bounded size, and counts what goes nowhere. */
export class Batching {
  readonly #names: TopicNames;
  readonly #batchBytes: number;
  readonly #partitions: ReadonlyMap<string, number>;
  /** By VNI; all under 0 where there is one topic. */
  readonly #routes = new Map<number, Route>();
  readonly #batches: OpenBatch[] = [];
  readonly #dropped = new Map<RecordDropReason, number>();

  constructor(names: TopicNames, batchBytes: number, partitions: ReadonlyMap<string, number>) {
    this.#names = names;
    this.#batchBytes = batchBytes;
    this.#partitions = partitions;
  }

  /** Where entries of a VNI go; undefined for one that goes nowhere: that entry is counted as dropped. */
  route(vni: number): Route | undefined {
    const route = this.#routes.get(this.#names.fixed === undefined ? vni : 0) ?? this.#newRoute(vni);
    if (route === undefined) this.drop('tooManyTopics');
    else if (route.partitions === 0) this.drop('noTopic');
    else return route;
    return undefined;
  }

  /** @param recordBytes key, value and headers with HEADER_HEAD_BYTES for each of these */
  add(route: Route, partition: number, record: KafkaRecord, recordBytes: number): void {
    const bytes = recordBytes + RECORD_HEAD_BYTES;
    const open = route.open[partition];
    if (open !== undefined && open.bytes + bytes <= this.#batchBytes) {
      open.records.push(record);
      open.bytes += bytes;
      return;
    }
    const batch = { topic: route.topic, partition, records: [record], bytes: BATCH_HEAD_BYTES + bytes };
    route.open[partition] = batch;
    this.#batches.push(batch);
  }

  drop(reason: RecordDropReason): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  encoded(): Encoded {
    return { batches: this.#batches, dropped: this.#dropped };
  }

  #newRoute(vni: number): Route | undefined {
    const topic = this.#names.of(vni);
    if (topic === undefined) return undefined;
    const route = { topic, partitions: this.#partitions.get(topic) ?? 0, open: [] };
    this.#routes.set(this.#names.fixed === undefined ? vni : 0, route);
    return route;
  }
}
