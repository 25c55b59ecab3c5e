import { PacketBatch } from '../../packet/batch.ts';

/** Captures up to so many bytes of packets are kept; larger ones are read from their file each time. */
const KEPT_BYTES_MAX = 33_554_432;

/**
 * The packets of a capture, kept while it is sent for the first time, so that sending it again needs no file. Opening
 * and reading a small file costs more than sending what is in it.
 */
export class KeptCapture {
  readonly #bytesMax: number;
  readonly #batches: PacketBatch[] = [];
  #bytes = 0;
  #isTooLarge = false;

  constructor(bytesMax: number = KEPT_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** Copies a batch; once the limit is passed nothing is kept any more. */
  keep(batch: PacketBatch): void {
    if (this.#isTooLarge || batch.count === 0) return;
    const [from, to] = extent(batch);
    this.#bytes += to - from;
    if (this.#bytes > this.#bytesMax) {
      this.#isTooLarge = true;
      this.#batches.length = 0;
      return;
    }
    this.#batches.push(copyOf(batch, from, to));
  }

  /** What was kept, in order; `undefined` where the capture was too large. */
  get batches(): readonly PacketBatch[] | undefined {
    return this.#isTooLarge ? undefined : this.#batches;
  }
}

/** The part of the block that packets lie in. */
function extent(batch: PacketBatch): [from: number, to: number] {
  let from = batch.bytes.length;
  let to = 0;
  for (let slot = 0; slot < batch.count; slot++) {
    from = Math.min(from, batch.at[slot] ?? 0);
    to = Math.max(to, batch.end[slot] ?? 0);
  }
  return [from, to];
}

function copyOf(batch: PacketBatch, from: number, to: number): PacketBatch {
  const { count } = batch;
  const copy = new PacketBatch(count, Buffer.from(batch.bytes.subarray(from, to)));
  for (let slot = 0; slot < count; slot++) {
    copy.at[slot] = (batch.at[slot] ?? 0) - from;
    copy.end[slot] = (batch.end[slot] ?? 0) - from;
  }
  copy.wireLen.set(batch.wireLen.subarray(0, count));
  copy.seconds.set(batch.seconds.subarray(0, count));
  copy.nanoseconds.set(batch.nanoseconds.subarray(0, count));
  copy.linkType.set(batch.linkType.subarray(0, count));
  copy.count = count;
  return copy;
}
