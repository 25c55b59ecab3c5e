import { parseAddress } from '../../wire/address.ts';
import { u32 } from '../../wire/bytes.ts';
import { type Token, numberOf } from './filter-tokens.ts';
import type { TokenReader } from './token-reader.ts';

const ALL = 0xffff_ffff;

export interface Network4 {
  readonly address: number;
  readonly mask: number;
}

export interface Network6 {
  readonly words: readonly number[];
  readonly masks: readonly number[];
}

/** Mask of `bits` bits of a word. */
function maskOf(bits: number): number {
  return bits <= 0 ? 0 : (ALL << (32 - Math.min(bits, 32))) >>> 0;
}

/** An IPv4 address, or its first one to three numbers: then a network, as in `net 10.1`. */
export function network4({ text }: Token): Network4 {
  const parts = text.split('.').map(Number);
  const bits = 8 * parts.length;
  const address = parts.reduce((sum, part) => sum * 256 + part, 0) * 2 ** (32 - bits);
  return { address, mask: maskOf(bits) };
}

/** The number of `net 10`, which is `net 10.0.0.0/8`; it may have up to 32 bits. */
export function networkOfNumber({ text }: Token): Network4 {
  let address = numberOf(text);
  let mask = ALL;
  while (address !== 0 && address < 0x100_0000) {
    address *= 256;
    mask = (mask << 8) >>> 0;
  }
  return { address, mask };
}

/** The number of an IPv6 address, as a network of itself alone. */
export function address6({ text }: Token): Network6 {
  const { bytes } = parseAddress(text) ?? { bytes: new Uint8Array(16) };
  return { words: [0, 4, 8, 12].map((at) => u32(bytes, at)), masks: [ALL, ALL, ALL, ALL] };
}

/** Two and four bytes of an Ethernet address. */
export function macAddress({ text }: Token): { high: number; low: number } {
  const digits = text.includes('.') ? 4 : 2;
  const hex = text
    .split(/[.:-]/)
    .map((part) => part.padStart(digits, '0'))
    .join('');
  return { high: Number.parseInt(hex.slice(0, 4), 16), low: Number.parseInt(hex.slice(4), 16) };
}

/** Reads `/len` or `mask m`, where one follows a network. */
export function masked4(reader: TokenReader, token: Token, network: Network4): Network4 {
  let { mask } = network;
  if (reader.takeIf('/') !== undefined) mask = maskOf(reader.expectNumber('bits of the network', 32));
  else if (reader.takeIf('mask', 'netmask') !== undefined) {
    const given = reader.peek();
    if (given.kind !== 'ipv4') reader.refuse('a mask such as 255.255.0.0');
    reader.take();
    mask = network4(given).address;
  }
  if ((network.address & ~mask) !== 0) refuseHostBits(reader, token);
  return { address: network.address, mask };
}

/** Reads `/len`, where it follows a network. */
export function masked6(reader: TokenReader, token: Token, { words, masks }: Network6): Network6 {
  if (reader.takeIf('/') === undefined) return { words, masks };
  const bits = reader.expectNumber('bits of the network', 128);
  const shorter = masks.map((_, i) => maskOf(bits - 32 * i));
  if (words.some((word, i) => (word & ~(shorter[i] ?? 0)) !== 0)) refuseHostBits(reader, token);
  return { words, masks: shorter };
}

function refuseHostBits(reader: TokenReader, token: Token): never {
  const message = `${token.text} has bits that its mask leaves out`;
  return reader.refuseToken(token, 'an address whose bits outside the mask are 0', { message });
}
