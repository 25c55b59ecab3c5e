import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PacketBatch } from '../../src/packet/batch.ts';
import type { Input } from '../../src/pipeline/input.ts';
import { packetsOf } from './decoding.ts';
import { Seeded } from './seeded.ts';

/** Lets the event loop turn so often. */
export async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await nextTurn();
}

/** A packet that says its number in its last four bytes: 4 to 63 bytes. */
export function numberedPacket(number: number): Buffer {
  const bytes = Buffer.alloc(4 + (number % 60), number);
  bytes.writeUInt32BE(number, bytes.length - 4);
  return bytes;
}

/** What all packets of one input have in common. */
export interface PacketTraits {
  readonly linkType: number;
  /** When they arrive; left out: when the kernel says, which is now. */
  readonly seconds?: number | undefined;
}

/**
 * Stands behind an input and watches that it keeps its contract: gives batches back after no turns or some, and just
 * before that makes sure that they are as they came, and spoils the packets and their columns. Never throws, as a
 * pipeline never does: what is wrong is listed in `problems`.
 */
export class Consumer {
  /** Numbers of the packets that came, in order. */
  readonly numbers: number[] = [];
  readonly problems: string[] = [];
  /** Batches that are not given back yet. */
  readonly out = new Set<PacketBatch>();
  batches = 0;
  /** `run` has settled. */
  ended = false;
  readonly #random: Seeded;
  readonly #traits: PacketTraits;
  #gate: Promise<void> = Promise.resolve();
  #heldFrom = Number.POSITIVE_INFINITY;

  constructor(seed: number, traits: PacketTraits) {
    this.#random = new Seeded(seed);
    this.#traits = traits;
  }

  /** Gives no batch back that ends with the packet `from` or a later one, until the returned function is called. */
  hold(from = 0): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    this.#heldFrom = from;
    return resolve;
  }

  async run(input: Input): Promise<void> {
    try {
      await input.run((batch) => this.#take(batch));
    } finally {
      this.ended = true;
      if (this.out.size > 0) this.problems.push(`run settled with ${this.out.size} batches on their way`);
    }
  }

  /** Settles once so many packets came. */
  async until(count: number): Promise<void> {
    while (this.numbers.length < count) await nextTurn();
  }

  async #take(batch: PacketBatch): Promise<void> {
    if (this.ended) this.problems.push('a batch came after run had settled');
    if (this.out.has(batch)) this.problems.push('a batch came that was not given back');
    if (batch.count === 0) this.problems.push('a batch came without a packet');
    this.batches++;
    this.out.add(batch);
    for (let slot = 0; slot < batch.count; slot++) this.#look(batch, slot);
    const before = JSON.stringify(packetsOf(batch));
    const isHeld = (this.numbers.at(-1) ?? 0) >= this.#heldFrom;
    const delay = this.#random.below(6);
    if (isHeld) await this.#gate;
    await turns(delay);
    if (JSON.stringify(packetsOf(batch)) !== before) this.problems.push('a batch changed on its way');
    spoil(batch);
    this.out.delete(batch);
  }

  #look(batch: PacketBatch, slot: number): void {
    const [at = -1, end = -1] = [batch.at[slot], batch.end[slot]];
    const { linkType, seconds } = this.#traits;
    if (end - at < 4 || end > batch.bytes.length) {
      this.problems.push(`${at}..${end} does not lie in the block`);
      return;
    }
    const number = batch.bytes.readUInt32BE(end - 4);
    const expected = numberedPacket(number % 0xffff);
    const wrong = [
      [batch.bytes.subarray(at, end).subarray(-expected.length).equals(expected), 'bytes'],
      [batch.wireLen[slot] === end - at, 'wireLen'],
      [batch.linkType[slot] === linkType, 'linkType'],
      [isTime(batch.seconds[slot] ?? -1, seconds), 'seconds'],
      [(batch.nanoseconds[slot] ?? 0) > 0 && (batch.nanoseconds[slot] ?? 0) < 1e9, 'nanoseconds'],
    ].filter(([isRight]) => isRight === false);
    for (const [, what] of wrong) this.problems.push(`packet ${number}: ${String(what)} of slot ${slot}`);
    this.numbers.push(number);
  }
}

/** The time of a packet, in whole seconds: the one that was given, or a moment ago. */
function isTime(told: number, seconds: number | undefined): boolean {
  return seconds === undefined ? Math.abs(Date.now() / 1000 - told) < 60 : told === seconds;
}

/**
 * Overwrites what was delivered. The rest of the block stays: a capture file keeps the packets of the next batch there.
 */
function spoil(batch: PacketBatch): void {
  for (let slot = 0; slot < batch.count; slot++) batch.bytes.fill(0xee, batch.at[slot], batch.end[slot]);
  for (const column of [
    batch.at,
    batch.end,
    batch.wireLen,
    batch.seconds,
    batch.nanoseconds,
    batch.linkType,
  ]) {
    column.fill(0xffff_ffff);
  }
}
