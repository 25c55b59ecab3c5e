/**
 * IP addresses written into a `NameText`: the text of `formatAddress` in address.ts, without its allocations.
 */
import { u16 } from './bytes.ts';
import type { NameText } from './name-text.ts';

const DOT = 0x2e;
const COLON = 0x3a;
const GROUPS = 8;

/** Puts the IPv4 address at `at`, 4 bytes, in dotted decimal. */
export function putIpv4(bytes: Uint8Array, at: number, out: NameText): void {
  for (let i = 0; i < 4; i++) {
    if (i > 0) out.put(DOT);
    out.putDecimal(bytes[at + i]!);
  }
}

/** Puts the IPv6 address at `at`, 16 bytes, as RFC 5952 has it: the last four dotted where it is IPv4-mapped. */
export function putIpv6(bytes: Uint8Array, at: number, out: NameText): void {
  if (isMapped(bytes, at)) {
    out.putAscii('::ffff:');
    putIpv4(bytes, at + 12, out);
    return;
  }
  const run = longestZeroRun(bytes, at);
  const runEnd = run + zeroRun(bytes, at, run);
  for (let group = 0; group < GROUPS; group++) {
    if (group === run) {
      out.put(COLON);
      out.put(COLON);
      group = runEnd - 1;
      continue;
    }
    if (group > 0 && group !== runEnd) out.put(COLON);
    putGroup(u16(bytes, at + 2 * group), out);
  }
}

function putGroup(value: number, out: NameText): void {
  if (value >= 0x1000) out.putHexDigit(value >>> 12);
  if (value >= 0x100) out.putHexDigit(value >>> 8);
  if (value >= 0x10) out.putHexDigit(value >>> 4);
  out.putHexDigit(value);
}

function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i++) if (bytes[at + i] !== 0) return false;
  return u16(bytes, at + 10) === 0xffff;
}

/** The group at which the first longest run of at least two zero groups begins; GROUPS where there is none. */
function longestZeroRun(bytes: Uint8Array, at: number): number {
  let best = GROUPS;
  let bestLength = 1;
  for (let group = 0; group < GROUPS; group++) {
    const length = zeroRun(bytes, at, group);
    if (length > bestLength) {
      best = group;
      bestLength = length;
    }
  }
  return best;
}

/** How many groups from this one on are zero. */
function zeroRun(bytes: Uint8Array, at: number, first: number): number {
  let group = first;
  while (group < GROUPS && u16(bytes, at + 2 * group) === 0) group++;
  return group - first;
}
