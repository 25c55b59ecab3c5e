import { eachRecord, type ReadRecord } from './kcat.ts';
import type { NumberedFlows } from './numbered-flows.ts';

const PACKET_BLOCK = 6;
const EXAMPLES_MAX = 5;

/** What reading all packets of a topic has shown. */
export interface TopicVerdict {
  readonly records: number;
  /** Packets that are byte for byte one that was sent, each in the order of its flow, none twice. */
  readonly right: number;
  /** What is wrong, by what it is; and the first few as words. */
  readonly wrong: Readonly<Record<string, number>>;
  readonly examples: readonly string[];
}

/**
 * Reads a topic that holds packets of `flows`, as frames or as pcapngs, while it comes.
 *
 * @param partitionOf the partition that a key belongs to
 */
export async function judgeTopic(
  bootstrap: string,
  topic: string,
  flows: NumberedFlows,
  partitionOf: (key: string) => number,
): Promise<TopicVerdict> {
  const judge = new Judge(flows, partitionOf);
  const records = await eachRecord({ bootstrap }, topic, (record) => judge.take(record));
  return { records, right: judge.right, wrong: judge.wrong, examples: judge.examples };
}

class Judge {
  right = 0;
  readonly wrong: Record<string, number> = {};
  readonly examples: string[] = [];
  readonly #flows: NumberedFlows;
  readonly #partitionOf: (key: string) => number;
  /** Number that came last, by key; they grow. */
  readonly #last = new Map<string, number>();
  readonly #partitions = new Map<string, number>();

  constructor(flows: NumberedFlows, partitionOf: (key: string) => number) {
    this.#flows = flows;
    this.#partitionOf = partitionOf;
  }

  take(record: ReadRecord): void {
    const { value, headers, key } = record;
    if (value === null || key === null) this.#complain('empty', record, -1);
    else if (headers.has('ts-ns')) this.#takeFrame(record, value);
    else this.#takePcapng(record, value);
  }

  #takeFrame(record: ReadRecord, value: Buffer): void {
    const number = this.#flows.numberIn(value);
    const { headers, key, timestampMs } = record;
    const flows = this.#flows;
    const isRight =
      number >= 0 &&
      String(key) === flows.keyOf(number) &&
      headers.get('ts-ns') === String(flows.nanosecondsOf(number)) &&
      timestampMs === Number(flows.nanosecondsOf(number) / 1_000_000n) &&
      headers.get('wire-len') === String(value.length) &&
      headers.get('vni') === String(flows.vniOf(number)) &&
      headers.get('mirror-source') === flows.mirrorSource &&
      headers.get('encapsulation') === 'vxlan' &&
      headers.get('link-type') === '1' &&
      !headers.has('truncated');
    if (isRight) this.#takePacket(record, value, number);
    else this.#complain('headers', record, number);
  }

  /** Blocks of a pcapng: section header, one interface, packets (draft-ietf-opsawg-pcapng, section 4). */
  #takePcapng(record: ReadRecord, value: Buffer): void {
    let count = 0;
    for (let at = 0; at < value.length; ) {
      const [type, length] = [value.readUInt32LE(at), value.readUInt32LE(at + 4)];
      if (length < 12 || value.readUInt32LE(at + length - 4) !== length) {
        this.#complain('pcapng', record, -1);
        return;
      }
      if (type === PACKET_BLOCK) {
        const captured = value.readUInt32LE(at + 20);
        const frame = value.subarray(at + 28, at + 28 + captured);
        const number = this.#flows.numberIn(frame);
        const ns = (BigInt(value.readUInt32LE(at + 12)) << 32n) | BigInt(value.readUInt32LE(at + 16));
        const isRight =
          number >= 0 &&
          ns === this.#flows.nanosecondsOf(number) &&
          value.readUInt32LE(at + 24) === captured &&
          String(record.key) === `vni-${this.#flows.vniOf(number)}/${record.partition}`;
        if (isRight) this.#takePacket(record, frame, number);
        else this.#complain('packet block', record, number);
        count++;
      }
      at += length;
    }
    if (count === 0) this.#complain('no packets', record, -1);
  }

  #takePacket(record: ReadRecord, frame: Buffer, number: number): void {
    const key = this.#flows.keyOf(number);
    let partition = this.#partitions.get(key);
    if (partition === undefined) this.#partitions.set(key, (partition = this.#partitionOf(key)));
    const last = this.#last.get(key) ?? -1;
    this.#last.set(key, number);
    if (partition !== record.partition) this.#complain('partition', record, number);
    else if (number <= last) this.#complain(number === last ? 'twice' : 'order', record, number);
    else if (!this.#flows.frame(number).equals(frame)) this.#complain('bytes', record, number);
    else this.right++;
  }

  #complain(what: string, { partition, offset, key }: ReadRecord, number: number): void {
    this.wrong[what] = (this.wrong[what] ?? 0) + 1;
    if (this.examples.length < EXAMPLES_MAX)
      this.examples.push(`${what}: packet ${number}, record ${partition}/${offset} of key ${String(key)}`);
  }
}
