import { PacketBatch } from '../packet/batch.ts';
import type { PlacedPacket } from '../packet/placed-packet.ts';
import type { Block } from '../wire/block.ts';
import { addressBytes } from '../wire/address-bytes.ts';
import { copyBlock } from '../wire/copy.ts';

/** Packets and frame bytes of one batch that is built; a single larger frame gets a block of its own size. */
const CAPACITY = 1024;
const BLOCK_BYTES = 1_048_576;

/**
 * Builds batches of packets that are copied one by one: for sinks that are given their packets in another order than
 * they came. Every packet is delivered; the outer columns say nothing.
 */
export class BatchBuilder {
  readonly #free: PacketBatch[] = [];
  readonly #full: PacketBatch[] = [];
  #batch: PacketBatch | undefined;
  #used = 0;

  /** Copies one packet's frame and its mirror source's address to the end of what is built. */
  put(source: Block, packet: PlacedPacket): void {
    const { frameAt, frameEnd, mirrorSourceAt, mirrorSourceVersion } = packet;
    const bytes = frameEnd - frameAt;
    const sourceBytes = addressBytes(mirrorSourceVersion);
    let batch = this.#batch;
    if (
      batch === undefined ||
      batch.count === batch.capacity ||
      this.#used + sourceBytes + bytes > batch.bytes.length
    ) {
      batch = this.#next(sourceBytes + bytes);
    }
    const slot = batch.count++;
    const sourceAt = this.#used;
    if (sourceBytes > 0) copyBlock(source, mirrorSourceAt, mirrorSourceAt + sourceBytes, batch, sourceAt);
    const at = sourceAt + sourceBytes;
    if (bytes > 0) copyBlock(source, frameAt, frameEnd, batch, at);
    // whole words: the copy of the next one is not torn
    this.#used = (at + bytes + 3) & ~3;
    batch.frameAt[slot] = at;
    batch.frameEnd[slot] = at + bytes;
    batch.at[slot] = at;
    batch.end[slot] = at + bytes;
    batch.wireLen[slot] = packet.frameWireLen;
    batch.frameWireLen[slot] = packet.frameWireLen;
    batch.seconds[slot] = packet.seconds;
    batch.nanoseconds[slot] = packet.nanoseconds;
    batch.transportVerdict[slot] = packet.transportVerdict;
    batch.marks[slot] = packet.marks;
    batch.lane[slot] = packet.lane;
    batch.vni[slot] = packet.vni;
    batch.encapsulation[slot] = packet.encapsulation;
    batch.mirrorSourceAt[slot] = sourceAt;
    batch.mirrorSourceVersion[slot] = mirrorSourceVersion;
    batch.delivered[slot] = slot;
    batch.deliveredCount = batch.count;
  }

  /** The next batch that is built, the last one included though it has room; undefined when there is none. */
  take(): PacketBatch | undefined {
    const full = this.#full.shift();
    if (full !== undefined) return full;
    const batch = this.#batch;
    this.#batch = undefined;
    return batch;
  }

  /** Gives a batch back that nobody reads any more. */
  give(batch: PacketBatch): void {
    // one that was made for a large frame is not kept
    if (batch.bytes.length === BLOCK_BYTES) this.#free.push(batch);
  }

  #next(bytes: number): PacketBatch {
    if (this.#batch !== undefined) this.#full.push(this.#batch);
    const batch =
      bytes > BLOCK_BYTES
        ? new PacketBatch(1, Buffer.allocUnsafeSlow(bytes))
        : (this.#free.pop() ?? new PacketBatch(CAPACITY, Buffer.allocUnsafeSlow(BLOCK_BYTES)));
    batch.clear();
    this.#batch = batch;
    this.#used = 0;
    return batch;
  }
}
