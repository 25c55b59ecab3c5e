import { LinkType } from '../../packet/link-type.ts';
import * as arp from '../../wire/arp.ts';
import { u16 } from '../../wire/bytes.ts';
import { EtherType } from '../../wire/ether-type.ts';
import * as ethernet from '../../wire/ethernet.ts';
import * as vlan from '../../wire/vlan.ts';
import { describeIp } from './explain-ip.ts';
import { hexNumber, type LayerList, named, type Remainder } from './explained-layer.ts';

const SLL_LEN = 16;
const SLL2_LEN = 20;
const NULL_LEN = 4;
/** As many as the receiver looks behind. */
const MAX_TAGS = 4;

/**
 * Describes everything from the link layer to the transport; returns what comes behind the last header that is
 * known, or `undefined` where nothing is left to tell.
 */
export function describeLink(
  list: LayerList,
  at: number,
  end: number,
  linkType: number,
): Remainder | undefined {
  switch (linkType) {
    case LinkType.ethernet:
      return describeEthernet(list, at, end);
    case LinkType.raw:
    case 12:
    case 14:
    case 228:
    case 229:
      return describeIp(list, at, end);
    case LinkType.null:
    case 108:
      if (end - at < NULL_LEN) return cut(list, 'Loopback', at, end, NULL_LEN);
      list.add('Loopback', at, NULL_LEN, [['family', `0x${list.bytes.toString('hex', at, at + NULL_LEN)}`]]);
      return describeIp(list, at + NULL_LEN, end);
    case LinkType.linuxSll:
      return describeCooked(list, at, end, SLL_LEN, 14);
    case LinkType.linuxSll2:
      return describeCooked(list, at, end, SLL2_LEN, 0);
    default:
      list.add('Link layer', at, end - at, [['link type', String(linkType)]], 'this link type is not read');
      return undefined;
  }
}

function cut(list: LayerList, name: string, at: number, end: number, needed: number): undefined {
  list.addCut(name, at, end, needed);
  return undefined;
}

function etherTypeText(etherType: number): string {
  return named(hexNumber(etherType, 4), etherType, EtherType);
}

function describeCooked(
  list: LayerList,
  at: number,
  end: number,
  length: number,
  typeAt: number,
): Remainder | undefined {
  if (end - at < length) return cut(list, 'Linux cooked', at, end, length);
  const type = u16(list.bytes, at + typeAt);
  list.add('Linux cooked', at, length, [['protocol', etherTypeText(type)]]);
  return describeNetwork(list, at + length, end, type);
}

function describeEthernet(list: LayerList, at: number, end: number): Remainder | undefined {
  if (!ethernet.complete(at, end)) return cut(list, 'Ethernet', at, end, ethernet.HEADER_LEN);
  const etherType = ethernet.etherType(list.bytes, at);
  list.add('Ethernet', at, ethernet.HEADER_LEN, [
    ['destination', list.hardware(at + ethernet.DESTINATION)],
    ['source', list.hardware(at + ethernet.SOURCE)],
    ['type', etherTypeText(etherType)],
  ]);
  return describeNetwork(list, at + ethernet.HEADER_LEN, end, etherType);
}

/** VLAN tags and what they announce. */
function describeNetwork(
  list: LayerList,
  firstAt: number,
  end: number,
  firstType: number,
): Remainder | undefined {
  const { bytes } = list;
  let at = firstAt;
  let etherType = firstType;
  for (let tags = 0; vlan.isTag(etherType); tags++) {
    if (tags === MAX_TAGS) {
      list.add('VLAN', at, end - at, [], `more than ${MAX_TAGS} tags: not looked into`);
      return undefined;
    }
    if (!vlan.complete(at, end)) return cut(list, 'VLAN', at, end, vlan.TAG_LEN);
    etherType = vlan.etherType(bytes, at);
    list.add('VLAN', at, vlan.TAG_LEN, [
      ['id', String(vlan.id(bytes, at))],
      ['priority', String(vlan.priority(bytes, at))],
      ['type', etherTypeText(etherType)],
    ]);
    at += vlan.TAG_LEN;
  }
  if (etherType === EtherType.ipv4 || etherType === EtherType.ipv6) return describeIp(list, at, end);
  if (etherType === EtherType.arp) return describeArp(list, at, end);
  return { at, end };
}

function describeArp(list: LayerList, at: number, end: number): Remainder | undefined {
  if (end - at < arp.LEN) return cut(list, 'ARP', at, end, arp.LEN);
  if (!arp.complete(list.bytes, at, end)) return { at, end };
  const operation = arp.operation(list.bytes, at);
  list.add('ARP', at, arp.LEN, [
    ['operation', named(operation, operation, arp.Operation)],
    ['sender', `${list.address(at + arp.SENDER_PROTOCOL, 4)} at ${list.hardware(at + arp.SENDER_HARDWARE)}`],
    ['target', `${list.address(at + arp.TARGET_PROTOCOL, 4)} at ${list.hardware(at + arp.TARGET_HARDWARE)}`],
  ]);
  return undefined;
}
