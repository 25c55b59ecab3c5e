/**
 * TLS ClientHello with the header of its handshake message, RFC 8446 sections 4 and 4.1.2 (RFC 5246 section 7.4.1.2
 * before it):
 *
 *   byte 0     message type, 1
 *   byte 1-3   bytes that follow
 *   byte 4-5   version; newer ones are in an extension
 *   byte 6-37  random
 *   byte 38    length of the session id, at most 32, then the id
 *   2 bytes    length of the cipher suites, then these, 2 bytes each
 *   1 byte     length of the compression methods, then these
 *   2 bytes    length of the extensions, then these; may be left out
 *
 * An extension is its type and its length, 2 bytes each, then its data. What arrived of a cut message is read as far
 * as it goes: a field is set where all of it is there.
 */
import { u16, u24 } from './bytes.ts';

/** Bytes of the header of a handshake message. */
export const MESSAGE_HEADER_LEN = 4;

/** Types of handshake messages. */
export const MessageType = { clientHello: 1, serverHello: 2 } as const;

/** Types of extensions that mirrortap names; IANA, "TLS ExtensionType Values". */
export const ExtensionType = {
  /** RFC 6066 section 3. */
  serverName: 0,
  /** RFC 8446 section 4.2.3. */
  signatureAlgorithms: 13,
  /** RFC 7301. */
  applicationProtocols: 16,
  /** RFC 8446 section 4.2.1. */
  supportedVersions: 43,
} as const;

/** How much of a message was read. */
export const HelloState = {
  /** All of it. */
  whole: 0,
  /** As far as it arrived. */
  cut: 1,
  /** It contradicts itself, or is no ClientHello. */
  bad: 2,
} as const;
export type HelloState = (typeof HelloState)[keyof typeof HelloState];

const VERSION = 4;
const SESSION_ID_LENGTH = 38;
const SESSION_ID_LEN_MAX = 32;
const HOST_NAME = 0;
const ABSENT = -1;

/** Where the parts of a ClientHello lie. One instance serves all; offsets are ABSENT (-1) where a part is not there. */
export class ClientHello {
  /** The version field of the message itself; 0 where it did not arrive. */
  version = 0;
  /** Cipher suites, 2 bytes each. */
  ciphersAt = ABSENT;
  ciphersEnd = ABSENT;
  /** Extensions that arrived whole, one after the other. */
  extensionsAt = ABSENT;
  extensionsEnd = ABSENT;
  /** 1 where there is a server name extension, with or without a name in it. */
  hasServerName = 0;
  /** The first host name, without its length. */
  serverNameAt = ABSENT;
  serverNameEnd = ABSENT;
  /** The first application protocol, without its length. */
  protocolAt = ABSENT;
  protocolEnd = ABSENT;
  /** Supported versions, 2 bytes each. */
  versionsAt = ABSENT;
  versionsEnd = ABSENT;
  /** Signature algorithms, 2 bytes each. */
  signaturesAt = ABSENT;
  signaturesEnd = ABSENT;
}

/** Bytes of the message that begins at `at`, with its header; `end - at` is at least MESSAGE_HEADER_LEN. */
export function messageLen(bytes: Uint8Array, at: number): number {
  return MESSAGE_HEADER_LEN + u24(bytes, at + 1);
}

/**
 * Says whether a number is one that clients send so that servers learn to ignore what they do not know: both bytes
 * alike, and 0xa in the lower half of each. RFC 8701 section 2.
 */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >>> 8 === (value & 0xff);
}

/** Reads the message at `at`; `end` is one past what arrived of it. */
export function readClientHello(bytes: Uint8Array, at: number, end: number, out: ClientHello): HelloState {
  forget(out);
  if (end - at < MESSAGE_HEADER_LEN) return HelloState.cut;
  if (bytes[at] !== MessageType.clientHello) return HelloState.bad;
  const promised = at + messageLen(bytes, at);
  const arrived = Math.min(end, promised);

  if (at + SESSION_ID_LENGTH >= arrived) return short(at + SESSION_ID_LENGTH + 1, promised);
  out.version = u16(bytes, at + VERSION);
  const sessionIdLen = bytes[at + SESSION_ID_LENGTH]!;
  if (sessionIdLen > SESSION_ID_LEN_MAX) return HelloState.bad;

  const ciphersAt = at + SESSION_ID_LENGTH + 1 + sessionIdLen + 2;
  if (ciphersAt > arrived) return short(ciphersAt, promised);
  const ciphersEnd = ciphersAt + u16(bytes, ciphersAt - 2);
  if (((ciphersEnd - ciphersAt) & 1) !== 0) return HelloState.bad;
  if (ciphersEnd >= arrived) return short(ciphersEnd + 1, promised);
  out.ciphersAt = ciphersAt;
  out.ciphersEnd = ciphersEnd;

  const compressionEnd = ciphersEnd + 1 + bytes[ciphersEnd]!;
  if (compressionEnd === promised) return end >= promised ? HelloState.whole : HelloState.cut;
  const extensionsAt = compressionEnd + 2;
  if (extensionsAt > arrived) return short(extensionsAt, promised);
  if (extensionsAt + u16(bytes, compressionEnd) !== promised) return HelloState.bad;
  return readExtensions(bytes, extensionsAt, arrived, promised, out);
}

/** What a message is whose part that ends at `needed` did not arrive. */
function short(needed: number, promised: number): HelloState {
  return needed > promised ? HelloState.bad : HelloState.cut;
}

function readExtensions(
  bytes: Uint8Array,
  at: number,
  arrived: number,
  promised: number,
  out: ClientHello,
): HelloState {
  out.extensionsAt = at;
  out.extensionsEnd = at;
  while (out.extensionsEnd < promised) {
    const dataAt = out.extensionsEnd + 4;
    if (dataAt > arrived) return short(dataAt, promised);
    const dataEnd = dataAt + u16(bytes, dataAt - 2);
    if (dataEnd > arrived) return short(dataEnd, promised);
    readExtension(bytes, u16(bytes, dataAt - 4), dataAt, dataEnd, out);
    out.extensionsEnd = dataEnd;
  }
  return HelloState.whole;
}

/** Notes what is in an extension. One whose data contradicts itself is like an empty one; the first of a type counts. */
function readExtension(bytes: Uint8Array, type: number, at: number, end: number, out: ClientHello): void {
  if (type === ExtensionType.serverName && out.hasServerName === 0) {
    out.hasServerName = 1;
    readServerName(bytes, at, end, out);
  } else if (type === ExtensionType.applicationProtocols && out.protocolAt === ABSENT) {
    // list length (2), then names with their lengths (1)
    if (at + 3 > end || at + 3 + bytes[at + 2]! > end) return;
    out.protocolAt = at + 3;
    out.protocolEnd = at + 3 + bytes[at + 2]!;
  } else if (type === ExtensionType.supportedVersions && out.versionsAt === ABSENT) {
    if (at + 1 > end || at + 1 + bytes[at]! > end || (bytes[at]! & 1) !== 0) return;
    out.versionsAt = at + 1;
    out.versionsEnd = at + 1 + bytes[at]!;
  } else if (type === ExtensionType.signatureAlgorithms && out.signaturesAt === ABSENT) {
    if (at + 2 > end || at + 2 + u16(bytes, at) > end || (u16(bytes, at) & 1) !== 0) return;
    out.signaturesAt = at + 2;
    out.signaturesEnd = at + 2 + u16(bytes, at);
  }
}

/** List length (2), then for each name its type (1), its length (2) and the name. */
function readServerName(bytes: Uint8Array, at: number, end: number, out: ClientHello): void {
  if (at + 2 > end) return;
  const listEnd = Math.min(end, at + 2 + u16(bytes, at));
  let nameAt = at + 2 + 3;
  while (nameAt <= listEnd) {
    const nameEnd = nameAt + u16(bytes, nameAt - 2);
    if (nameEnd > listEnd) return;
    if (bytes[nameAt - 3] === HOST_NAME) {
      out.serverNameAt = nameAt;
      out.serverNameEnd = nameEnd;
      return;
    }
    nameAt = nameEnd + 3;
  }
}

function forget(out: ClientHello): void {
  out.version = 0;
  out.ciphersAt = ABSENT;
  out.ciphersEnd = ABSENT;
  out.extensionsAt = ABSENT;
  out.extensionsEnd = ABSENT;
  out.hasServerName = 0;
  out.serverNameAt = ABSENT;
  out.serverNameEnd = ABSENT;
  out.protocolAt = ABSENT;
  out.protocolEnd = ABSENT;
  out.versionsAt = ABSENT;
  out.versionsEnd = ABSENT;
  out.signaturesAt = ABSENT;
  out.signaturesEnd = ABSENT;
}
