import { assert } from '../../wire/assert.ts';
import { u32 } from '../../wire/bytes.ts';
import { EtherType } from '../../wire/ether-type.ts';
import { IpProtocol } from '../../wire/ip-protocol.ts';
import * as ipv4 from '../../wire/ipv4.ts';
import * as ipv6 from '../../wire/ipv6.ts';
import { assemble } from './assembler.ts';
import {
  abs,
  add,
  and,
  at,
  imm,
  ind,
  ja,
  jeq,
  jge,
  jne,
  jset,
  ld,
  ldb,
  ldh,
  ldx,
  lsh,
  mem,
  PACKET_HOST,
  packetType,
  protocol,
  ret,
  st,
  type Step,
  tax,
  txa,
  vlanTag,
  vlanTagPresent,
  X,
} from './instructions.ts';
import { LATER_FRAGMENT, walkExtensions } from './ipv6-walk.ts';
import type { Program } from './program.ts';

/** Most ports of a filter. */
export const FILTER_PORTS_MAX = 32;
/** A list of more addresses of one family than this counts as 'any': the receiver sees more than it has to. */
export const FILTER_ADDRESSES_MAX = 64;
/** What an accepted packet may keep: more than any packet has. */
const ACCEPT_BYTES = 0x4_0000;
/** Bits of the tag control information that hold the VLAN id; 0 there is a tag with a priority only. */
const VLAN_ID = 0x0fff;
const TAG_LEN = 4;
/** First byte of an IPv4 header without options. */
const PLAIN_IPV4 = 0x45;
/** In the half word with the flags. */
const FRAGMENT_OFFSET = 0x1fff;
const UDP_DESTINATION = 2;
/** Words of M, besides those of the walk of extension headers. The address takes four. */
const SCRATCH = 0;
const ADDRESS = 1;

/** Addresses that are wanted, as bytes of the family; an empty list is 'none'. */
export type FilterAddresses = readonly Uint8Array[] | 'any' | 'none';

export interface TunnelFilterOptions {
  /** UDP destination ports, at most FILTER_PORTS_MAX. */
  readonly ports: readonly number[];
  /** Destination addresses, four bytes each. */
  readonly addresses4: FilterAddresses;
  /** Destination addresses, sixteen bytes each. */
  readonly addresses6: FilterAddresses;
  /** False refuses packets of a VLAN (a tag with an id): another interface has them. */
  readonly taggedToo: boolean;
}

/**
 * The filter of an AF_PACKET socket of type SOCK_DGRAM, which sees packets from the network header on: accepts what is
 * for this host and is UDP to one of the ports and addresses, whole.
 *
 * The kernel takes the outermost VLAN tag off; a second one is still there in front of the IP header. A fragment that is
 * not the first has no port and is accepted where it is UDP. IPv6 extension headers are followed as far as
 * EXTENSIONS_MAX. A packet that ends before its ports is refused.
 */
export function tunnelFilter(options: TunnelFilterOptions): Program {
  assert(options.ports.length <= FILTER_PORTS_MAX, `A filter takes ${FILTER_PORTS_MAX} ports.`);
  return assemble([
    ld(packetType),
    jne(PACKET_HOST, 'refuse'),
    ...findIp(options.taggedToo),
    ...plainSteps(options),
    ...anyIp,
    ...ipv4Steps(options.addresses4),
    ...ipv6Steps(options.addresses6),
    at('ports'),
    ldh(ind(UDP_DESTINATION)),
    ...options.ports.map((port) => jeq(port, 'accept')),
    at('refuse'),
    ret(0),
    at('accept'),
    ret(ACCEPT_BYTES),
  ]);
}

/** To the label `plain` for an IP header at offset 0, to `ip` with X at one behind a tag. */
function findIp(taggedToo: boolean): Step[] {
  const ownPackets = [
    ld(vlanTagPresent),
    jeq(0, 'own'),
    ld(vlanTag),
    // a priority tag (id 0) does not move a packet to another interface
    jset(VLAN_ID, 'refuse'),
    at('own'),
    ...ifIp('plain'),
    ja('refuse'),
  ];
  const allPackets = [
    ...ifIp('plain'),
    jeq(EtherType.vlan, 'tagged'),
    jne(EtherType.qinq, 'refuse'),
    at('tagged'),
    ldh(abs(2)),
    ldx(imm(TAG_LEN)),
    jeq(EtherType.ipv4, 'ip'),
    jeq(EtherType.ipv6, 'ip', 'refuse'),
  ];
  return taggedToo ? allPackets : ownPackets;
}

/**
 * IPv4 without options and not in fragments, by fixed offsets: a load from X costs the kernel a call. Other shapes go on
 * behind these steps.
 */
function plainSteps({ ports, addresses4 }: TunnelFilterOptions): Step[] {
  const listed = typeof addresses4 === 'object' && addresses4.length <= FILTER_ADDRESSES_MAX;
  return [
    at('plain'),
    ldb(abs(0)),
    jne(PLAIN_IPV4, 'other'),
    ldb(abs(9)),
    jne(IpProtocol.udp, 'refuse'),
    ldh(abs(6)),
    jset(FRAGMENT_OFFSET, 'other'),
    ldh(abs(ipv4.HEADER_LEN + UDP_DESTINATION)),
    ...ports.map((port) => jeq(port, 'plain.address')),
    ja('refuse'),
    at('plain.address'),
    ...(isNone(addresses4) ? [ja('refuse')] : []),
    ld(abs(ipv4.DESTINATION)),
    ...(listed ? addresses4.map((address) => jeq(u32(address, 0), 'accept')) : [ja('accept')]),
    ja('refuse'),
    at('other'),
    ldx(imm(0)),
  ];
}

/** By the version of the IP header at X. */
const anyIp: readonly Step[] = [
  at('ip'),
  ldb(ind(0)),
  and(0xf0),
  jeq(0x40, 'ipv4'),
  jeq(0x60, 'ipv6', 'refuse'),
];

function ifIp(label: string): Step[] {
  return [ld(protocol), jeq(EtherType.ipv4, label), jeq(EtherType.ipv6, label)];
}

function ipv4Steps(addresses: FilterAddresses): Step[] {
  if (isNone(addresses)) return [at('ipv4'), ja('refuse')];
  return [
    at('ipv4'),
    ldb(ind(9)),
    jne(IpProtocol.udp, 'refuse'),
    ...destinationSteps('address4', addresses, ipv4.DESTINATION, ipv4.ADDRESS_LEN),
    ldb(ind(0)),
    and(0x0f),
    lsh(2),
    jge(ipv4.HEADER_LEN, undefined, 'refuse'),
    st(SCRATCH),
    ldh(ind(6)),
    jset(FRAGMENT_OFFSET, 'accept'),
    ld(mem(SCRATCH)),
    add(X),
    tax,
    ja('ports'),
  ];
}

function ipv6Steps(addresses: FilterAddresses): Step[] {
  if (isNone(addresses)) return [at('ipv6'), ja('refuse')];
  return [
    at('ipv6'),
    ...destinationSteps('address6', addresses, ipv6.DESTINATION, ipv6.ADDRESS_LEN),
    ldb(ind(6)),
    st(SCRATCH),
    txa,
    add(ipv6.HEADER_LEN),
    tax,
    ld(mem(SCRATCH)),
    ...walkExtensions('walk', LATER_FRAGMENT, { found: 'found', fragment: 'later', cut: 'refuse' }),
    at('later'),
    ldb(ind(0)),
    jeq(IpProtocol.udp, 'accept', 'refuse'),
    at('found'),
    jne(IpProtocol.udp, 'refuse'),
  ];
}

function isNone(addresses: FilterAddresses): boolean {
  return addresses === 'none' || addresses.length === 0;
}

/** Goes on where the destination address at X + `offset` is wanted. */
function destinationSteps(name: string, addresses: FilterAddresses, offset: number, bytes: number): Step[] {
  // also where any will do: a header that ends before its addresses is refused
  if (typeof addresses === 'string' || addresses.length > FILTER_ADDRESSES_MAX)
    return [ld(ind(offset + bytes - 4))];
  const wanted = `${name}.wanted`;
  const words = Array.from({ length: bytes / 4 }, (_, index) => index);
  return [
    // a load from the packet becomes eight instructions in the kernel, one from M[] a single one
    ...words.flatMap((word) => [ld(ind(offset + 4 * word)), st(ADDRESS + word)]),
    ...addresses.flatMap((address, index) => {
      assert(address.length === bytes, `An address of this family has ${bytes} bytes.`);
      const next = `${name}.${index}`;
      // the last word first: addresses of one subnet differ there
      const compared = words
        .toReversed()
        .flatMap((word) => [ld(mem(ADDRESS + word)), jne(u32(address, 4 * word), next)]);
      return [...compared, ja(wanted), at(next)];
    }),
    ja('refuse'),
    at(wanted),
  ];
}
