/**
 * IP addresses and networks as text. Not for the per-packet path: everything here allocates.
 */
import { u16 } from './bytes.ts';

/** An IP address. */
export interface Address {
  readonly version: 4 | 6;
  /** 4 or 16 bytes. */
  readonly bytes: Uint8Array;
}

/** A network: an address whose host bits are zero, and how many bits count. */
export interface Cidr extends Address {
  /** 0..32 or 0..128. */
  readonly prefixLength: number;
}

/**
 * Text of the address at `at`: dotted decimal, or RFC 5952 form (lower case, the first longest run of two or more
 * zero groups as `::`, IPv4-mapped addresses with their last four bytes dotted).
 *
 * @param version 4 or 6
 */
export function formatAddress(bytes: Uint8Array, at: number, version: number): string {
  return version === 4 ? formatIpv4(bytes, at) : formatIpv6(bytes, at);
}

/** Reads an address; `undefined` for anything else, zone (`%eth0`), leading zeros and brackets included. */
export function parseAddress(text: string): Address | undefined {
  const version = text.includes(':') ? 6 : 4;
  const bytes = version === 4 ? parseIpv4(text) : parseIpv6(text);
  return bytes === undefined ? undefined : { version, bytes };
}

/**
 * Reads `address/prefix`; an address alone is a network of one. Host bits are set to zero. `undefined` for
 * anything else.
 */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const bitsMax = address.bytes.length * 8;
  const prefixText = slash < 0 ? String(bitsMax) : text.slice(slash + 1);
  const prefixLength = /^(0|[1-9]\d{0,2})$/.test(prefixText) ? Number(prefixText) : Infinity;
  if (prefixLength > bitsMax) return undefined;
  for (let i = 0; i < address.bytes.length; i++) {
    const bits = Math.min(8, Math.max(0, prefixLength - i * 8));
    address.bytes[i] = address.bytes[i]! & (0xff << (8 - bits));
  }
  return { version: address.version, bytes: address.bytes, prefixLength };
}

/** Says whether the address of this version at `at` is in the network. Allocates nothing. */
export function contains(cidr: Cidr, bytes: Uint8Array, at: number, version: number): boolean {
  if (cidr.version !== version) return false;
  const whole = cidr.prefixLength >>> 3;
  for (let i = 0; i < whole; i++) if (cidr.bytes[i] !== bytes[at + i]) return false;
  const rest = cidr.prefixLength & 7;
  return rest === 0 || ((cidr.bytes[whole]! ^ bytes[at + whole]!) & (0xff << (8 - rest))) === 0;
}

function formatIpv4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

function formatIpv6(bytes: Uint8Array, at: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => u16(bytes, at + 2 * i));
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) return `::ffff:${formatIpv4(bytes, at + 12)}`;

  const { start, length } = longestZeroRun(groups);
  const texts = groups.map((group) => group.toString(16));
  if (length < 2) return texts.join(':');
  return `${texts.slice(0, start).join(':')}::${texts.slice(start + length).join(':')}`;
}

/** The first longest run of zero groups (RFC 5952 section 4.2.3). */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i < groups.length; i++) {
    if (groups[i] !== 0) start = i + 1;
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start };
  }
  return best;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  const valid =
    parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  return valid ? Uint8Array.from(parts, Number) : undefined;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 1 ? [] : parseGroups(halves[1]!, true);
  if (head === undefined || tail === undefined) return undefined;

  const missing = 16 - head.length - tail.length;
  const valid = halves.length === 1 ? missing === 0 : missing >= 2;
  return valid ? Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]) : undefined;
}

/** Bytes of groups between colons; the last may be a dotted IPv4 address where `isEnd` says so (RFC 4291 section 2.2). */
function parseGroups(text: string, isEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (isEnd && i === parts.length - 1 && part.includes('.')) {
      const ipv4 = parseIpv4(part);
      if (ipv4 === undefined) return undefined;
      bytes.push(...ipv4);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      const group = Number.parseInt(part, 16);
      bytes.push(group >>> 8, group & 0xff);
    }
  }
  return bytes;
}
