import { createHash } from 'node:crypto';
import { MAX_RECORD_BYTES } from '../format/limits.ts';
import { CaptureWalk } from '../format/capture-walk.ts';
import type { WalkedInterface } from '../format/walked-interface.ts';
import type { FileSystem } from './file-system.ts';
import type { IndexedLane } from './indexed-file.ts';
import type { CaptureFormat } from './live-names.ts';

/** Read at a time: more made nothing faster. */
const READ_BYTES = 1024 * 1024;
/** Used for one file after the other: memory of its own for each of thousands of small ones would pile up. */
let readBlock: Buffer | undefined;

/** What a file holds, and the hash of its bytes as they are stored. */
export interface ReadCapture {
  readonly walk: CaptureWalk;
  readonly bytes: number;
  readonly sha256: string;
}

/** Hands out the bytes of a compressed file, decompressed: how many it put into `target[at .. end)`, 0 at the end. */
export interface InflatedBytes {
  read(target: Buffer, at: number, end: number): Promise<number>;
  close(): Promise<void>;
}

/** Windows of a file, one after the other, in one block of memory; what a walk leaves of one comes again in the next. */
class Windows {
  readonly block: Buffer;
  #leftAt = 0;
  #leftEnd = 0;

  constructor(block: Buffer) {
    this.block = block;
  }

  /** Where the next bytes are read to. */
  get at(): number {
    this.block.copyWithin(0, this.#leftAt, this.#leftEnd);
    this.#leftEnd -= this.#leftAt;
    this.#leftAt = 0;
    return this.#leftEnd;
  }

  /** Lets the walk go over what was read: `count` bytes. False once it goes no further. */
  walk(walk: CaptureWalk, count: number): boolean {
    this.#leftEnd += count;
    this.#leftAt = walk.feed(this.block, 0, this.#leftEnd);
    return walk.problem === undefined && this.#leftEnd - this.#leftAt < MAX_RECORD_BYTES;
  }
}

function newBlock(): Buffer {
  return Buffer.allocUnsafeSlow(MAX_RECORD_BYTES + READ_BYTES);
}

/** For what is read without giving the thread to anything else meanwhile. */
function sharedBlock(): Buffer {
  return (readBlock ??= newBlock());
}

/** Reads a plain capture to its end: what it holds, its size and its hash in one pass. */
export function readCapture(files: FileSystem, descriptor: number, format: CaptureFormat): ReadCapture {
  const walk = new CaptureWalk(format);
  const windows = new Windows(sharedBlock());
  const hash = createHash('sha256');
  let walking = true;
  let position = 0;
  for (;;) {
    const at = walking ? windows.at : 0;
    const count = files.readSync(descriptor, windows.block, at, READ_BYTES, position);
    if (count === 0) return { walk, bytes: position, sha256: hash.digest('hex') };
    hash.update(windows.block.subarray(at, at + count));
    position += count;
    walking &&= windows.walk(walk, count);
  }
}

/** What is in a compressed capture: the bytes before compression, and whether they end in damage. */
export interface WalkedInflated {
  readonly walk: CaptureWalk;
  readonly bytes: number;
  readonly broken: boolean;
}

/** Walks over what is in a compressed capture, up to where it can be decompressed. Closes it. */
export async function walkInflated(inflated: InflatedBytes, format: CaptureFormat): Promise<WalkedInflated> {
  const walk = new CaptureWalk(format);
  const windows = new Windows(newBlock());
  let bytes = 0;
  try {
    for (let walking = true; walking; ) {
      const { at } = windows;
      const count = await inflated.read(windows.block, at, at + READ_BYTES);
      if (count === 0) break;
      bytes += count;
      walking = windows.walk(walk, count);
    }
    return { walk, bytes, broken: false };
  } catch {
    return { walk, bytes, broken: true };
  } finally {
    await inflated.close();
  }
}

/** Hash and size of a file's bytes, whatever they are. */
export function hashFile(files: FileSystem, descriptor: number): { bytes: number; sha256: string } {
  const hash = createHash('sha256');
  const block = sharedBlock();
  for (let position = 0; ; ) {
    const count = files.readSync(descriptor, block, 0, READ_BYTES, position);
    if (count === 0) return { bytes: position, sha256: hash.digest('hex') };
    hash.update(block.subarray(0, count));
    position += count;
  }
}

/** What the index says of the lanes in a file. One without a name has that of its folder: a pcap says none. */
export function lanesOf(walk: CaptureWalk, folder: string): IndexedLane[] {
  return walk.interfaces.map((found: WalkedInterface) => {
    const { first, last } = found;
    return {
      name: found.name === '' ? folder : found.name,
      packets: found.packets,
      dropped: found.dropped,
      firstSeconds: first.seconds,
      firstNanoseconds: first.nanoseconds,
      lastSeconds: last.seconds,
      lastNanoseconds: last.nanoseconds,
    };
  });
}
