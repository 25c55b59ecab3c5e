/**
 * Internet checksum, RFC 1071: the ones'-complement sum of 16-bit words, inverted.
 *
 * Inside `sum` 32-bit words are collected in a double: since 2^16 is 1 modulo 0xffff, the halves of a 32-bit
 * word count the same wherever they stand. What leaves it is folded to a small integer, because a double that a
 * function returns costs an allocation. Usual order: `finish(pseudoSum(…) + sum(view, at, end))`.
 */
import { ADDRESS_LEN as IPV6_ADDRESS_LEN } from './ipv6.ts';

const TWO_32 = 0x1_0000_0000;

/**
 * Sum of the bytes `at .. end - 1`, at most 1 GiB, as an integer below 2^18: up to 8,000 of them can be added before
 * `fold`. An odd last byte is padded with zero, so a packet summed in pieces must be cut at even positions of
 * its data; where they lie in memory does not matter.
 */
export function sum(view: DataView, at: number, end: number): number {
  let total = 0;
  let i = at;
  for (const last = end - 32; i <= last; i += 32) {
    total +=
      view.getUint32(i) +
      view.getUint32(i + 4) +
      view.getUint32(i + 8) +
      view.getUint32(i + 12) +
      view.getUint32(i + 16) +
      view.getUint32(i + 20) +
      view.getUint32(i + 24) +
      view.getUint32(i + 28);
  }
  for (const last = end - 4; i <= last; i += 4) total += view.getUint32(i);
  if (end - i >= 2) {
    total += view.getUint16(i);
    i += 2;
  }
  if (i < end) total += view.getUint8(i) << 8;
  const low = total >>> 0;
  const high = Math.floor(total / TWO_32);
  return (low & 0xffff) + (low >>> 16) + (high & 0xffff) + (high >>> 16);
}

/** The same for an IPv4 header without options, 20 bytes: all in small integers, as most headers are summed. */
export function plainHeaderSum(view: DataView, at: number): number {
  const a = view.getInt32(at);
  const b = view.getInt32(at + 4);
  const c = view.getInt32(at + 8);
  const d = view.getInt32(at + 12);
  const e = view.getInt32(at + 16);
  const low = (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff) + (e & 0xffff);
  return low + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16) + (e >>> 16);
}

/**
 * Folds a sum below 2^31 to 16 bits, 0..0xffff; 0 only if everything summed was zero. A packet with a right
 * checksum folds to 0xffff.
 */
export function fold(total: number): number {
  const folded = (total & 0xffff) + (total >>> 16);
  return (folded & 0xffff) + (folded >>> 16);
}

/** The checksum that goes into a header: the folded sum, inverted. UDP sends a result of 0 as 0xffff (RFC 768). */
export function finish(total: number): number {
  return ~fold(total) & 0xffff;
}

/**
 * Sum of the pseudo-header that TCP, UDP and ICMPv6 checksums cover (RFC 9293 section 3.1, RFC 768,
 * RFC 8200 section 8.1).
 *
 * @param version       4 or 6
 * @param sourceAt      byte offset of the source address, 4 or 16 bytes
 * @param destinationAt byte offset of the final destination's address
 * @param protocol      number of the transport, not of an extension header
 * @param length        bytes of transport header and data
 */
export function pseudoSum(
  view: DataView,
  version: number,
  sourceAt: number,
  destinationAt: number,
  protocol: number,
  length: number,
): number {
  let total = protocol + length;
  if (version === 4) {
    const source = view.getInt32(sourceAt);
    const destination = view.getInt32(destinationAt);
    total += (source & 0xffff) + (source >>> 16) + (destination & 0xffff) + (destination >>> 16);
    return total;
  }
  for (let i = 0; i < IPV6_ADDRESS_LEN; i += 2)
    total += view.getUint16(sourceAt + i) + view.getUint16(destinationAt + i);
  return total;
}
