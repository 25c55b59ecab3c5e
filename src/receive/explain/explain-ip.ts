import { u16 } from '../../wire/bytes.ts';
import { IpProtocol } from '../../wire/ip-protocol.ts';
import * as ipv4 from '../../wire/ipv4.ts';
import * as ipv6 from '../../wire/ipv6.ts';
import { isExtension, MAX_EXTENSIONS } from '../../wire/ipv6-extension.ts';
import { describeTransport } from './explain-transport.ts';
import { hexNumber, type LayerList, named, type Remainder } from './explained-layer.ts';

/** Describes an IP packet, headers and transport; returns what comes behind them, padding left out. */
export function describeIp(list: LayerList, at: number, end: number): Remainder {
  const version = at < end ? ipv4.version(list.bytes, at) : 0;
  if (version === 4) return describeIpv4(list, at, end);
  if (version === 6) return describeIpv6(list, at, end);
  if (at >= end) list.addCut('IP', at, end, ipv4.HEADER_LEN);
  else list.add('IP', at, end - at, [['version', String(version)]], 'no version that is known');
  return { at: end, end };
}

function describeIpv4(list: LayerList, at: number, end: number): Remainder {
  const { bytes } = list;
  if (end - at < ipv4.HEADER_LEN) {
    list.addCut('IPv4', at, end, ipv4.HEADER_LEN);
    return { at: end, end };
  }
  const headerLen = ipv4.headerLen(bytes, at);
  const totalLength = ipv4.totalLength(bytes, at);
  const ipEnd = totalLength === 0 ? end : at + totalLength;
  const offset = ipv4.fragmentOffset(bytes, at);
  const protocol = ipv4.protocol(bytes, at);
  const flags = [
    ...(ipv4.dontFragment(bytes, at) ? ['do not fragment'] : []),
    ...(ipv4.moreFragments(bytes, at) ? ['more fragments'] : []),
  ];
  list.add(
    'IPv4',
    at,
    Math.min(Math.max(headerLen, ipv4.HEADER_LEN), end - at),
    [
      ['source', list.address(at + ipv4.SOURCE, 4)],
      ['destination', list.address(at + ipv4.DESTINATION, 4)],
      ['protocol', named(protocol, protocol, IpProtocol)],
      ['header length', String(headerLen)],
      ['total length', String(totalLength)],
      ['identification', hexNumber(ipv4.identification(bytes, at), 4)],
      ['flags', flags.join(', ') || 'none'],
      ['fragment offset', String(offset)],
      ['time to live', String(ipv4.ttl(bytes, at))],
      ['checksum', hexNumber(ipv4.headerChecksum(bytes, at), 4)],
    ],
    ipv4Note(headerLen, end - at, ipEnd - end),
  );
  if (headerLen < ipv4.HEADER_LEN || at + headerLen > end) return { at: end, end };
  const dataEnd = Math.max(at + headerLen, Math.min(end, ipEnd));
  if (offset !== 0) return { at: at + headerLen, end: dataEnd };
  return describeTransport(list, at + headerLen, dataEnd, protocol);
}

function ipv4Note(headerLen: number, present: number, missing: number): string | undefined {
  if (headerLen < ipv4.HEADER_LEN) return `its header length is ${headerLen}, less than ${ipv4.HEADER_LEN}`;
  if (headerLen > present) return `cut: ${headerLen} bytes needed, ${present} present`;
  return missing > 0 ? `its length says ${missing} bytes more than arrived` : undefined;
}

function describeIpv6(list: LayerList, at: number, end: number): Remainder {
  const { bytes } = list;
  if (!ipv6.complete(bytes, at, end)) {
    list.addCut('IPv6', at, end, ipv6.HEADER_LEN);
    return { at: end, end };
  }
  const payloadLength = ipv6.payloadLength(bytes, at);
  const ipEnd = payloadLength === 0 ? end : at + ipv6.HEADER_LEN + payloadLength;
  const next = ipv6.nextHeader(bytes, at);
  list.add(
    'IPv6',
    at,
    ipv6.HEADER_LEN,
    [
      ['source', list.address(at + ipv6.SOURCE, 6)],
      ['destination', list.address(at + ipv6.DESTINATION, 6)],
      ['next header', named(next, next, IpProtocol)],
      ['payload length', String(payloadLength)],
      ['hop limit', String(ipv6.hopLimit(bytes, at))],
      ['flow label', hexNumber(ipv6.flowLabel(bytes, at), 5)],
    ],
    ipEnd > end ? `its length says ${ipEnd - end} bytes more than arrived` : undefined,
  );
  return describeExtensions(list, at + ipv6.HEADER_LEN, Math.min(end, ipEnd), next);
}

function describeExtensions(list: LayerList, firstAt: number, end: number, first: number): Remainder {
  const { bytes } = list;
  let at = firstAt;
  let protocol = first;
  for (let count = 0; isExtension(protocol); count++) {
    const name = `IPv6 ${named('extension', protocol, IpProtocol)}`;
    if (count === MAX_EXTENSIONS) {
      list.add(name, at, end - at, [], `more than ${MAX_EXTENSIONS} extension headers: not looked into`);
      return { at: end, end };
    }
    const length = end - at < 2 ? 8 : extensionLen(bytes, at, protocol);
    if (end - at < length) {
      list.addCut(name, at, end, length);
      return { at: end, end };
    }
    const isFragment = protocol === IpProtocol.fragment;
    const offset = isFragment ? u16(bytes, at + 2) & 0xfff8 : 0;
    const next = bytes[at]!;
    list.add(name, at, length, [
      ['next header', named(next, next, IpProtocol)],
      ...(isFragment
        ? ([
            ['fragment offset', String(offset)],
            ['more fragments', (u16(bytes, at + 2) & 1) === 1 ? 'yes' : 'no'],
          ] as const)
        : []),
    ]);
    protocol = next;
    at += length;
    if (offset !== 0) return { at, end };
  }
  return describeTransport(list, at, Math.max(at, end), protocol);
}

function extensionLen(bytes: Buffer, at: number, protocol: number): number {
  if (protocol === IpProtocol.fragment) return 8;
  const units = bytes[at + 1]!;
  return protocol === IpProtocol.ah ? (units + 2) * 4 : (units + 1) * 8;
}
