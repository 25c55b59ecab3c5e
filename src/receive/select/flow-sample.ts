import { type Innermost, Ports } from '../../packet/innermost.ts';
import { IpProtocol } from '../../wire/ip-protocol.ts';

const ADDRESS_FACTOR = 0x9e37_79b1 | 0;
const PORT_FACTOR = 0x85eb_ca77 | 0;
const PROTOCOL_FACTOR = 0xc2b2_ae3d | 0;

/**
 * Number of a flow, 32 bits: of the innermost addresses, ports and protocol, the same in both directions, and with no seed,
 * so that every worker of every appliance comes to the same.
 *
 * Types and codes of ICMP are left out: a request and its answer have others. Where ports did not arrive (cut away, or in a
 * fragment that was not seen before) addresses and protocol decide alone.
 */
export function flowNumber(view: DataView, innermost: Innermost): number {
  const { protocol, sourceAt, destinationAt, ipVersion } = innermost;
  const isIcmp = protocol === IpProtocol.icmp || protocol === IpProtocol.icmpv6;
  const hasPorts = innermost.ports === Ports.known && !isIcmp;
  const source = endNumber(view, sourceAt, ipVersion, hasPorts ? innermost.sourcePort : 0);
  const destination = endNumber(view, destinationAt, ipVersion, hasPorts ? innermost.destinationPort : 0);
  return mix((source + destination + Math.imul(protocol + 1, PROTOCOL_FACTOR)) | 0) >>> 0;
}

/** Number of one end; that of a flow is the sum of two. */
function endNumber(view: DataView, at: number, version: number, port: number): number {
  let number = mix(view.getInt32(at) ^ Math.imul(port + 1, PORT_FACTOR));
  if (version !== 6) return number;
  for (let word = 4; word < 16; word += 4) number = mix((number + ADDRESS_FACTOR) ^ view.getInt32(at + word));
  return number;
}

/** Spreads all bits over all bits: the finaliser of MurmurHash3. */
function mix(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85eb_ca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}
