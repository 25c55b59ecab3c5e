import { defaultKafka } from './kafka-settings.ts';
import { allocateChannel, CHANNEL_BLOCK_BYTES } from '../../../src/pipeline/channel/channel-memory.ts';
import { ChannelReader } from '../../../src/pipeline/channel/channel-reader.ts';
import { ChannelWriter } from '../../../src/pipeline/channel/channel-writer.ts';
import type { KafkaRecord, PartitionBatch } from '../../../src/sinks/kafka/client.ts';
import { Backlog } from '../../../src/sinks/kafka/courier/backlog.ts';
import { Connection } from '../../../src/sinks/kafka/courier/connection.ts';
import { Line } from '../../../src/sinks/kafka/courier/line.ts';
import { kafkaCounters, kafkaDropReasons } from '../../../src/sinks/kafka/names.ts';
import type { Encoded, RecordEncoder } from '../../../src/sinks/kafka/records/record-encoder.ts';
import type { KafkaSettings } from '../../../src/sinks/kafka/settings.ts';
import type { Spool } from '../../../src/sinks/kafka/spool/spool.ts';
import { droppedOf, logInto, newCounters } from '../sink-context.ts';
import { FakeClient } from './fake-client.ts';

export const TOPIC = 'packets';
const PARTITIONS = 3;
const ENTRY_BYTES = 1024;

/** Entries that only say their number; record `n` goes to partition `n % partitions`. */
class NumberRecords implements RecordEncoder {
  readonly #batchBytes: number;

  constructor(batchBytes: number) {
    this.#batchBytes = batchBytes;
  }

  topics(): ReadonlySet<string> {
    return new Set([TOPIC]);
  }

  encode(blocks: readonly Buffer[], partitions: ReadonlyMap<string, number>): Encoded {
    const byPartition = Array.from({ length: partitions.get(TOPIC) ?? 0 }, (): KafkaRecord[] => []);
    for (const block of blocks) {
      for (let at = 0; at < block.length; at += ENTRY_BYTES) {
        const number = block.readUInt32LE(at);
        const value = Buffer.from(block.subarray(at, at + 4));
        const record = { key: Buffer.alloc(0), value, timestampMs: 0, headers: new Map(), count: 1 };
        byPartition[number % byPartition.length]?.push(record);
      }
    }
    const size = Math.max(1, Math.floor(this.#batchBytes / ENTRY_BYTES));
    const batches = byPartition.flatMap((records, partition) =>
      Array.from(
        { length: Math.ceil(records.length / size) },
        (_, index): PartitionBatch => ({
          topic: TOPIC,
          partition,
          records: records.slice(index * size, (index + 1) * size),
        }),
      ),
    );
    return { batches, dropped: new Map() };
  }
}

export interface LineBenchOptions {
  readonly blocks?: number;
  readonly spool?: Spool;
  readonly settings?: Partial<KafkaSettings>;
  readonly patienceMs?: number;
  readonly client?: FakeClient;
}

/** One line between a ring that the test fills and brokers in memory. Time is that of `vi.useFakeTimers`. */
export class LineBench {
  readonly client: FakeClient;
  readonly writer: ChannelWriter;
  readonly reader: ChannelReader;
  readonly backlog: Backlog;
  readonly connection: Connection;
  readonly line: Line;
  readonly counters = newCounters(kafkaDropReasons, kafkaCounters);
  readonly lines: string[] = [];
  /** Numbers of the entries that the ring took. */
  readonly accepted: number[] = [];
  #next = 0;

  constructor({
    blocks = 4,
    spool,
    settings = {},
    patienceMs = 60_000,
    client = new FakeClient(),
  }: LineBenchOptions) {
    const memory = allocateChannel(blocks * CHANNEL_BLOCK_BYTES, 1e9);
    this.client = client;
    if (client.topics.size === 0)
      client.topics.set(TOPIC, { partitions: PARTITIONS, maxMessageBytes: undefined });
    this.writer = new ChannelWriter(memory);
    this.reader = new ChannelReader(memory);
    this.backlog = new Backlog(this.reader, spool);
    const log = logInto(this.lines);
    const now = (): number => Date.now();
    const all = defaultKafka(settings);
    this.connection = new Connection({ client, settings: all, sink: 'bus', log, now });
    this.line = new Line({
      backlog: this.backlog,
      connection: this.connection,
      makeEncoder: (batchBytes) => Promise.resolve(new NumberRecords(batchBytes)),
      sink: 'bus',
      counters: this.counters,
      log,
      portionBytes: 65_536,
      lingerMs: 0,
      inFlightRequests: all.inFlightRequests,
      retryMaxMs: all.retryMaxMs,
      maxSeconds: all.spool.maxSeconds,
      now,
      patienceMs,
    });
  }

  /** Writes so many entries and publishes them; says how many the ring took. */
  put(count: number): number {
    const before = this.accepted.length;
    for (let i = 0; i < count; i++) {
      const number = this.#next++;
      const at = this.writer.reserve(ENTRY_BYTES);
      if (at < 0) continue;
      this.writer.block.bytes.writeUInt32LE(number, at);
      this.writer.commit(at + ENTRY_BYTES, 1);
      this.accepted.push(number);
    }
    this.writer.publish();
    return this.accepted.length - before;
  }

  /** Numbers that brokers took, in order, by partition. */
  taken(): number[][] {
    return Array.from({ length: PARTITIONS }, (_, partition) =>
      (this.client.taken.get(`${TOPIC} ${partition}`) ?? []).map((value) => value.readUInt32LE(0)),
    );
  }

  /** What the ring took, as it should have arrived. */
  expected(accepted: readonly number[] = this.accepted): number[][] {
    return Array.from({ length: PARTITIONS }, (_, partition) =>
      accepted.filter((number) => number % PARTITIONS === partition),
    );
  }

  dropped(): Record<string, number> {
    return droppedOf(this.counters);
  }
}
