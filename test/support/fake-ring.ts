import { newRingState } from '../../src/inputs/ring/ring-cursor.ts';
import type { RingHandle } from '../../src/inputs/ring/ring-handle.ts';
import { blockDescriptor, packetHeader } from '../../src/inputs/ring/ring-layout.ts';
import { newWakeWord } from '../../src/inputs/ring/slumber.ts';

/** What the kernel knows of a packet. */
export interface RingPacket {
  /** What it captured: the packet from its IP header on. */
  readonly bytes: Uint8Array;
  /** Bytes the packet had; left out: as many as were captured. */
  readonly wireLen?: number;
  readonly seconds?: number;
  readonly nanoseconds?: number;
}

const STATUS = blockDescriptor.at['hdr.bh1.block_status'];
const PACKETS = blockDescriptor.at['hdr.bh1.num_pkts'];
const FIRST = blockDescriptor.at['hdr.bh1.offset_to_first_pkt'];
const SEQUENCE = blockDescriptor.at['hdr.bh1.seq_num'];
/** TP_STATUS_USER and TP_STATUS_BLK_TMO. */
const USER = 1;
const TIMED_OUT = 32;
/** From a packet's header to its bytes: the header, a `struct sockaddr_ll`, and 16 bytes, all aligned. */
const DATA = 96;

/** A packet ring in plain memory, which is filled as the kernel fills one (net/packet/af_packet.c, `prb_…`). */
export class FakeRing {
  readonly handle: RingHandle;
  readonly bytes: Buffer;
  /** Packets for which there was no room. */
  drops = 0;
  readonly #blocks: number;
  readonly #blockBytes: number;
  #position = 0;
  #sequence: number;
  /** Where in the block the next packet goes. */
  #fill = 0;
  /** Header of the last packet of the block. */
  #last = 0;
  /** The next block is still the reader's. */
  #frozen = false;

  /** @param firstSequence number of the first block; the kernel begins with 1 */
  constructor({ blocks = 4, blockBytes = 4096, retireMs = 8, firstSequence = 1 } = {}) {
    this.#blocks = blocks;
    this.#blockBytes = blockBytes;
    this.#sequence = firstSequence - 1;
    const memory = new ArrayBuffer(blocks * blockBytes);
    this.bytes = Buffer.from(memory).fill(0);
    const state = newRingState(firstSequence);
    const [descriptor, address, interfaceName] = [-1, 0n, 'fake0'];
    const wake = newWakeWord();
    this.handle = { descriptor, address, blockBytes, blocks, interfaceName, retireMs, state, wake };
    this.#openBlock();
  }

  /** Statuses of all blocks: `k` the kernel's, `u` the reader's. */
  get owners(): string {
    return Array.from({ length: this.#blocks }, (_, block) => (this.#isTaken(block) ? 'u' : 'k')).join('');
  }

  /** A packet comes. Returns false where it found no room. */
  put({ bytes, wireLen = bytes.length, seconds = 0, nanoseconds = 0 }: RingPacket): boolean {
    const room = Math.ceil((DATA + bytes.length) / 8) * 8;
    if (!this.#frozen && this.#fill + room > this.#blockBytes) this.#retire(USER);
    if (this.#frozen && !this.#isTaken(this.#position)) this.#openBlock();
    if (this.#frozen) {
      this.drops++;
      return false;
    }
    const block = this.#position * this.#blockBytes;
    const header = block + this.#fill;
    this.bytes.writeUInt32LE(room, header + packetHeader.at.tp_next_offset);
    this.bytes.writeUInt32LE(seconds, header + packetHeader.at.tp_sec);
    this.bytes.writeUInt32LE(nanoseconds, header + packetHeader.at.tp_nsec);
    this.bytes.writeUInt32LE(bytes.length, header + packetHeader.at.tp_snaplen);
    this.bytes.writeUInt32LE(wireLen, header + packetHeader.at.tp_len);
    this.bytes.writeUInt16LE(DATA - 14, header + packetHeader.at.tp_mac);
    this.bytes.writeUInt16LE(DATA, header + packetHeader.at.tp_net);
    this.bytes.set(bytes, header + DATA);
    this.bytes.writeUInt32LE(this.bytes.readUInt32LE(block + PACKETS) + 1, block + PACKETS);
    this.#last = header;
    this.#fill += room;
    return true;
  }

  /** `retireMs` have passed: a block with a packet is handed over. */
  tick(): void {
    if (this.#frozen) {
      if (!this.#isTaken(this.#position)) this.#openBlock();
    } else if (this.bytes.readUInt32LE(this.#position * this.#blockBytes + PACKETS) > 0) {
      this.#retire(USER | TIMED_OUT);
    }
  }

  /** Hands a block over that holds nothing, as kernels before 3.19 do when the time has passed. */
  tickEmpty(): void {
    this.#retire(USER | TIMED_OUT);
  }

  /** The word `wordAt` bytes into the header of the first packet of a block. */
  damage(block: number, wordAt: number, value: number): void {
    this.bytes.writeUInt32LE(value, block * this.#blockBytes + blockDescriptor.bytes + wordAt);
  }

  /** The number of packets that a block says it has. */
  damageCount(block: number, value: number): void {
    this.bytes.writeUInt32LE(value, block * this.#blockBytes + PACKETS);
  }

  /** The kernel's number of a block. */
  damageSequence(block: number, value: number): void {
    this.bytes.writeUInt32LE(value, block * this.#blockBytes + SEQUENCE);
  }

  #isTaken(block: number): boolean {
    return (this.bytes.readUInt32LE(block * this.#blockBytes + STATUS) & USER) !== 0;
  }

  #retire(status: number): void {
    const block = this.#position * this.#blockBytes;
    if (this.bytes.readUInt32LE(block + PACKETS) > 0) {
      this.bytes.writeUInt32LE(0, this.#last + packetHeader.at.tp_next_offset);
    }
    this.bytes.writeUInt32LE(status, block + STATUS);
    this.#position = (this.#position + 1) % this.#blocks;
    this.#frozen = true;
    if (!this.#isTaken(this.#position)) this.#openBlock();
  }

  #openBlock(): void {
    const block = this.#position * this.#blockBytes;
    this.#sequence++;
    this.bytes.writeBigUInt64LE(BigInt(this.#sequence), block + SEQUENCE);
    this.bytes.writeUInt32LE(0, block + PACKETS);
    this.bytes.writeUInt32LE(blockDescriptor.bytes, block + FIRST);
    this.#fill = blockDescriptor.bytes;
    this.#frozen = false;
  }
}
