import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../../../src/wire/address.ts';
import * as arp from '../../../src/wire/arp.ts';
import * as aws from '../../../src/wire/aws-option.ts';
import { putU16 } from '../../../src/wire/bytes.ts';
import { finish, pseudoSum, sum } from '../../../src/wire/checksum.ts';
import { communityId, TUPLE_MAX_LEN, writeTuple } from '../../../src/wire/community-id.ts';
import { EtherType } from '../../../src/wire/ether-type.ts';
import * as ethernet from '../../../src/wire/ethernet.ts';
import * as geneve from '../../../src/wire/geneve.ts';
import * as icmp from '../../../src/wire/icmp.ts';
import * as icmpv6 from '../../../src/wire/icmpv6.ts';
import { IpProtocol } from '../../../src/wire/ip-protocol.ts';
import * as ipv4 from '../../../src/wire/ipv4.ts';
import { ExtensionWalk, walk } from '../../../src/wire/ipv6-extension.ts';
import * as ipv6 from '../../../src/wire/ipv6.ts';
import * as tcp from '../../../src/wire/tcp.ts';
import * as udp from '../../../src/wire/udp.ts';
import * as vlan from '../../../src/wire/vlan.ts';
import * as vxlan from '../../../src/wire/vxlan.ts';
import { hex } from '../../support/hex.ts';
import { requires } from '../../support/requires.ts';
import { tsharkFields } from '../../support/tshark-fields.ts';
import { ipv4Vectors } from '../../vectors/ipv4.ts';

/** Packets that our own writers make, read by tshark: numbers, and its verdict on each checksum (1 is good). */
const without = !requires('tshark');
const ETHERNET = 1;
const RAW_IP = 101;
const GOOD = '1';

const here = hex('02005e000001');
const there = hex('02005e000002');
const ip4a = parseAddress('192.0.2.1')!.bytes;
const ip4b = parseAddress('198.51.100.2')!.bytes;
const ip6a = parseAddress('2001:db8::1')!.bytes;
const ip6b = parseAddress('2001:db8::2')!.bytes;
const text = new TextEncoder().encode('thirteen byte');

/** The transport at `at`, its checksum put at `checksumAt` over the pseudo-header of the packet at `ipAt`. */
function seal(
  bytes: Uint8Array,
  version: number,
  ipAt: number,
  protocol: number,
  at: number,
  checksumAt: number,
) {
  const view = new DataView(bytes.buffer);
  const [source, destination] =
    version === 4 ? [ipv4.SOURCE, ipv4.DESTINATION] : [ipv6.SOURCE, ipv6.DESTINATION];
  const length = bytes.length - at;
  const pseudo = pseudoSum(view, version, ipAt + source, ipAt + destination, protocol, length);
  putU16(bytes, checksumAt, finish(pseudo + sum(view, at, bytes.length)));
}

test.skipIf(without)('the checksums of the IPv4 vectors are right', () => {
  const read = tsharkFields(
    ipv4Vectors.map((row) => hex(row.bytes)),
    RAW_IP,
    ['ip.checksum.status', 'ip.hdr_len', 'ip.flags.mf', 'ip.id'],
  );
  expect(read).toEqual(
    ipv4Vectors.map((row) => ({
      'ip.checksum.status': [GOOD],
      'ip.hdr_len': [String(row.headerLen)],
      'ip.flags.mf': [row.moreFragments ? '1' : '0'],
      'ip.id': [`0x${row.identification.toString(16).padStart(4, '0')}`],
    })),
  );
});

test.skipIf(without)('ARP behind two VLAN tags', () => {
  const bytes = new Uint8Array(ethernet.HEADER_LEN + 2 * vlan.TAG_LEN + arp.LEN);
  let at = ethernet.emit(bytes, 0, there, here, EtherType.qinq);
  at = vlan.emit(bytes, at, 100, 5, EtherType.vlan);
  at = vlan.emit(bytes, at, 4094, 0, EtherType.arp);
  arp.emit(bytes, at, arp.Operation.reply, here, ip4a, there, ip4b);
  const fields = ['eth.dst', 'eth.src', 'ieee8021ad.id', 'ieee8021ad.priority', 'vlan.id', 'arp.opcode'];
  const addresses = ['arp.src.hw_mac', 'arp.src.proto_ipv4', 'arp.dst.hw_mac', 'arp.dst.proto_ipv4'];
  expect(tsharkFields([bytes], ETHERNET, [...fields, ...addresses])).toEqual([
    {
      'eth.dst': ['02:00:5e:00:00:02'],
      'eth.src': ['02:00:5e:00:00:01'],
      'ieee8021ad.id': ['100'],
      'ieee8021ad.priority': ['5'],
      'vlan.id': ['4094'],
      'arp.opcode': ['2'],
      'arp.src.hw_mac': ['02:00:5e:00:00:01'],
      'arp.src.proto_ipv4': ['192.0.2.1'],
      'arp.dst.hw_mac': ['02:00:5e:00:00:02'],
      'arp.dst.proto_ipv4': ['198.51.100.2'],
    },
  ]);
});

test.skipIf(without)('TCP with options over IPv4', () => {
  const options = hex('020405b4 0402 080a 01020304 05060708 01 030307');
  const headers = ipv4.HEADER_LEN + tcp.HEADER_LEN + options.length;
  const bytes = new Uint8Array(headers + text.length);
  const at = ipv4.emit(bytes, 0, bytes.length, 7, ipv4.DONT_FRAGMENT, 64, IpProtocol.tcp, ip4a, ip4b);
  const next = tcp.emit(bytes, at, 443, 50_000, 0xfedcba98, 1, tcp.Flag.syn, 5840, 0, options.length);
  bytes.set(options, next);
  bytes.set(text, headers);
  seal(bytes, 4, 0, IpProtocol.tcp, at, at + tcp.CHECKSUM);
  const fields = ['ip.checksum.status', 'ip.flags.df', 'tcp.checksum.status', 'tcp.srcport', 'tcp.dstport'];
  const more = [
    'tcp.seq_raw',
    'tcp.flags',
    'tcp.hdr_len',
    'tcp.options.mss_val',
    'tcp.options.timestamp.tsval',
  ];
  expect(tsharkFields([bytes], RAW_IP, [...fields, ...more])).toEqual([
    {
      'ip.checksum.status': [GOOD],
      'ip.flags.df': ['1'],
      'tcp.checksum.status': [GOOD],
      'tcp.srcport': ['443'],
      'tcp.dstport': ['50000'],
      'tcp.seq_raw': [String(0xfedcba98)],
      'tcp.flags': ['0x0002'],
      'tcp.hdr_len': ['40'],
      'tcp.options.mss_val': ['1460'],
      'tcp.options.timestamp.tsval': [String(0x01020304)],
    },
  ]);
  expect(bytes[tcp.findOption(bytes, at, tcp.OptionKind.windowScale) + 2]).toBe(7);
});

test.skipIf(without)('ICMP and ICMPv6 echo', () => {
  const four = new Uint8Array(ipv4.HEADER_LEN + icmp.HEADER_LEN + text.length);
  const at4 = ipv4.emit(four, 0, four.length, 7, 0, 64, IpProtocol.icmp, ip4a, ip4b);
  four.set(text, icmp.emit(four, at4, icmp.Type.echo, 0, 0, 0x1234, 9));
  putU16(four, at4 + icmp.CHECKSUM, finish(sum(new DataView(four.buffer), at4, four.length)));

  const six = new Uint8Array(ipv6.HEADER_LEN + icmpv6.HEADER_LEN + text.length);
  const length = six.length - ipv6.HEADER_LEN;
  const at6 = ipv6.emit(six, 0, length, IpProtocol.icmpv6, 64, ip6a, ip6b, 0xb8, 0x12345);
  six.set(text, icmpv6.emit(six, at6, icmpv6.Type.echoReply, 0, 0, 0x1234, 9));
  seal(six, 6, 0, IpProtocol.icmpv6, at6, at6 + icmpv6.CHECKSUM);

  const fields = ['icmp.checksum.status', 'icmp.ident', 'icmp.seq', 'icmpv6.checksum.status', 'icmpv6.type'];
  const read = tsharkFields([four, six], RAW_IP, [...fields, 'ipv6.flow', 'ipv6.tclass', 'ipv6.plen']);
  expect(read[0]).toMatchObject({ 'icmp.checksum.status': [GOOD], 'icmp.seq': ['9'] });
  expect(read[0]!['icmp.ident']).toContain(String(0x1234));
  expect(read[1]).toMatchObject({
    'icmpv6.checksum.status': [GOOD],
    'icmpv6.type': ['129'],
    'ipv6.plen': [String(length)],
  });
  expect(Number(read[1]!['ipv6.flow'])).toBe(0x12345);
  expect(Number(read[1]!['ipv6.tclass'])).toBe(0xb8);
});

/** Extension headers in front of UDP; the final destination is where the walk finds it. */
const chains = [
  { name: 'none', first: 17, bytes: '' },
  { name: 'hop-by-hop and destination options', first: 0, bytes: '3c00 010400000000 1100 010400000000' },
  { name: 'fragment header around a whole packet', first: 44, bytes: '1100 0000 00001234' },
  {
    name: 'routing type 0, two to go',
    first: 43,
    bytes: '1104 0002 00000000 20010db8000000000000000000000003 20010db8000000000000000000000004',
  },
  {
    name: 'routing type 2',
    first: 43,
    bytes: '1102 0201 00000000 20010db8000000000000000000000003',
  },
  {
    name: 'segment routing, one to go',
    first: 43,
    bytes: '1104 0401 01000000 20010db8000000000000000000000003 20010db8000000000000000000000002',
  },
];

/** UDP behind `chain`, its checksum over the destination that the walk finds. */
function udpBehind(first: number, chain: Uint8Array): Uint8Array {
  const length = chain.length + udp.HEADER_LEN + text.length;
  const bytes = new Uint8Array(ipv6.HEADER_LEN + length);
  const udpLength = udp.HEADER_LEN + text.length;
  const at = ipv6.HEADER_LEN + chain.length;
  ipv6.emit(bytes, 0, length, first, 64, ip6a, ip6b);
  bytes.set(chain, ipv6.HEADER_LEN);
  bytes.set(text, udp.emit(bytes, at, 1000, 2000, udpLength, 0));

  const found = new ExtensionWalk();
  walk(bytes, 0, bytes.length, found);
  expect(found.transportAt).toBe(at);
  const view = new DataView(bytes.buffer);
  const pseudo = pseudoSum(view, 6, ipv6.SOURCE, found.pseudoDestinationAt, IpProtocol.udp, udpLength);
  putU16(bytes, at + udp.CHECKSUM, finish(pseudo + sum(view, at, bytes.length)));
  return bytes;
}

test.skipIf(without)('a UDP checksum behind extension headers covers the final destination', () => {
  const good = chains.map((row) => udpBehind(row.first, hex(row.bytes)));
  const bad = good.map((packet) => packet.with(packet.length - 1, 0));
  const fields = ['udp.checksum.status', 'udp.dstport'];
  const read = tsharkFields([...good, ...bad], RAW_IP, fields).map((packet, index) => ({
    name: chains[index % chains.length]!.name,
    status: packet['udp.checksum.status'],
    port: packet['udp.dstport'],
  }));
  expect(read).toEqual([
    ...chains.map(({ name }) => ({ name, status: [GOOD], port: ['2000'] })),
    ...chains.map(({ name }) => ({ name, status: ['0'], port: ['2000'] })),
  ]);
});

test.skipIf(without)('a Gateway Load Balancer mirror packet, layer by layer', () => {
  const inner = ethernet.HEADER_LEN + arp.LEN;
  const vxlanLength = udp.HEADER_LEN + vxlan.HEADER_LEN + inner;
  const carried = ipv4.HEADER_LEN + vxlanLength;
  const geneveLength = udp.HEADER_LEN + geneve.FIXED_LEN + aws.OPTIONS_LEN + carried;
  const bytes = new Uint8Array(ipv4.HEADER_LEN + geneveLength);
  let at = ipv4.emit(bytes, 0, bytes.length, 1, 0, 255, IpProtocol.udp, ip4a, ip4b);
  const outerAt = at;
  at = udp.emit(bytes, at, 60_000, geneve.DEFAULT_PORT, geneveLength, 0);
  at = geneve.emit(bytes, at, EtherType.ipv4, 0xabcdef, aws.OPTIONS_LEN);
  at = aws.emit(bytes, at, 0x01234567, 0x89abcdef, 0, 0, 0xcafebabe);
  at = ipv4.emit(bytes, at, carried, 2, 0, 255, IpProtocol.udp, ip4b, ip4a);
  at = udp.emit(bytes, at, 65_408, vxlan.DEFAULT_PORT, vxlanLength, 0);
  at = vxlan.emit(bytes, at, 4242);
  at = ethernet.emit(bytes, at, there, here, EtherType.arp);
  arp.emit(bytes, at, arp.Operation.request, here, ip4a, there, ip4b);
  seal(bytes, 4, 0, IpProtocol.udp, outerAt, outerAt + udp.CHECKSUM);

  const layers = ['frame.protocols', 'udp.dstport', 'udp.checksum.status', 'ip.checksum.status', 'vxlan.vni'];
  const options = ['geneve.vni', 'geneve.proto_type', 'geneve.option.class', 'geneve.option.length'];
  const [read] = tsharkFields([bytes], RAW_IP, [...layers, ...options, 'geneve.option.unknown.data']);
  expect(read).toMatchObject({
    'frame.protocols': ['raw:ip:udp:geneve:ip:udp:vxlan:eth:ethertype:arp'],
    'udp.dstport': ['6081', '4789'],
    'ip.checksum.status': [GOOD, GOOD],
    'geneve.proto_type': ['0x0800'],
    'geneve.vni': ['0xabcdef'],
    'vxlan.vni': ['4242'],
    'geneve.option.class': ['0x0108', '0x0108', '0x0108'],
    'geneve.option.unknown.data': ['0123456789abcdef', '0000000000000000', 'cafebabe'],
  });
  // before the options, tshark names the length of all of them
  expect(read!['geneve.option.length']!.slice(-3)).toEqual(['12', '12', '8']);
  expect(read!['udp.checksum.status']![0]).toBe(GOOD);
});

test.skipIf(without)('Community IDs and addresses of random flows are those of tshark', () => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc.constantFrom(ip6a, ip6b, parseAddress('fe80::1:0:0:1')!.bytes),
  );
  const flow = fc.record({
    version: fc.constantFrom(4, 6),
    source: address,
    destination: address,
    protocol: fc.constantFrom(IpProtocol.tcp, IpProtocol.udp, IpProtocol.icmp, IpProtocol.icmpv6),
    first: fc.nat(0xffff),
    second: fc.nat(0xffff),
  });
  const flows = fc
    .sample(flow, { numRuns: 400, seed: 1 })
    .filter(({ version, protocol }) => protocol !== (version === 4 ? IpProtocol.icmpv6 : IpProtocol.icmp));
  const packets = flows.map((f) => {
    const bytes = new Uint8Array(60 + tcp.HEADER_LEN);
    const at =
      f.version === 4
        ? ipv4.emit(bytes, 0, 40, 0, 0, 64, f.protocol, f.source, f.destination)
        : ipv6.emit(bytes, 0, 20, f.protocol, 64, f.source, f.destination);
    if (f.protocol === IpProtocol.tcp) tcp.emit(bytes, at, f.first, f.second, 1, 1, tcp.Flag.ack, 1);
    else if (f.protocol === IpProtocol.udp) udp.emit(bytes, at, f.first, f.second, 20, 0);
    else icmp.emit(bytes, at, f.first & 0xff, f.second & 0xff, 0, 0, 0);
    return bytes.slice(0, at + 20);
  });
  const read = tsharkFields(packets, RAW_IP, ['communityid', 'ip.src', 'ipv6.src']);
  const tuple = new Uint8Array(TUPLE_MAX_LEN);
  const ours = flows.map((f, index) => {
    const bytes = packets[index]!;
    const isIcmp = f.protocol === IpProtocol.icmp || f.protocol === IpProtocol.icmpv6;
    const [sourceAt, destinationAt] =
      f.version === 4 ? [ipv4.SOURCE, ipv4.DESTINATION] : [ipv6.SOURCE, ipv6.DESTINATION];
    const first = isIcmp ? f.first & 0xff : f.first;
    const second = isIcmp ? f.second & 0xff : f.second;
    const len = writeTuple(
      tuple,
      0,
      bytes,
      f.version,
      sourceAt,
      destinationAt,
      f.protocol,
      first,
      second,
      true,
    );
    const source = formatAddress(bytes, sourceAt, f.version);
    return {
      communityid: [communityId(tuple.subarray(0, len), (data) => createHash('sha1').update(data).digest())],
      'ip.src': f.version === 4 ? [source] : [],
      'ipv6.src': f.version === 4 ? [] : [source],
    };
  });
  expect(read).toEqual(ours);
});
