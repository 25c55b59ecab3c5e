import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { Spool, SpoolEntry } from '../../src/sinks/kafka/spool/spool.ts';
import { numberedBlock, numbersFrom, numbersOf, openSpool, segmentsIn } from './spooling.ts';

/** A spool beside a queue in memory that should be the same. */
export class SpoolTwin {
  readonly #folder: string;
  #directory = '';
  #opened = 0;
  spool!: Spool;
  nowMs = 1_000_000;
  /** Blocks that were appended: their lengths, by number. */
  readonly lengths: number[] = [];
  readonly times: number[] = [];
  acknowledged = 0;
  reading = 0;
  out: SpoolEntry[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Opens the spool, or the folder as a process would find it that takes the place of one that was killed. */
  async open(killed: boolean): Promise<void> {
    const before = this.#directory;
    this.#directory = join(this.#folder, `${++this.#opened}`);
    if (!killed) await this.spool?.close();
    if (before !== '') cpSync(before, this.#directory, { recursive: true });
    if (killed) await this.spool?.close();
    const options = { segmentBytes: 700, maxSeconds: 10, now: () => this.nowMs };
    const { spool, recovered } = await openSpool(this.#directory, options);
    this.spool = spool;
    this.rewind();
    assert.partialDeepStrictEqual(recovered, {
      cutBytes: 0,
      damaged: 0,
      records: this.lengths.length - this.acknowledged,
    });
  }

  rewind(): void {
    this.spool.rewind();
    this.reading = this.acknowledged;
    this.out = [];
  }

  async append(lengths: readonly number[]): Promise<void> {
    const blocks = lengths.map((length, i) => numberedBlock(this.lengths.length + i, length));
    assert.equal(await this.spool.append(blocks), 'kept');
    this.lengths.push(...lengths);
    this.times.push(...lengths.map(() => this.nowMs));
  }

  async read(maxBytes: number): Promise<void> {
    const entries = await this.spool.read(maxBytes);
    assert.deepEqual(numbersOf(entries), numbersFrom(this.reading, this.reading + entries.length));
    assert.equal(entries.length > 0, this.reading < this.lengths.length);
    this.reading += entries.length;
    this.out.push(...entries);
  }

  async acknowledge(share: number): Promise<void> {
    const index = Math.floor(share * this.out.length);
    const entry = this.out[index];
    if (entry === undefined) return;
    await this.spool.acknowledge(entry);
    this.out.splice(0, index + 1);
    this.acknowledged += index + 1;
  }

  async expire(seconds: number): Promise<void> {
    this.nowMs += seconds * 1000;
    const dropped = await this.spool.expire();
    const before = this.acknowledged;
    if (this.out.length === 0) {
      while (this.times[this.acknowledged]! < this.nowMs - 10_000) this.acknowledged++;
    }
    this.reading = Math.max(this.reading, this.acknowledged);
    assert.equal(dropped, this.acknowledged - before);
  }

  check(): void {
    const waiting = this.lengths.slice(this.acknowledged);
    assert.equal(this.spool.records, waiting.length);
    assert.equal(
      this.spool.bytes,
      waiting.reduce((sum, length) => sum + length, 0),
    );
    assert.equal(this.spool.isEmpty, waiting.length === 0);
    if (waiting.length === 0) assert.deepEqual(segmentsIn(this.#directory), []);
  }
}
