/** What an instance sends and receives in five seconds: the frames before anything mirrors them. */
import * as arp from '../../src/wire/arp.ts';
import { EtherType } from '../../src/wire/ether-type.ts';
import * as icmp from '../../src/wire/icmp.ts';
import * as icmpv6 from '../../src/wire/icmpv6.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';
import * as ipv4 from '../../src/wire/ipv4.ts';
import { inOrder, type Packet } from './capture.ts';
import { connection } from './connection.ts';
import { echo, frame, frame4, frame6, host, opaque, udpDatagram } from './packets.ts';

export const client = host(1, '10.0.1.10', '2001:db8:1::10');
export const server = host(2, '10.0.2.20', '2001:db8:2::20');
const resolver = host(3, '10.0.0.2', '2001:db8::2');
const router = host(4, '10.0.1.1', '2001:db8:1::1');
const BROADCAST = Buffer.alloc(6, 0xff);

const NAMES = ['www', 'api', 'mail', 'static', 'db-1', 'db-2', 'metrics', 'login'];

/** All frames, in order of time. */
export function traffic(): Packet[] {
  return inOrder([
    ...addressResolution(),
    ...names(),
    ...[0, 1, 2, 3, 4, 5, 6, 7].flatMap((i) =>
      connection(client, server, 120_000 + i * 550_000, 49_200 + i, 80, { version: 4 }),
    ),
    ...[0, 1, 2].flatMap((i) =>
      connection(client, server, 300_000 + i * 1_400_000, 50_100 + i, 443, { version: 6 }),
    ),
    ...connection(client, server, 2_200_000, 51_000, 8080, { version: 4, clientChecksum: 'partial' }),
    ...refused(),
    ...pings(),
    ...tagged(),
    ...time(),
    ...fragments(),
  ]);
}

/** A query and its answer every half second; each third answer without a UDP checksum. */
function names(): Packet[] {
  return NAMES.flatMap((name, i) => {
    const timeUs = 100_000 + i * 550_000;
    const query = udpDatagram(40_000 + i, 53, dns(0x1000 + i, name, false));
    const answer = udpDatagram(53, 40_000 + i, dns(0x1000 + i, name, true));
    const checksum = i % 3 === 2 ? 'zero' : 'valid';
    return [
      { timeUs, bytes: frame4(client, resolver, query, { identification: i }) },
      { timeUs: timeUs + 900, bytes: frame4(resolver, client, answer, { identification: 0, checksum }) },
    ];
  });
}

/** A question for the IPv4 address of NAME.example.com, or the answer to it (RFC 1035 section 4). */
function dns(id: number, name: string, isAnswer: boolean): Buffer {
  const labels = [name, 'example', 'com'].map((label) =>
    Buffer.concat([Buffer.of(label.length), Buffer.from(label)]),
  );
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(isAnswer ? 0x8180 : 0x0100, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(isAnswer ? 1 : 0, 6);
  const question = Buffer.concat([...labels, Buffer.from('0000010001', 'hex')]);
  const record = Buffer.from('c00c000100010000003c0004c6336414', 'hex');
  return Buffer.concat(isAnswer ? [header, question, record] : [header, question]);
}

/** Who has the router's address, and the same for the server's over IPv6. */
function addressResolution(): Packet[] {
  const request = Buffer.alloc(arp.LEN);
  arp.emit(request, 0, arp.Operation.request, client.mac, client.ipv4, new Uint8Array(6), router.ipv4);
  const reply = Buffer.alloc(arp.LEN);
  arp.emit(reply, 0, arp.Operation.reply, router.mac, router.ipv4, client.mac, client.ipv4);
  return [
    { timeUs: 0, bytes: frame(client.mac, BROADCAST, request, EtherType.arp) },
    { timeUs: 300, bytes: frame(router.mac, client.mac, reply, EtherType.arp) },
    { timeUs: 50_000, bytes: neighbor(client, router, icmpv6.Type.neighborSolicitation) },
    { timeUs: 50_400, bytes: neighbor(router, client, icmpv6.Type.neighborAdvertisement) },
  ];
}

/** RFC 4861 sections 4.3 and 4.4: eight bytes of header, the address that is asked for, one option. */
function neighbor(from: typeof client, to: typeof client, type: number): Buffer {
  const isAsking = type === icmpv6.Type.neighborSolicitation;
  const header = Buffer.alloc(icmpv6.HEADER_LEN);
  icmpv6.emit(header, 0, type, 0, 0, isAsking ? 0 : 0x6000, 0);
  const link = Buffer.concat([Buffer.of(isAsking ? 1 : 2, 1), from.mac]);
  const bytes = Buffer.concat([header, isAsking ? to.ipv6 : from.ipv6, link]);
  return frame6(from, to, { protocol: IpProtocol.icmpv6, bytes, checksumAt: icmpv6.CHECKSUM }, { ttl: 255 });
}

function pings(): Packet[] {
  const rounds = [1, 2, 3, 4, 5];
  return rounds.flatMap((sequence) => {
    const timeUs = sequence * 900_000;
    const ask = echo(IpProtocol.icmp, icmp.Type.echo, 7, sequence, 56);
    const answer = echo(IpProtocol.icmp, icmp.Type.echoReply, 7, sequence, 56);
    const ask6 = echo(IpProtocol.icmpv6, icmpv6.Type.echo, 8, sequence, 56);
    const answer6 = echo(IpProtocol.icmpv6, icmpv6.Type.echoReply, 8, sequence, 56);
    return [
      { timeUs, bytes: frame4(client, server, ask, { flagsAndOffset: ipv4.DONT_FRAGMENT }) },
      { timeUs: timeUs + 450, bytes: frame4(server, client, answer) },
      { timeUs: timeUs + 10_000, bytes: frame6(client, server, ask6) },
      { timeUs: timeUs + 10_480, bytes: frame6(server, client, answer6) },
    ];
  });
}

/** Log lines in VLAN 100, and some in VLAN 200 inside service VLAN 30. */
function tagged(): Packet[] {
  return [0, 1, 2, 3, 4, 5].map((i) => {
    const line = udpDatagram(514, 514, Buffer.from(`<134>app[${i}]: request ${i} served in ${i * 3 + 2} ms`));
    const tags = i % 3 === 2 ? [30, 200] : [100];
    return { timeUs: 700_000 + i * 610_000, bytes: frame4(client, server, line, {}, tags) };
  });
}

/** One exchange of time (RFC 5905), with a broken checksum in the answer. */
function time(): Packet[] {
  const ask = Buffer.alloc(48);
  ask[0] = 0x23;
  const answer = Buffer.alloc(48);
  answer[0] = 0x24;
  return [
    { timeUs: 3_000_000, bytes: frame4(client, router, udpDatagram(123, 123, ask)) },
    { timeUs: 3_001_200, bytes: frame4(router, client, udpDatagram(123, 123, answer), { checksum: 'bad' }) },
  ];
}

/** A connection to a port where nobody listens. */
function refused(): Packet[] {
  return connection(client, server, 4_100_000, 52_000, 81, { version: 4, isRefused: true });
}

/** A UDP datagram of 1,000 bytes in two fragments. */
function fragments(): Packet[] {
  const whole = udpDatagram(6000, 6001, Buffer.alloc(1000, 0x5a)).bytes;
  const cut = 600;
  const first = opaque(IpProtocol.udp, whole.subarray(0, cut));
  const rest = opaque(IpProtocol.udp, whole.subarray(cut));
  const identification = 0x4d54;
  return [
    {
      timeUs: 3_500_000,
      bytes: frame4(client, server, first, { identification, flagsAndOffset: ipv4.MORE_FRAGMENTS }),
    },
    { timeUs: 3_500_010, bytes: frame4(client, server, rest, { identification, flagsAndOffset: cut / 8 }) },
  ];
}
