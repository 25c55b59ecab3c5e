import { encodeFlow, FLOW_JSON_MAX_BYTES } from '../../format/flow-json.ts';
import { FLOW_KEY_MAX_BYTES, writeFlowKey } from '../../format/flow-key.ts';
import { FLOW_HEAD_BYTES, writeFlowHead } from '../../format/packet-block.ts';
import type { FlowRecord } from '../../packet/flow-record.ts';
import type { FlowSink } from '../../pipeline/flow-sink.ts';
import { Outgoing, type OutgoingOptions } from './outgoing.ts';

export interface KafkaFlowsOptions extends OutgoingOptions {
  /** `observer.name` of the records: this host. */
  readonly observer: string;
}

const DONE: Promise<void> = Promise.resolve();

/** The same as `KafkaPacketsSink` for flow records: each is encoded into the channel. */
export class KafkaFlowsSink implements FlowSink {
  readonly #outgoing: Outgoing;
  readonly #observer: string;

  constructor(options: KafkaFlowsOptions) {
    this.#outgoing = new Outgoing(options);
    this.#observer = options.observer;
  }

  open(): Promise<void> {
    this.#outgoing.begin();
    return DONE;
  }

  record(record: FlowRecord): void {
    const { writer } = this.#outgoing;
    const at = writer.reserve(FLOW_HEAD_BYTES + FLOW_KEY_MAX_BYTES + FLOW_JSON_MAX_BYTES);
    if (at < 0) return this.#outgoing.drop(1);
    const { block } = writer;
    const keyAt = at + FLOW_HEAD_BYTES;
    const jsonAt = writeFlowKey(record, block.bytes, keyAt);
    // a line of a file ends in a newline; a record of a topic ends by itself
    const jsonEnd = encodeFlow(record, this.#observer, block.bytes, jsonAt) - 1;
    const { lastSeconds, lastNanoseconds, lane } = record;
    writer.commit(
      writeFlowHead(block, at, lastSeconds, lastNanoseconds, lane.vni ?? 0, jsonAt - keyAt, jsonEnd - jsonAt),
      1,
    );
    this.#outgoing.passed(1);
  }

  ready(): Promise<void> {
    return DONE;
  }

  flush(): Promise<void> {
    this.#outgoing.writer.publish();
    return DONE;
  }

  close(): Promise<void> {
    this.#outgoing.close();
    return DONE;
  }
}
