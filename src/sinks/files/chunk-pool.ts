/** Smallest piece of memory that the pool hands out; sizes are powers of two. */
export const CHUNK_BYTES_MIN = 4096;
/** The largest: more than the longest packet and what stands before it. */
const CHUNK_BYTES_MAX = 524_288;

/** A slab is cut into chunks of one size at a time. */
const SLAB_BYTES = CHUNK_BYTES_MAX;

interface Slab {
  readonly bytes: Buffer;
  chunks: Chunk[];
  free: Chunk[];
}

/** Encoded blocks on their way to one file. */
export class Chunk {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly slab: Slab;
  /** Bytes encoded so far, always whole blocks. */
  used = 0;
  /** Packets among them. */
  packets = 0;
  /** Bytes and packets past which the file has to look for another place; at most what fits. */
  limitBytes = 0;
  limitPackets = 0;
  /** Interfaces that the file has once this chunk is written. */
  interfaces = 0;

  constructor(bytes: Buffer, slab: Slab) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.slab = slab;
  }
}

/**
 * Bounded memory for what waits to be written: slabs, each cut into chunks of one size while it is in use.
 *
 * The last chunk that came back is the first to go out again: with few lanes only a few chunks are ever touched,
 * and they stay in the processor's cache.
 */
export class ChunkPool {
  readonly totalBytes: number;
  /** What the largest chunk holds. */
  readonly largestBytes = CHUNK_BYTES_MAX;
  /** Bytes of all chunks that are out. */
  takenBytes = 0;
  readonly #emptySlabs: Slab[] = [];
  /** By size: slabs that have both free and taken chunks. */
  readonly #openSlabs = new Map<number, Set<Slab>>();
  #slabs = 0;

  /** @param totalBytes most bytes that are ever allocated; at least one slab is */
  constructor(totalBytes: number) {
    this.totalBytes = Math.max(totalBytes, SLAB_BYTES);
  }

  /**
   * Takes a chunk of `wanted` bytes, or a smaller one where there is none, but of at least `least` bytes.
   *
   * @returns undefined while the pool is exhausted, or if no chunk is as large as `least`
   */
  take(wanted: number, least: number): Chunk | undefined {
    const smallest = chunkBytes(least);
    for (let size = Math.max(chunkBytes(wanted), smallest); size >= smallest; size /= 2) {
      const slab = this.#slabWith(size);
      const chunk = slab?.free.pop();
      if (slab === undefined || chunk === undefined) continue;
      if (slab.free.length === 0) this.#openSlabs.get(size)?.delete(slab);
      this.takenBytes += size;
      chunk.used = 0;
      chunk.packets = 0;
      return chunk;
    }
    return undefined;
  }

  /** Gives a chunk back. */
  release(chunk: Chunk): void {
    const { slab } = chunk;
    const size = chunk.bytes.length;
    this.takenBytes -= size;
    slab.free.push(chunk);
    if (slab.free.length === slab.chunks.length) {
      this.#openSlabs.get(size)?.delete(slab);
      this.#emptySlabs.push(slab);
    } else if (slab.free.length === 1) {
      this.#open(slab, size);
    }
  }

  /** A slab with a free chunk of this size: one that is in use, else an empty one, else a new one. */
  #slabWith(size: number): Slab | undefined {
    if (size > SLAB_BYTES) return undefined;
    const open = this.#openSlabs.get(size)?.values().next().value;
    if (open !== undefined) return open;
    const slab = this.#emptySlabs.pop() ?? this.#allocate();
    if (slab === undefined) return undefined;
    if (slab.chunks[0]?.bytes.length !== size) cut(slab, size);
    this.#open(slab, size);
    return slab;
  }

  #open(slab: Slab, size: number): void {
    let open = this.#openSlabs.get(size);
    if (open === undefined) this.#openSlabs.set(size, (open = new Set()));
    open.add(slab);
  }

  #allocate(): Slab | undefined {
    if ((this.#slabs + 1) * SLAB_BYTES > this.totalBytes) return undefined;
    this.#slabs++;
    return { bytes: Buffer.allocUnsafeSlow(SLAB_BYTES), chunks: [], free: [] };
  }
}

function cut(slab: Slab, size: number): void {
  slab.chunks = [];
  for (let at = 0; at < SLAB_BYTES; at += size) {
    slab.chunks.push(new Chunk(slab.bytes.subarray(at, at + size), slab));
  }
  slab.free = [...slab.chunks];
}

/** The size of chunk that holds `bytes`; past the largest size for what no chunk can hold. */
function chunkBytes(bytes: number): number {
  let size = CHUNK_BYTES_MIN;
  while (size < bytes && size <= SLAB_BYTES) size *= 2;
  return size;
}
