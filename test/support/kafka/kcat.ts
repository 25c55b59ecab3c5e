import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

/**
 * Reading and writing with kcat, which is librdkafka: neither of the clients that the program has.
 *
 * @see its manual page for the letters of -f
 */

/** What reading with kcat needs besides the topic. */
export interface KcatOptions {
  /** `host:port` */
  readonly bootstrap: string;
  /** Settings of librdkafka: `security.protocol`, `ssl.ca.location`, … */
  readonly properties?: Readonly<Record<string, string>>;
}

/** One record as kcat read it. */
export interface ReadRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  /** `null` where the record has none. */
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** By name; of several of one name the last. A value may not hold a zero byte, nor `,name=`. */
  readonly headers: ReadonlyMap<string, string>;
}

/**
 * Reads a topic from its beginning to its present end, and hands each record to `visit` in the order in which kcat gets
 * them: order holds within a partition. Key and value are views that hold until `visit` returns. Resolves to their number.
 */
export async function eachRecord(
  options: KcatOptions,
  topic: string,
  visit: (record: ReadRecord) => void,
): Promise<number> {
  // ends the headers, whose lengths kcat does not tell
  const mark = randomBytes(12).toString('hex');
  const cut = new RecordCutter(mark, visit);
  const child = kcat(options, ['-C', '-t', topic, ...wholeTopic, '-f', `%p %o %T %K %S\n%k%s%h${mark}\n`]);
  await finished(child, (chunk) => cut.take(chunk));
  cut.end();
  return cut.count;
}

/** All records of a topic, by partition and offset. */
export async function readTopic(options: KcatOptions, topic: string): Promise<readonly ReadRecord[]> {
  const records: ReadRecord[] = [];
  await eachRecord(options, topic, (record) => {
    const [key, value] = [record.key, record.value].map((bytes) => bytes && Buffer.from(bytes));
    records.push({ ...record, key: key ?? null, value: value ?? null });
  });
  return records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** What a topic holds, by partition. */
export interface PartitionCount {
  readonly partition: number;
  readonly records: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** Sum of the lengths of keys and values. */
  readonly bytes: number;
}

/** Reads a topic as `eachRecord` does, and only counts: for a million records. */
export async function countTopic(options: KcatOptions, topic: string): Promise<readonly PartitionCount[]> {
  const found = new Map<number, { -readonly [Name in keyof PartitionCount]: PartitionCount[Name] }>();
  let rest = '';
  const child = kcat(options, ['-C', '-t', topic, ...wholeTopic, '-f', '%p %o %K %S\n']);
  await finished(child, (chunk) => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [partition = 0, offset = 0, keyLength = 0, valueLength = 0] = line.split(' ').map(Number);
      let count = found.get(partition);
      if (count === undefined) {
        count = { partition, records: 0, firstOffset: offset, lastOffset: offset, bytes: 0 };
        found.set(partition, count);
      }
      count.records++;
      count.lastOffset = offset;
      count.bytes += Math.max(0, keyLength) + Math.max(0, valueLength);
    }
  });
  return [...found.values()].toSorted((a, b) => a.partition - b.partition);
}

/** Writes lines as records, one each, with the headers given to all. */
export async function writeLines(
  options: KcatOptions,
  topic: string,
  lines: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const named = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}=${value}`]);
  const child = kcat(options, ['-P', '-t', topic, ...named]);
  child.stdin?.end(lines.map((line) => `${line}\n`).join(''));
  await finished(child, () => {
    // it says nothing
  });
}

/** From the beginning to the end, and then no longer; nothing about it on standard error. */
const wholeTopic = ['-o', 'beginning', '-e', '-q'];

function kcat(options: KcatOptions, args: readonly string[]): ChildProcess {
  const set = Object.entries(options.properties ?? {}).flatMap(([name, value]) => ['-X', `${name}=${value}`]);
  return spawn('kcat', ['-b', options.bootstrap, ...set, ...args], { stdio: 'pipe' });
}

async function finished(child: ChildProcess, take: (chunk: Buffer) => void): Promise<void> {
  const [output, errors] = [child.stdout as Readable, child.stderr as Readable];
  let said = '';
  errors.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  output.on('data', take);
  const [status] = (await once(child, 'close')) as (number | null)[];
  if (status !== 0) throw new Error(`kcat ended with ${status}: ${said}`);
}

/** Cuts what kcat prints into records: a line of five numbers, key, value, headers, the mark and a line end. */
class RecordCutter {
  readonly #mark: Buffer;
  readonly #visit: (record: ReadRecord) => void;
  #rest: Buffer = Buffer.alloc(0);
  count = 0;

  constructor(mark: string, visit: (record: ReadRecord) => void) {
    this.#mark = Buffer.from(`${mark}\n`);
    this.#visit = visit;
  }

  take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const next = this.#record(bytes, at);
      if (next < 0) break;
      at = next;
    }
    this.#rest = bytes.subarray(at);
  }

  /** What is left over is no record. */
  end(): void {
    if (this.#rest.length > 0) throw new Error(`kcat ended within a record: ${this.#rest.length} bytes.`);
  }

  /** Where the record at `at` ends, and -1 where it does not yet. */
  #record(bytes: Buffer, at: number): number {
    const lineEnd = bytes.indexOf(10, at);
    if (lineEnd < 0) return -1;
    const numbers = bytes.toString('latin1', at, lineEnd).split(' ').map(Number);
    const [partition = 0, offset = 0, timestampMs = 0, keyLength = 0, valueLength = 0] = numbers;
    const keyAt = lineEnd + 1;
    const valueAt = keyAt + Math.max(0, keyLength);
    const headersAt = valueAt + Math.max(0, valueLength);
    if (bytes.length < headersAt + this.#mark.length) return -1;
    const headersEnd = bytes.indexOf(this.#mark, headersAt);
    if (headersEnd < 0) return -1;
    this.count++;
    this.#visit({
      partition,
      offset,
      timestampMs,
      key: keyLength < 0 ? null : bytes.subarray(keyAt, valueAt),
      value: valueLength < 0 ? null : bytes.subarray(valueAt, headersAt),
      headers: parseHeaders(bytes.toString('utf8', headersAt, headersEnd)),
    });
    return headersEnd + this.#mark.length;
  }
}

/** kcat writes `name=value,name=value`; a comma may also be part of a value. */
function parseHeaders(text: string): ReadonlyMap<string, string> {
  if (text === '') return new Map();
  return new Map(
    text.split(/,(?=[\w.-]+=)/).map((pair) => {
      const equals = pair.indexOf('=');
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}
