import type { PacketBatch } from '../../packet/batch.ts';
import * as linkTypes from '../../packet/link-type.ts';
import { assert } from '../../wire/assert.ts';
import { packetHeader } from './ring-layout.ts';
import type { RingMemory } from './ring-memory.ts';

// for speed: see "Constants" in src/README.md
const { LinkType } = linkTypes;

/** Offsets in 32-bit words. */
const NEXT = packetHeader.at.tp_next_offset / 4;
const SECONDS = packetHeader.at.tp_sec / 4;
const NANOSECONDS = packetHeader.at.tp_nsec / 4;
const CAPTURED = packetHeader.at.tp_snaplen / 4;
const LENGTH = packetHeader.at.tp_len / 4;
/** `tp_mac` in the low half, `tp_net` in the high half. */
const OFFSETS = packetHeader.at.tp_mac / 4;

/**
 * Puts packets of one block behind those that a batch has, in place: its columns point into the ring. Allocates nothing.
 *
 * @param block    which block, in the reader's hands
 * @param headerAt byte offset in the ring of the first packet's header
 * @param count    packets to take, at most as many as the block still has and the batch has room for
 * @param isRest   the last of them is the last of the block
 * @returns byte offset of the header behind them; of no meaning after the last packet of a block
 * @throws AssertionFailure where the kernel's offsets lead out of the block
 */
export function walkPackets(
  memory: RingMemory,
  block: number,
  headerAt: number,
  count: number,
  isRest: boolean,
  batch: PacketBatch,
): number {
  const { words } = memory;
  const blockAt = block * memory.blockBytes;
  const blockEnd = blockAt + memory.blockBytes;
  const last = batch.count + count - 1;
  let header = headerAt;
  for (let slot = batch.count; slot <= last; slot++) {
    const word = header >>> 2;
    const at = header + ((words[word + OFFSETS] ?? 0) >>> 16);
    const captured = words[word + CAPTURED] ?? 0;
    const end = at + captured;
    assert(header > blockAt && (header & 7) === 0 && end <= blockEnd, 'a packet lies in its block');
    batch.at[slot] = at;
    batch.end[slot] = end;
    batch.wireLen[slot] = words[word + LENGTH] ?? captured;
    batch.seconds[slot] = words[word + SECONDS] ?? 0;
    batch.nanoseconds[slot] = words[word + NANOSECONDS] ?? 0;
    batch.linkType[slot] = LinkType.raw;
    const next = words[word + NEXT] ?? 0;
    assert(next >= packetHeader.bytes || (isRest && slot === last), 'a packet leads to the next one');
    header += next;
  }
  batch.count = last + 1;
  return header;
}

/** Byte offset of the header of the block's packet `offset`; see `walkPackets`. */
export function headerOf(memory: RingMemory, block: number, offset: number): number {
  const { words } = memory;
  const blockEnd = (block + 1) * memory.blockBytes;
  let header = memory.firstHeader(block);
  for (let passed = 0; passed < offset; passed++) {
    const next = words[(header >>> 2) + NEXT] ?? 0;
    assert(next >= packetHeader.bytes && header + next < blockEnd, 'a packet leads to the next one');
    header += next;
  }
  return header;
}
