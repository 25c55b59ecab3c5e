import { assert } from '../wire/assert.ts';
import { family } from './constants.ts';
import { iovec, mmsghdr, sockaddrLl } from './layout.ts';
import { systemCalls } from './library.ts';

/** Room for what is put before a frame: an Ethernet header with one VLAN tag, rounded up. */
const HEAD_BYTES = 24;
const ADDRESS_STRIDE = 24;
const WORDS = mmsghdr.bytes / 4;
const IOVEC_WORDS = iovec.bytes / 4;
const NAME = mmsghdr.at['msg_hdr.msg_name'] / 4;
const PIECES = mmsghdr.at['msg_hdr.msg_iovlen'] / 4;
const TWO_32 = 0x1_0000_0000;

/**
 * Frames for sendmmsg on packet sockets, sent from where they lie: each message is a head of its own and a piece of
 * other memory, and goes to the interface that it names.
 *
 * ```
 * at 0   struct mmsghdr × messages
 *        struct iovec × 2 × messages: the head, then the piece
 *        struct sockaddr_ll × addresses, each rounded up to 24 bytes
 *        heads × messages, 24 bytes each
 * ```
 *
 * The kernel is told addresses of the pieces: their memory must stay as it is from `put` until the messages were sent, and
 * the vector keeps it alive as long as it is one of the two that `setMemory` was given last.
 */
export class FrameVector {
  /** Most messages a call can take. */
  readonly messages: number;
  /** The whole block; the heads in it are the caller's to write. */
  readonly bytes: Buffer;
  readonly #view: DataView;
  readonly #words: Uint32Array;
  readonly #iovecsAt: number;
  readonly #addressesAt: number;
  readonly #headsAt: number;
  readonly #address: number;
  /** Where the pieces lie, and their addresses: below 2^53, as those of all 64-bit Linux processes are. */
  readonly #memory: Uint8Array[] = [];
  readonly #bases: [number, number] = [0, 0];

  /** @param addresses interfaces that messages may go to */
  constructor(messages: number, addresses: number) {
    this.messages = messages;
    this.#iovecsAt = messages * mmsghdr.bytes;
    this.#addressesAt = this.#iovecsAt + 2 * messages * iovec.bytes;
    this.#headsAt = this.#addressesAt + addresses * ADDRESS_STRIDE;
    const block = new ArrayBuffer(this.#headsAt + messages * HEAD_BYTES);
    this.bytes = Buffer.from(block);
    this.#view = new DataView(block);
    this.#words = new Uint32Array(block, 0, this.#addressesAt / 4);
    this.#address = Number(systemCalls().address(this.bytes));
    for (let i = 0; i < messages; i++) this.#layOut(i);
  }

  /** Messages whose address is number `address` go to the interface with this number of the kernel's. */
  setInterface(address: number, interfaceIndex: number): void {
    const at = this.#addressesAt + address * ADDRESS_STRIDE;
    assert(address >= 0 && at < this.#headsAt, 'an address of the vector');
    this.#view.setUint16(at + sockaddrLl.at.sll_family, family.AF_PACKET, true);
    this.#view.setInt32(at + sockaddrLl.at.sll_ifindex, interfaceIndex, true);
  }

  /** Says where the pieces of memory 0 or 1 lie. */
  setMemory(which: 0 | 1, memory: Uint8Array): void {
    if (this.#memory[which] === memory) return;
    this.#memory[which] = memory;
    this.#bases[which] = Number(systemCalls().address(memory));
  }

  /** Offset in `bytes` of message `i`'s head. */
  headAt(i: number): number {
    return this.#headsAt + i * HEAD_BYTES;
  }

  /**
   * Message `i` is the first `headBytes` of its head, then bytes `at .. end` of memory `which`. Allocates nothing.
   *
   * @param address number of the interface, as in `setInterface`
   */
  put(i: number, address: number, headBytes: number, which: 0 | 1, at: number, end: number): void {
    const words = this.#words;
    const header = i * WORDS;
    setPointer(words, header + NAME, this.#address + this.#addressesAt + address * ADDRESS_STRIDE);
    const first = this.#iovecsAt / 4 + 2 * i * IOVEC_WORDS;
    words[first + iovec.at.iov_len / 4] = headBytes;
    const second = first + IOVEC_WORDS;
    setPointer(words, second, this.#bases[which] + at);
    words[second + iovec.at.iov_len / 4] = end - at;
  }

  /** For the calls of `messages.ts`: address of message `i`'s header. */
  headerAddress(i: number): bigint {
    return BigInt(this.#address + i * mmsghdr.bytes);
  }

  #layOut(i: number): void {
    const header = i * WORDS;
    const words = this.#words;
    words[header + NAME + 2] = sockaddrLl.bytes;
    const iovecAt = this.#iovecsAt + 2 * i * iovec.bytes;
    setPointer(words, header + mmsghdr.at['msg_hdr.msg_iov'] / 4, this.#address + iovecAt);
    words[header + PIECES] = 2;
    setPointer(words, iovecAt / 4, this.#address + this.headAt(i));
  }
}

function setPointer(words: Uint32Array, at: number, address: number): void {
  words[at] = address;
  words[at + 1] = address / TWO_32;
}
