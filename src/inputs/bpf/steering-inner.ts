import { EtherType } from '../../wire/ether-type.ts';
import * as ethernet from '../../wire/ethernet.ts';
import * as icmp from '../../wire/icmp.ts';
import * as icmpv6 from '../../wire/icmpv6.ts';
import { IpProtocol } from '../../wire/ip-protocol.ts';
import * as ipv4 from '../../wire/ipv4.ts';
import * as ipv6 from '../../wire/ipv6.ts';
import * as vlan from '../../wire/vlan.ts';
import {
  add,
  and,
  at,
  ind,
  ja,
  jeq,
  jgt,
  jne,
  jset,
  ldb,
  ldh,
  ldx,
  mem,
  type Step,
  stx,
  tax,
  txa,
} from './instructions.ts';
import { ANY_FRAGMENT, walkExtensions } from './ipv6-walk.ts';
import { FRAGMENT_BITS, ifVersion, ifWithin, skipIpv4, skipIpv6 } from './steering-frame.ts';
import { noPorts, portSteps, Word } from './steering-hash.ts';

/** As `receive/inner.ts`: a frame with more tags keeps them, and has no IP that anybody reads. */
const TAGS_MAX = 4;

/** Bytes of TCP and UDP that hold the ports. */
const PORTS_LEN = 4;

/** RFC 792, RFC 4443: the messages that carry the beginning of the packet they are about. */
const errorTypes4 = [
  icmp.Type.destinationUnreachable,
  4, // source quench, deprecated by RFC 6633
  icmp.Type.redirect,
  icmp.Type.timeExceeded,
  icmp.Type.parameterProblem,
];
const errorTypes6Max = icmpv6.Type.parameterProblem;

/** From the Ethernet frame at X to the label `ipv4` or `ipv6` with X at that header; `none` without one. */
export function ethernetSteps(): Step[] {
  const steps: Step[] = [ldh(ind(12))];
  for (let tag = 0; tag < TAGS_MAX; tag++) {
    const own = `tag.${tag}`;
    steps.push(
      jeq(EtherType.vlan, own),
      jeq(EtherType.qinq, own),
      jne(EtherType.qinqLegacy, 'type'),
      at(own),
      txa,
      add(vlan.TAG_LEN),
      tax,
      ldh(ind(12)),
    );
  }
  return [
    ...steps,
    at('type'),
    jeq(EtherType.ipv4, 'type.ipv4'),
    jne(EtherType.ipv6, 'none'),
    ...skipEthernet,
    ...ifVersion(0x60, 'none'),
    ja('ipv6'),
    at('type.ipv4'),
    ...skipEthernet,
    ...ifVersion(0x40, 'none'),
    ja('ipv4'),
  ];
}

const skipEthernet: readonly Step[] = [txa, add(ethernet.HEADER_LEN), tax];

/** From a frame that is an IP packet itself, at M[frame], to `ipv4` or `ipv6`. */
export function rawSteps(): Step[] {
  return [
    at('raw'),
    ldx(mem(Word.frame)),
    ldb(ind(0)),
    and(0xf0),
    jeq(0x40, 'ipv4'),
    jeq(0x60, 'ipv6', 'none'),
  ];
}

/**
 * From the inner IP header at X to the label `addresses`, with M[ip] at the header whose addresses count: its own, or
 * the one that an ICMP error carries. With ports, M[ports] is what they add.
 */
export function innerSteps(withPorts: boolean): Step[] {
  return [
    at('ipv4'),
    stx(Word.ip),
    ...(withPorts ? noPorts : []),
    ldb(ind(9)),
    jeq(IpProtocol.icmp, 'icmp'),
    ...(withPorts ? ports4('inner') : [ja('addresses')]),
    at('icmp'),
    ldh(ind(6)),
    jset(FRAGMENT_BITS, 'addresses'),
    ...skipIpv4(),
    ...ifWithin(icmp.HEADER_LEN + ipv4.HEADER_LEN, 'addresses'),
    ldb(ind(0)),
    ...errorTypes4.map((type) => jeq(type, 'icmp.error')),
    ja('addresses'),
    at('icmp.error'),
    ...toCarried(0x40),
    ...(withPorts ? [ldb(ind(9)), ...ports4('carried')] : [ja('addresses')]),

    at('ipv6'),
    stx(Word.ip),
    ...(withPorts ? noPorts : []),
    ...skipIpv6(),
    ...walkExtensions('inner.walk', ANY_FRAGMENT, {
      found: 'inner.found',
      fragment: 'addresses',
      cut: 'addresses',
    }),
    at('inner.found'),
    jeq(IpProtocol.icmpv6, 'icmpv6'),
    ...(withPorts ? ifPorts : []),
    ja('addresses'),
    at('icmpv6'),
    ...ifWithin(icmpv6.HEADER_LEN + ipv6.HEADER_LEN, 'addresses'),
    ldb(ind(0)),
    jeq(0, 'addresses'),
    jgt(errorTypes6Max, 'addresses'),
    ...toCarried(0x60),
    ...(withPorts ? carriedPorts6() : []),
    ...(withPorts
      ? [ja('addresses'), at('ports'), ...ifWithin(PORTS_LEN, 'addresses'), ...portSteps(ind(0), ind(2))]
      : []),
  ];
}

/** From an ICMP error at X to the packet in it: X and M[ip]. */
function toCarried(version: 0x40 | 0x60): Step[] {
  return [txa, add(icmp.HEADER_LEN), tax, ...ifVersion(version, 'addresses'), stx(Word.ip)];
}

/** From the IPv4 header at X, its protocol in A, to `ports` with X at them, or to `addresses`. */
function ports4(name: string): Step[] {
  return [
    jeq(IpProtocol.tcp, `${name}.transport4`),
    jne(IpProtocol.udp, 'addresses'),
    at(`${name}.transport4`),
    ldh(ind(6)),
    jset(FRAGMENT_BITS, 'addresses'),
    ...skipIpv4(),
    ja('ports'),
  ];
}

function carriedPorts6(): Step[] {
  return [
    ...skipIpv6(),
    ...walkExtensions('carried6.walk', ANY_FRAGMENT, {
      found: 'carried6.found',
      fragment: 'addresses',
      cut: 'addresses',
    }),
    at('carried6.found'),
    ...ifPorts,
  ];
}

/** To `ports` where A is the number of TCP or UDP. */
const ifPorts: readonly Step[] = [jeq(IpProtocol.tcp, 'ports'), jeq(IpProtocol.udp, 'ports')];
