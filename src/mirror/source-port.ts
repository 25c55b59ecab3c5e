/**
 * The hash by which packets of one flow leave from one source port.
 *
 * AWS takes the 5-tuple of the original packet for TCP, UDP and ICMP, and the 3-tuple for everything else; later
 * fragments have no ports and fall under the second rule. Here it is symmetric: both directions of a flow share a
 * port, as TCP and NTP do in the one AWS capture that was examined. Frames without IP are told apart by their
 * hardware addresses.
 *
 * Source: AWS, Traffic Mirroring, "Traffic mirroring packet format"; RFC 7348 section 5 (the port range).
 */
import { u16, u32 } from '../wire/bytes.ts';
import { EtherType } from '../wire/ether-type.ts';
import * as ethernet from '../wire/ethernet.ts';
import * as icmp from '../wire/icmp.ts';
import * as icmpv6 from '../wire/icmpv6.ts';
import { IpProtocol } from '../wire/ip-protocol.ts';
import * as ipv4 from '../wire/ipv4.ts';
import { ExtensionWalk, walk } from '../wire/ipv6-extension.ts';
import * as ipv6 from '../wire/ipv6.ts';
import * as vlan from '../wire/vlan.ts';

/** Source ports of tunnels: first, and how many. */
const PORT_FIRST = 49_152;
const PORT_COUNT = 16_384;
/** Most VLAN tags that are looked past. */
const TAGS_MAX = 4;
/** Bytes of a TCP or UDP header that hold the ports. */
const PORTS_LEN = 4;

/** A source port of 49152..65535 for a hash. */
export function sourcePort(hash: number): number {
  return PORT_FIRST + (hash % PORT_COUNT);
}

/** Hashes the flows of one sender. Keeps nothing between packets but the memory it works in. */
export class FlowHash {
  readonly #walk = new ExtensionWalk();

  /**
   * Hash of the flow that the Ethernet frame `at .. end - 1` belongs to, 0..0xffffffff. A frame cut inside its
   * headers is hashed by those that are there.
   */
  hash(bytes: Uint8Array, at: number, end: number): number {
    if (!ethernet.complete(at, end)) return 0;
    let etherType = ethernet.etherType(bytes, at);
    let ipAt = at + ethernet.HEADER_LEN;
    for (let tags = 0; tags < TAGS_MAX && vlan.isTag(etherType) && vlan.complete(ipAt, end); tags++) {
      etherType = vlan.etherType(bytes, ipAt);
      ipAt += vlan.TAG_LEN;
    }
    if (etherType === EtherType.ipv4 && ipv4.complete(bytes, ipAt, end)) return this.#ipv4(bytes, ipAt, end);
    if (etherType === EtherType.ipv6 && ipv6.complete(bytes, ipAt, end)) return this.#ipv6(bytes, ipAt, end);
    return hardware(bytes, at, etherType);
  }

  #ipv4(bytes: Uint8Array, at: number, end: number): number {
    const protocol = ipv4.protocol(bytes, at);
    const isLater = ipv4.fragmentOffset(bytes, at) !== 0;
    const transportAt = isLater ? end : at + ipv4.headerLen(bytes, at);
    const source = u32(bytes, at + ipv4.SOURCE);
    const destination = u32(bytes, at + ipv4.DESTINATION);
    return tuple(bytes, source, destination, protocol, transportAt, end);
  }

  #ipv6(bytes: Uint8Array, at: number, end: number): number {
    walk(bytes, at, end, this.#walk);
    const transportAt = this.#walk.transportAt < 0 ? end : this.#walk.transportAt;
    const source = address6(bytes, at + ipv6.SOURCE);
    const destination = address6(bytes, at + ipv6.DESTINATION);
    return tuple(bytes, source, destination, this.#walk.protocol, transportAt, end);
  }
}

/** Address words and, where the protocol has some and they arrived, ports; the same from both ends. */
function tuple(
  bytes: Uint8Array,
  source: number,
  destination: number,
  protocol: number,
  transportAt: number,
  end: number,
): number {
  let here = source;
  let there = destination;
  let shared = protocol;
  if ((protocol === IpProtocol.tcp || protocol === IpProtocol.udp) && end - transportAt >= PORTS_LEN) {
    here = mix(here ^ u16(bytes, transportAt));
    there = mix(there ^ u16(bytes, transportAt + 2));
  } else if (isEcho(bytes, protocol, transportAt, end)) {
    shared ^= icmp.echoId(bytes, transportAt) << 8;
  }
  return mix((mix(here) + mix(there)) ^ shared);
}

/** Echo requests and replies carry an identifier that stands for the port. */
function isEcho(bytes: Uint8Array, protocol: number, at: number, end: number): boolean {
  if (!icmp.complete(at, end)) return false;
  const type = icmp.type(bytes, at);
  if (protocol === IpProtocol.icmp) return type === icmp.Type.echo || type === icmp.Type.echoReply;
  return protocol === IpProtocol.icmpv6 && (type === icmpv6.Type.echo || type === icmpv6.Type.echoReply);
}

function address6(bytes: Uint8Array, at: number): number {
  let hash = 0;
  for (let i = 0; i < ipv6.ADDRESS_LEN; i += 4) hash = mix(hash ^ u32(bytes, at + i));
  return hash;
}

function hardware(bytes: Uint8Array, at: number, etherType: number): number {
  const destination = u32(bytes, at + ethernet.DESTINATION + 2);
  const source = u32(bytes, at + ethernet.SOURCE + 2);
  return mix((mix(source) + mix(destination)) ^ etherType);
}

/** Spreads every bit of a 32-bit number over all others: the finalizer of MurmurHash3. */
function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
