import { assert } from '../wire/assert.ts';
import { iovec, mmsghdr } from './layout.ts';
import { systemCalls } from './library.ts';

/** Buffers, names and controls begin at multiples of this, as the kernel writes 64-bit numbers into controls. */
const ALIGNMENT = 8;
/** 32-bit words of a `struct mmsghdr`, and where its fields are in them. */
const WORDS = mmsghdr.bytes / 4;
const NAME_LENGTH = mmsghdr.at['msg_hdr.msg_namelen'] / 4;
const CONTROL_LENGTH = mmsghdr.at['msg_hdr.msg_controllen'] / 4;
const FLAGS = mmsghdr.at['msg_hdr.msg_flags'] / 4;
const LENGTH = mmsghdr.at.msg_len / 4;

/**
 * The memory of recvmmsg and sendmmsg: headers, names, controls and buffers of a fixed number of messages in one block,
 * laid out once. A vector serves one thread, for receiving or for sending.
 *
 * ```
 * at 0   struct mmsghdr × messages
 *        struct iovec × messages
 *        names × messages, each nameBytes rounded up
 *        controls × messages, each controlBytes rounded up
 *        buffers × messages, each headBytes + bufferBytes rounded up
 * ```
 *
 * The kernel is told addresses inside the block, so the vector must live as long as calls are made with it; as V8
 * moves no such block, the addresses stay right.
 */
export class MessageVector {
  /** Most messages a call can take. */
  readonly messages: number;
  /** The whole block. */
  readonly bytes: Buffer;
  /** The whole block, to read numbers of the kernel's (little) byte order in place. */
  readonly view: DataView;
  /** Bytes from one message's buffer to the next one's. */
  readonly stride: number;
  readonly #bufferBytes: number;
  readonly #controlBytes: number;
  readonly #nameBytes: number;
  readonly #iovecsAt: number;
  readonly #namesAt: number;
  readonly #nameStride: number;
  readonly #controlsAt: number;
  readonly #controlStride: number;
  readonly #buffersAt: number;
  readonly #words: Uint32Array;
  readonly #address: bigint;
  #used = 0;

  /**
   * @param messages at least 1
   * @param bufferBytes for one message's bytes; what is longer is cut, and flagged MSG_TRUNC
   * @param controlBytes for one message's control messages; 0: none are wanted
   * @param nameBytes for one message's address (16: `sockaddr_in`, 28: `sockaddr_in6`, 20: `sockaddr_ll`); 0: none
   * @param headBytes left free before each buffer, for a header that the caller writes
   */
  constructor(messages: number, bufferBytes: number, controlBytes: number, nameBytes: number, headBytes = 0) {
    this.messages = messages;
    this.#bufferBytes = bufferBytes;
    this.#controlBytes = controlBytes;
    this.#nameBytes = nameBytes;
    this.#nameStride = aligned(nameBytes);
    this.#controlStride = aligned(controlBytes);
    this.stride = aligned(headBytes + bufferBytes);
    this.#iovecsAt = messages * mmsghdr.bytes;
    this.#namesAt = this.#iovecsAt + messages * iovec.bytes;
    this.#controlsAt = this.#namesAt + messages * this.#nameStride;
    const headsAt = this.#controlsAt + messages * this.#controlStride;
    this.#buffersAt = headsAt + headBytes;
    const block = new ArrayBuffer(headsAt + messages * this.stride);
    this.bytes = Buffer.from(block);
    this.view = new DataView(block);
    this.#words = new Uint32Array(block, 0, messages * WORDS);
    this.#address = systemCalls().address(this.bytes);
    for (let i = 0; i < messages; i++) this.#layOut(i);
  }

  /** Bytes that message `i` brought; after `receiveMessages`. */
  length(i: number): number {
    return this.#words[i * WORDS + LENGTH] ?? 0;
  }

  /** MSG_TRUNC where the message was longer than its buffer, MSG_CTRUNC where its controls were. */
  flags(i: number): number {
    return this.#words[i * WORDS + FLAGS] ?? 0;
  }

  /** Offset in `bytes` of message `i`'s buffer. */
  bufferAt(i: number): number {
    return this.#buffersAt + i * this.stride;
  }

  /** Offset in `bytes` of the address message `i` came from. */
  nameAt(i: number): number {
    return this.#namesAt + i * this.#nameStride;
  }

  /** Bytes of that address. */
  nameLength(i: number): number {
    return this.#words[i * WORDS + NAME_LENGTH] ?? 0;
  }

  /** Offset in `bytes` of message `i`'s first control message, a `struct cmsghdr`. */
  controlAt(i: number): number {
    return this.#controlsAt + i * this.#controlStride;
  }

  /** Bytes of all its control messages. */
  controlLength(i: number): number {
    return this.#words[i * WORDS + CONTROL_LENGTH] ?? 0;
  }

  /** To send: message `i` is the first `bytes` of its buffer. */
  setLength(i: number, bytes: number): void {
    assert(bytes <= this.#bufferBytes, 'a message is no longer than its buffer');
    this.view.setUint32(this.#iovecsAt + i * iovec.bytes + iovec.at.iov_len, bytes, true);
  }

  /**
   * To send: every message goes to this address; it is copied into the first name.
   *
   * @param address a `struct sockaddr_*`, at most `nameBytes`
   */
  setDestination(address: Uint8Array): void {
    assert(address.length <= this.#nameBytes, 'the destination fits the room for a name');
    this.bytes.set(address, this.#namesAt);
    for (let i = 0; i < this.messages; i++) {
      this.#pointer(i * mmsghdr.bytes + mmsghdr.at['msg_hdr.msg_name'], this.#namesAt);
      this.#words[i * WORDS + NAME_LENGTH] = address.length;
    }
  }

  /** For the calls of `messages.ts`: makes the room that the last call used whole again. */
  reset(): void {
    for (let i = 0; i < this.#used; i++) {
      this.#words[i * WORDS + NAME_LENGTH] = this.#nameBytes;
      this.#words[i * WORDS + CONTROL_LENGTH] = this.#controlBytes;
    }
    this.#used = 0;
  }

  /** For the calls of `messages.ts`: the kernel has written to so many headers. */
  used(messages: number): void {
    this.#used = messages;
  }

  /** For the calls of `messages.ts`: address of message `i`'s header. */
  headerAddress(i: number): bigint {
    return i === 0 ? this.#address : this.#address + BigInt(i * mmsghdr.bytes);
  }

  #layOut(i: number): void {
    const { at, bytes } = mmsghdr;
    const headerAt = i * bytes;
    const iovecAt = this.#iovecsAt + i * iovec.bytes;
    if (this.#nameBytes > 0) this.#pointer(headerAt + at['msg_hdr.msg_name'], this.nameAt(i));
    if (this.#controlBytes > 0) this.#pointer(headerAt + at['msg_hdr.msg_control'], this.controlAt(i));
    this.#pointer(headerAt + at['msg_hdr.msg_iov'], iovecAt);
    this.view.setUint32(headerAt + at['msg_hdr.msg_iovlen'], 1, true);
    this.#words[i * WORDS + NAME_LENGTH] = this.#nameBytes;
    this.#words[i * WORDS + CONTROL_LENGTH] = this.#controlBytes;
    this.#pointer(iovecAt + iovec.at.iov_base, this.bufferAt(i));
    this.view.setUint32(iovecAt + iovec.at.iov_len, this.#bufferBytes, true);
  }

  #pointer(at: number, target: number): void {
    this.view.setBigUint64(at, this.#address + BigInt(target), true);
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
