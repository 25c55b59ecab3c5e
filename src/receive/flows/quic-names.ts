import { copyBytes } from '../../wire/copy.ts';
import * as quic from '../../wire/quic-initial.ts';
import type { NameHashes } from './name-hashes.ts';
import { clientInitialKeys } from './quic-keys.ts';

/** Takes data of a CRYPTO frame: bytes `at .. end - 1` are at `offset` of the stream. */
export interface CryptoSink {
  takeCrypto(offset: number, bytes: Uint8Array, at: number, end: number): void;
}

/** Packets of a datagram that are looked at. */
const PACKETS_MAX = 4;
/** A header with two longest ids, a token and a packet number; one with a longer token is not read. */
const HEADER_LEN_MAX = 1024;
const ABSENT = -1;

/**
 * Opens the Initial packets of a client: RFC 9001 section 5, RFC 9369.
 *
 * A packet that was cut, or changed by a single bit, cannot be opened. Neither can Initial packets of a server, unless
 * its answer repeats the client's first id. Each packet that is tried costs five HMACs, a block of AES and a decryption;
 * the finder bounds how many of a flow are.
 */
export class QuicOpener {
  readonly #hashes: NameHashes;
  readonly #header = new quic.LongHeader();
  readonly #plainHeader = Buffer.alloc(HEADER_LEN_MAX);

  constructor(hashes: NameHashes) {
    this.#hashes = hashes;
  }

  /** Hands on the crypto data of the datagram `at .. end - 1`. False where no packet of it could be opened. */
  open(bytes: Buffer, at: number, end: number, sink: CryptoSink): boolean {
    if (end - at < quic.DATAGRAM_LEN_MIN) return false;
    const header = this.#header;
    let opened = false;
    let cursor = at;
    for (let i = 0; i < PACKETS_MAX && quic.isLongHeader(bytes, cursor, end); i++) {
      if (!quic.readLongHeader(bytes, cursor, end, header)) break;
      if (header.type === quic.PacketType.initial && this.#openInitial(bytes, cursor, sink)) opened = true;
      cursor = header.packetEnd;
    }
    return opened;
  }

  #openInitial(bytes: Buffer, at: number, sink: CryptoSink): boolean {
    const { version, destinationIdAt, destinationIdLen, packetNumberAt, packetEnd } = this.#header;
    const sampleAt = packetNumberAt + quic.SAMPLE_OFFSET;
    const headerLen = packetNumberAt - at + quic.SAMPLE_OFFSET;
    if (destinationIdLen < quic.FIRST_ID_LEN_MIN || headerLen > HEADER_LEN_MAX) return false;
    if (sampleAt + quic.SAMPLE_LEN > packetEnd) return false;

    const id = bytes.subarray(destinationIdAt, destinationIdAt + destinationIdLen);
    const { key, iv, headerKey } = clientInitialKeys(version, id, this.#hashes);
    const mask = this.#hashes.aes128Ecb(headerKey, bytes.subarray(sampleAt, sampleAt + quic.SAMPLE_LEN));

    const plain = this.#plainHeader;
    copyBytes(bytes, at, packetNumberAt + quic.SAMPLE_OFFSET, plain, 0);
    plain[0]! ^= mask[0]! & 0x0f;
    const numberLen = 1 + (plain[0]! & 3);
    const numberAt = packetNumberAt - at;
    for (let i = 0; i < numberLen; i++) {
      plain[numberAt + i]! ^= mask[1 + i]!;
      // the nonce is the vector with the packet number in its last bytes; RFC 9001 section 5.3
      iv[iv.length - numberLen + i]! ^= plain[numberAt + i]!;
    }
    const sealed = bytes.subarray(packetNumberAt + numberLen, packetEnd);
    const frames = this.#hashes.aes128GcmDecrypt(key, iv, plain.subarray(0, numberAt + numberLen), sealed);
    if (frames === undefined) return false;
    handOn(frames, sink);
    return true;
  }
}

/** Walks the frames of an opened Initial packet; one of another kind ends the walk. */
function handOn(frames: Uint8Array, sink: CryptoSink): void {
  let cursor = 0;
  while (cursor !== ABSENT && cursor < frames.length) {
    switch (frames[cursor]) {
      case quic.FrameType.padding:
        while (frames[cursor] === quic.FrameType.padding) cursor++;
        break;
      case quic.FrameType.ping:
        cursor++;
        break;
      case quic.FrameType.ack:
        cursor = skipAck(frames, cursor + 1, 0);
        break;
      case quic.FrameType.ackEcn:
        cursor = skipAck(frames, cursor + 1, 3);
        break;
      case quic.FrameType.crypto:
        cursor = takeCrypto(frames, cursor + 1, sink);
        break;
      default:
        return;
    }
  }
}

/** Offset, length, data; RFC 9000 section 19.6. Returns the offset after it, ABSENT where it contradicts itself. */
function takeCrypto(frames: Uint8Array, at: number, sink: CryptoSink): number {
  const lengthAt = skipVarints(frames, at, 1);
  const dataAt = lengthAt === ABSENT ? ABSENT : skipVarints(frames, lengthAt, 1);
  if (dataAt === ABSENT) return ABSENT;
  const dataEnd = dataAt + quic.varint(frames, lengthAt);
  if (dataEnd > frames.length) return ABSENT;
  sink.takeCrypto(quic.varint(frames, at), frames, dataAt, dataEnd);
  return dataEnd;
}

/** Largest, delay, count, first range, then two numbers a range, and `more` of ECN; RFC 9000 section 19.3. */
function skipAck(frames: Uint8Array, at: number, more: number): number {
  const countAt = skipVarints(frames, at, 2);
  if (countAt === ABSENT || !quic.varintComplete(frames, countAt, frames.length)) return ABSENT;
  const count = quic.varint(frames, countAt);
  return count > frames.length ? ABSENT : skipVarints(frames, countAt, 2 + 2 * count + more);
}

function skipVarints(frames: Uint8Array, at: number, count: number): number {
  let cursor = at;
  for (let i = 0; i < count; i++) {
    if (!quic.varintComplete(frames, cursor, frames.length)) return ABSENT;
    cursor += quic.varintLen(frames, cursor);
  }
  return cursor;
}
