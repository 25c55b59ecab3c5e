import { u16 } from '../../wire/bytes.ts';
import type { NameText } from '../../wire/name-text.ts';
import { type ClientHello, ExtensionType, isGrease } from '../../wire/tls-client-hello.ts';
import type { NameHashes } from './name-hashes.ts';

/** Most cipher suites or extensions of a hello that has a fingerprint; a real one has some dozens. */
const LIST_MAX = 1024;
const COUNT_MAX = 99;
/** Digits of a hash that are kept, and what stands for the hash of an empty list. */
const HASH_LEN = 12;
const NO_HASH = '000000000000';
const COMMA = 0x2c;
const UNDERSCORE = 0x5f;

/** Names of versions, as they stand in a hello; any other is `00`. */
const versionNames: ReadonlyMap<number, string> = new Map([
  [0x0304, '13'],
  [0x0303, '12'],
  [0x0302, '11'],
  [0x0301, '10'],
  [0x0300, 's3'],
  [0x0002, 's2'],
]);

/**
 * JA4 of a whole ClientHello: `t13d1516h2_8daaf6152771_e5627efa2ab1`. Source: FoxIO, "JA4: TLS Client Fingerprinting"
 * (technical_details/JA4.md of the project ja4).
 *
 *   t or q        over TCP, or in QUIC
 *   2 characters  highest version
 *   d or i        with or without the server name extension
 *   2 digits      cipher suites
 *   2 digits      extensions
 *   2 characters  first and last of the first application protocol
 *   12 digits     SHA-256 of the sorted cipher suites
 *   12 digits     SHA-256 of the sorted extensions without server name and application protocols, then the signature
 *                 algorithms as they stand
 *
 * GREASE values are left out everywhere.
 */
export class Ja4 {
  readonly #sha256Hex: (bytes: Uint8Array) => string;
  readonly #list = new Uint16Array(LIST_MAX);
  #listLength = 0;
  /** What is hashed: at most two lists, five bytes a number. */
  readonly #hashed = new Uint8Array(2 * 5 * LIST_MAX);
  #hashedLength = 0;

  constructor(hashes: NameHashes) {
    this.#sha256Hex = (bytes) => hashes.sha256Hex(bytes);
  }

  /** Puts the fingerprint of a hello, which lies in `bytes`, into `out`; false where its lists are too long for one. */
  put(bytes: Uint8Array, hello: ClientHello, transport: 't' | 'q', out: NameText): boolean {
    const ciphers = (hello.ciphersEnd - hello.ciphersAt) / 2;
    const signatures = (hello.signaturesEnd - hello.signaturesAt) / 2;
    const extensions = countExtensions(bytes, hello);
    if (ciphers > LIST_MAX || signatures > LIST_MAX || extensions > LIST_MAX) return false;

    out.putAscii(transport);
    out.putAscii(versionNames.get(highestVersion(bytes, hello)) ?? '00');
    out.putAscii(hello.hasServerName === 1 ? 'd' : 'i');
    this.#takeNumbers(bytes, hello.ciphersAt, hello.ciphersEnd);
    putCount(this.#listLength, out);
    putCount(extensions, out);
    putProtocol(bytes, hello.protocolAt, hello.protocolEnd, out);

    out.put(UNDERSCORE);
    this.#hashedLength = 0;
    this.#writeSorted();
    this.#putHash(out);

    out.put(UNDERSCORE);
    this.#hashedLength = 0;
    this.#takeExtensions(bytes, hello);
    this.#writeSorted();
    if (this.#hashedLength > 0) this.#writeSignatures(bytes, hello);
    this.#putHash(out);
    return true;
  }

  #takeNumbers(bytes: Uint8Array, at: number, end: number): void {
    this.#listLength = 0;
    for (let i = at; i < end; i += 2) {
      const value = u16(bytes, i);
      if (!isGrease(value)) this.#list[this.#listLength++] = value;
    }
  }

  #takeExtensions(bytes: Uint8Array, hello: ClientHello): void {
    this.#listLength = 0;
    for (let at = hello.extensionsAt; at < hello.extensionsEnd; at += 4 + u16(bytes, at + 2)) {
      const type = u16(bytes, at);
      if (type === ExtensionType.serverName || type === ExtensionType.applicationProtocols) continue;
      if (!isGrease(type)) this.#list[this.#listLength++] = type;
    }
  }

  #writeSorted(): void {
    this.#list.subarray(0, this.#listLength).sort();
    for (let i = 0; i < this.#listLength; i++) this.#writeNumber(this.#list[i]!, i > 0 ? COMMA : 0);
  }

  #writeSignatures(bytes: Uint8Array, hello: ClientHello): void {
    let separator = UNDERSCORE;
    for (let i = hello.signaturesAt; i < hello.signaturesEnd; i += 2) {
      const value = u16(bytes, i);
      if (isGrease(value)) continue;
      this.#writeNumber(value, separator);
      separator = COMMA;
    }
  }

  /** Four hexadecimal digits, with a separator before them unless that is 0. */
  #writeNumber(value: number, separator: number): void {
    if (separator !== 0) this.#hashed[this.#hashedLength++] = separator;
    for (let shift = 12; shift >= 0; shift -= 4) {
      this.#hashed[this.#hashedLength++] = hexDigit(value >>> shift);
    }
  }

  #putHash(out: NameText): void {
    if (this.#hashedLength === 0) out.putAscii(NO_HASH);
    else out.putAscii(this.#sha256Hex(this.#hashed.subarray(0, this.#hashedLength)).slice(0, HASH_LEN));
  }
}

function hexDigit(value: number): number {
  return '0123456789abcdef'.charCodeAt(value & 0xf);
}

/** Extensions but GREASE. */
function countExtensions(bytes: Uint8Array, hello: ClientHello): number {
  let count = 0;
  for (let at = hello.extensionsAt; at < hello.extensionsEnd; at += 4 + u16(bytes, at + 2)) {
    if (!isGrease(u16(bytes, at))) count++;
  }
  return count;
}

function highestVersion(bytes: Uint8Array, hello: ClientHello): number {
  let highest = 0;
  for (let at = hello.versionsAt; at < hello.versionsEnd; at += 2) {
    const version = u16(bytes, at);
    if (!isGrease(version) && version > highest) highest = version;
  }
  return highest === 0 ? hello.version : highest;
}

function putCount(count: number, out: NameText): void {
  if (count < 10) out.putDecimal(0);
  out.putDecimal(Math.min(count, COUNT_MAX));
}

/** First and last character, or those of its hexadecimal digits where one of the two is neither letter nor digit. */
function putProtocol(bytes: Uint8Array, at: number, end: number, out: NameText): void {
  if (at >= end) {
    out.putAscii('00');
    return;
  }
  const first = bytes[at]!;
  const last = bytes[end - 1]!;
  if (isAlphanumeric(first) && isAlphanumeric(last)) {
    out.put(first);
    out.put(last);
  } else {
    out.putHexDigit(first >>> 4);
    out.putHexDigit(last);
  }
}

function isAlphanumeric(byte: number): boolean {
  const isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
  return isLetter || (byte >= 0x30 && byte <= 0x39);
}
