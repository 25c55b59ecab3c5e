import { EtherType } from '../../wire/ether-type.ts';
import { IpProtocol } from '../../wire/ip-protocol.ts';
import * as geneve from '../../wire/geneve.ts';
import * as ipv4 from '../../wire/ipv4.ts';
import * as ipv6 from '../../wire/ipv6.ts';
import * as udp from '../../wire/udp.ts';
import * as vlan from '../../wire/vlan.ts';
import * as vxlan from '../../wire/vxlan.ts';
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
  jgt,
  jne,
  jset,
  ld,
  ldb,
  ldh,
  ldx,
  len,
  lsh,
  mem,
  protocol,
  st,
  stx,
  type Step,
  tax,
  txa,
  X,
} from './instructions.ts';
import { ANY_FRAGMENT, walkExtensions } from './ipv6-walk.ts';
import { Word } from './steering-hash.ts';

/** IPv4 header: more fragments, and the offset. */
export const FRAGMENT_BITS = 0x3fff;
const UDP_DESTINATION = 2;
/** Offset of the word that holds the VNI in its upper 24 bits, in VXLAN and GENEVE. */
const VNI = 4;

/** UDP ports by what they carry. A port of both lists carries GENEVE, as for the receiver. */
export interface TunnelPortLists {
  readonly vxlanPorts: readonly number[];
  readonly genevePorts: readonly number[];
}

/**
 * From the network header at offset 0, or the rest of a second VLAN tag there, to the label `vxlan` or `geneve` with X
 * at that header. Anything else goes to `none`.
 */
export function outerSteps(ports: TunnelPortLists): Step[] {
  return [
    ld(protocol),
    jeq(EtherType.ipv4, 'outer.plain'),
    jeq(EtherType.ipv6, 'outer.plain'),
    jeq(EtherType.vlan, 'outer.tagged'),
    jne(EtherType.qinq, 'none'),
    at('outer.tagged'),
    ldh(abs(2)),
    ldx(imm(vlan.TAG_LEN)),
    jeq(EtherType.ipv4, 'outer.ip'),
    jeq(EtherType.ipv6, 'outer.ip', 'none'),
    at('outer.plain'),
    ldx(imm(0)),
    at('outer.ip'),
    ldb(ind(0)),
    and(0xf0),
    jeq(0x40, 'outer.ipv4'),
    jeq(0x60, 'outer.ipv6', 'none'),
    at('outer.ipv4'),
    ...udpBehindIpv4('none'),
    ja('outer.udp'),
    at('outer.ipv6'),
    ...udpBehindIpv6('outer.walk', 'none'),
    at('outer.udp'),
    ldh(ind(UDP_DESTINATION)),
    st(Word.scratch),
    txa,
    add(udp.HEADER_LEN),
    tax,
    ld(mem(Word.scratch)),
    ...ports.genevePorts.map((port) => jeq(port, 'geneve')),
    ...ports.vxlanPorts.map((port) => jeq(port, 'vxlan')),
    ja('none'),
  ];
}

/**
 * From the GENEVE header at X to the label `vxlan` (X at that header), to `ethernet` (X at the frame) or to `raw` (M[frame]): what it
 * carries is told as `receive/decap.ts` tells it.
 */
export function geneveSteps(ports: TunnelPortLists, withVni: boolean): Step[] {
  const isVxlan = ports.vxlanPorts.filter((port) => !ports.genevePorts.includes(port));
  return [
    at('geneve'),
    ...(withVni ? [ld(ind(VNI)), st(Word.vni)] : []),
    ldb(ind(0)),
    and(0x3f),
    lsh(2),
    add(geneve.FIXED_LEN),
    add(X),
    st(Word.frame),
    ldh(ind(2)),
    ldx(mem(Word.frame)),
    jeq(EtherType.ethernet, 'ethernet'),
    jeq(EtherType.ipv4, 'carried.ipv4'),
    jne(EtherType.ipv6, 'none'),
    ...ifWithin(ipv6.HEADER_LEN, 'raw'),
    ...ifVersion(0x60, 'raw'),
    ...udpBehindIpv6('carried.walk', 'raw'),
    ja('carried.udp'),
    at('carried.ipv4'),
    ...ifWithin(ipv4.HEADER_LEN, 'raw'),
    ...ifVersion(0x40, 'raw'),
    ...udpBehindIpv4('raw'),
    at('carried.udp'),
    ...ifWithin(UDP_DESTINATION + 2, 'raw'),
    ldh(ind(UDP_DESTINATION)),
    ...isVxlan.map((port) => jeq(port, 'carried.vxlan')),
    ja('raw'),
    at('carried.vxlan'),
    txa,
    add(udp.HEADER_LEN),
    tax,
  ];
}

/** From the VXLAN header at X to the inner frame at X. */
export function vxlanSteps(withVni: boolean): Step[] {
  return [at('vxlan'), ...(withVni ? [ld(ind(VNI)), st(Word.vni)] : []), txa, add(vxlan.HEADER_LEN), tax];
}

/** Goes to `other` where the byte at X does not begin with this IP version, given in its upper half. */
export function ifVersion(version: 0x40 | 0x60, other: string): Step[] {
  return [ldb(ind(0)), and(0xf0), jne(version, other)];
}

/** Goes to `cut`, where X is no longer what it was, if fewer than `bytes` of the packet are left from X on. */
export function ifWithin(bytes: number, cut: string): Step[] {
  return [stx(Word.scratch), txa, add(bytes), ldx(len), jgt(X, cut), ldx(mem(Word.scratch))];
}

/** X = what follows the IPv4 header at X. */
export function skipIpv4(): Step[] {
  return [ldb(ind(0)), and(0x0f), lsh(2), add(X), tax];
}

/** A = number of the first header behind the IPv6 header at X, X = its offset. */
export function skipIpv6(): Step[] {
  return [ldb(ind(6)), st(Word.scratch), txa, add(ipv6.HEADER_LEN), tax, ld(mem(Word.scratch))];
}

/** X = UDP header of the IPv4 packet at X; `other` where there is none, also in fragments. */
function udpBehindIpv4(other: string): Step[] {
  return [
    ldb(ind(9)),
    jne(IpProtocol.udp, other),
    ldh(ind(6)),
    jset(FRAGMENT_BITS, other),
    ldb(ind(0)),
    and(0x0f),
    lsh(2),
    jge(ipv4.HEADER_LEN, undefined, other),
    add(X),
    tax,
  ];
}

function udpBehindIpv6(name: string, other: string): Step[] {
  const found = `${name}.found`;
  return [
    ...skipIpv6(),
    ...walkExtensions(name, ANY_FRAGMENT, { found, fragment: other, cut: other }),
    at(found),
    jne(IpProtocol.udp, other),
  ];
}
