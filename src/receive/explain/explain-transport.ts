import * as icmp from '../../wire/icmp.ts';
import * as icmpv6 from '../../wire/icmpv6.ts';
import { IpProtocol } from '../../wire/ip-protocol.ts';
import * as tcp from '../../wire/tcp.ts';
import * as udp from '../../wire/udp.ts';
import { hexNumber, type LayerList, named, type Remainder } from './explained-layer.ts';

/** Describes the header behind IP; returns what comes behind it. */
export function describeTransport(list: LayerList, at: number, end: number, protocol: number): Remainder {
  switch (protocol) {
    case IpProtocol.tcp:
      return describeTcp(list, at, end);
    case IpProtocol.udp:
      return describeUdp(list, at, end);
    case IpProtocol.icmp:
      return describeIcmp(list, at, end, 'ICMP', icmp.Type);
    case IpProtocol.icmpv6:
      return describeIcmp(list, at, end, 'ICMPv6', icmpv6.Type);
    default:
      return { at, end };
  }
}

function describeUdp(list: LayerList, at: number, end: number): Remainder {
  if (!udp.complete(at, end)) {
    list.addCut('UDP', at, end, udp.HEADER_LEN);
    return { at: end, end };
  }
  const { bytes } = list;
  const length = udp.length(bytes, at);
  const tooLong =
    at + length > end ? `its length says ${at + length - end} bytes more than arrived` : undefined;
  const tooShort = length < udp.HEADER_LEN && length !== 0 ? 'its length is less than its header' : undefined;
  list.add(
    'UDP',
    at,
    udp.HEADER_LEN,
    [
      ['source port', String(udp.sourcePort(bytes, at))],
      ['destination port', String(udp.destinationPort(bytes, at))],
      ['length', String(length)],
      ['checksum', hexNumber(udp.checksum(bytes, at), 4)],
    ],
    tooLong ?? tooShort,
  );
  return { at: at + udp.HEADER_LEN, end };
}

function describeTcp(list: LayerList, at: number, end: number): Remainder {
  const { bytes } = list;
  if (!tcp.complete(bytes, at, end)) {
    const needed = end - at < tcp.HEADER_LEN ? tcp.HEADER_LEN : tcp.headerLen(bytes, at);
    list.addCut('TCP', at, end, needed);
    return { at: end, end };
  }
  const length = tcp.headerLen(bytes, at);
  const flagBits = tcp.flags(bytes, at);
  const flags = Object.entries(tcp.Flag).filter(([, bit]) => (flagBits & bit) !== 0);
  list.add('TCP', at, length, [
    ['source port', String(tcp.sourcePort(bytes, at))],
    ['destination port', String(tcp.destinationPort(bytes, at))],
    ['sequence', String(tcp.sequence(bytes, at))],
    ['acknowledgement', String(tcp.acknowledgement(bytes, at))],
    ['flags', flags.map(([name]) => name).join(' ') || 'none'],
    ['window', String(tcp.window(bytes, at))],
    ['checksum', hexNumber(tcp.checksum(bytes, at), 4)],
    ['bytes of options', String(length - tcp.HEADER_LEN)],
  ]);
  return { at: at + length, end };
}

function describeIcmp(
  list: LayerList,
  at: number,
  end: number,
  name: string,
  types: Readonly<Record<string, number>>,
): Remainder {
  if (!icmp.complete(at, end)) {
    list.addCut(name, at, end, icmp.HEADER_LEN);
    return { at: end, end };
  }
  const { bytes } = list;
  const type = icmp.type(bytes, at);
  list.add(name, at, icmp.HEADER_LEN, [
    ['type', named(type, type, types)],
    ['code', String(icmp.code(bytes, at))],
    ['checksum', hexNumber(icmp.checksum(bytes, at), 4)],
  ]);
  return { at: at + icmp.HEADER_LEN, end };
}
