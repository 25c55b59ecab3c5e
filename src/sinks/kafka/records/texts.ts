import { formatAddress } from '../../../wire/address.ts';

/** A power of two. */
const ENTRIES = 4096;
const EMPTY = Buffer.alloc(0);

/** The bytes of a text in memory of their own: what is kept long must not hold the pool that short-lived buffers share. */
export function ownText(text: string): Buffer {
  const bytes = Buffer.alloc(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

/** Texts of whole numbers, made once as long as no other number takes their place. */
export class NumberTexts {
  readonly #numbers = new Float64Array(ENTRIES).fill(-1);
  readonly #texts: Buffer[] = new Array<Buffer>(ENTRIES).fill(EMPTY);

  of(value: number): Buffer {
    const index = value & (ENTRIES - 1);
    if (this.#numbers[index] !== value) {
      this.#numbers[index] = value;
      this.#texts[index] = ownText(String(value));
    }
    return this.#texts[index] ?? EMPTY;
  }
}

const WORDS = 5;
const VERSION = 4;
/** Of MurmurHash3's finaliser. */
const FACTOR = 0x85eb_ca6b;

/** The same for IP addresses. */
export class AddressTexts {
  /** Of each entry the address, then its version; 0: free. */
  readonly #words = new Int32Array(ENTRIES * WORDS);
  readonly #texts: Buffer[] = new Array<Buffer>(ENTRIES).fill(EMPTY);

  /** @param version 4 or 6 */
  of(bytes: Buffer, view: DataView, at: number, version: number): Buffer {
    const isIpv6 = version === 6;
    const first = view.getInt32(at);
    const second = isIpv6 ? view.getInt32(at + 4) : 0;
    const third = isIpv6 ? view.getInt32(at + 8) : 0;
    const fourth = isIpv6 ? view.getInt32(at + 12) : 0;
    let hash = Math.imul(
      first ^ Math.imul(second ^ Math.imul(third ^ Math.imul(fourth, FACTOR), FACTOR), FACTOR),
      FACTOR,
    );
    hash ^= hash >>> 15;
    const index = hash & (ENTRIES - 1);
    const words = this.#words;
    const entry = index * WORDS;
    if (
      words[entry] !== first ||
      words[entry + 1] !== second ||
      words[entry + 2] !== third ||
      words[entry + 3] !== fourth ||
      words[entry + VERSION] !== version
    ) {
      words[entry] = first;
      words[entry + 1] = second;
      words[entry + 2] = third;
      words[entry + 3] = fourth;
      words[entry + VERSION] = version;
      this.#texts[index] = ownText(formatAddress(bytes, at, version));
    }
    return this.#texts[index] ?? EMPTY;
  }
}
