import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlowHash, sourcePort } from '../../../src/mirror/source-port.ts';
import { EtherType } from '../../../src/wire/ether-type.ts';
import * as icmp from '../../../src/wire/icmp.ts';
import * as icmpv6 from '../../../src/wire/icmpv6.ts';
import { IpProtocol } from '../../../src/wire/ip-protocol.ts';
import * as ipv4 from '../../../src/wire/ipv4.ts';
import {
  echo,
  frame,
  frame4,
  frame6,
  host,
  ipv6Packet,
  opaque,
  tcpSegment,
  udpDatagram,
  type Transport,
} from '../../../samples/make/packets.ts';
import { guardedBytes } from '../../support/guarded-bytes.ts';

const near = host(1, '10.0.1.10', '2001:db8::10');
const far = host(2, '10.0.2.20', '2001:db8::20');
const nothing = Buffer.alloc(0);

function hash(bytes: Uint8Array): number {
  return new FlowHash().hash(bytes, 0, bytes.length);
}

function tcp(source: number, destination: number): Transport {
  return tcpSegment({
    sourcePort: source,
    destinationPort: destination,
    sequence: 1,
    acknowledgement: 2,
    flags: 0x10,
  });
}

const udp = (source: number, destination: number): Transport => udpDatagram(source, destination, nothing);
const ping = (type: number, id: number): Transport => echo(IpProtocol.icmp, type, id, 1, 8);
const ping6 = (type: number, id: number): Transport => echo(IpProtocol.icmpv6, type, id, 1, 8);

// AWS mirrors both directions of TCP and NTP from one source port (seen in one capture of 2019).
const pairs = [
  { name: 'TCP over IPv4', one: frame4(near, far, tcp(5000, 80)), other: frame4(far, near, tcp(80, 5000)) },
  { name: 'TCP over IPv6', one: frame6(near, far, tcp(5000, 80)), other: frame6(far, near, tcp(80, 5000)) },
  {
    name: 'UDP, equal ports',
    one: frame4(near, far, udp(123, 123)),
    other: frame4(far, near, udp(123, 123)),
  },
  {
    name: 'echo and its reply',
    one: frame4(near, far, ping(icmp.Type.echo, 7)),
    other: frame4(far, near, ping(icmp.Type.echoReply, 7)),
  },
  {
    name: 'ICMPv6 echo and its reply',
    one: frame6(near, far, ping6(icmpv6.Type.echo, 7)),
    other: frame6(far, near, ping6(icmpv6.Type.echoReply, 7)),
  },
  {
    name: 'a VLAN tag or none',
    one: frame4(near, far, tcp(5000, 80)),
    other: frame4(far, near, tcp(80, 5000), {}, [30, 200]),
  },
  {
    name: 'later fragments, whatever their data',
    one: frame4(near, far, opaque(IpProtocol.udp, Buffer.alloc(64, 1)), { flagsAndOffset: 10 }),
    other: frame4(far, near, opaque(IpProtocol.udp, Buffer.alloc(64, 2)), { flagsAndOffset: 20 }),
  },
  {
    name: 'protocols without ports, whatever their data',
    one: frame4(near, far, opaque(IpProtocol.gre, Buffer.alloc(64, 1))),
    other: frame4(far, near, opaque(IpProtocol.gre, Buffer.alloc(64, 2))),
  },
  {
    name: 'no IP: the two hardware addresses',
    one: frame(near.mac, far.mac, Buffer.alloc(28, 1), EtherType.arp),
    other: frame(far.mac, near.mac, Buffer.alloc(28, 2), EtherType.arp),
  },
  {
    name: 'IPv6 behind extension headers',
    one: frame6(near, far, udp(1, 2)),
    other: frame(
      far.mac,
      near.mac,
      ipv6Packet(
        far.ipv6,
        near.ipv6,
        udp(2, 1),
        {},
        IpProtocol.hopByHop,
        Buffer.from('1100010400000000', 'hex'),
      ),
      EtherType.ipv6,
    ),
  },
];

test.each(pairs)('one flow, one hash: $name', ({ one, other }) => {
  expect(hash(other)).toBe(hash(one));
});

const flows = [
  { name: 'TCP', bytes: frame4(near, far, tcp(5000, 80)) },
  { name: 'another source port', bytes: frame4(near, far, tcp(5001, 80)) },
  { name: 'ports swapped between the hosts', bytes: frame4(near, far, tcp(80, 5000)) },
  { name: 'UDP with the ports of TCP', bytes: frame4(near, far, udp(5000, 80)) },
  {
    name: 'a later fragment',
    bytes: frame4(near, far, opaque(IpProtocol.tcp, tcp(5000, 80).bytes), { flagsAndOffset: 1 }),
  },
  { name: 'TCP over IPv6', bytes: frame6(near, far, tcp(5000, 80)) },
  { name: 'echo 7', bytes: frame4(near, far, ping(icmp.Type.echo, 7)) },
  { name: 'echo 8', bytes: frame4(near, far, ping(icmp.Type.echo, 8)) },
  { name: 'an ICMP error', bytes: frame4(near, far, ping(icmp.Type.destinationUnreachable, 7)) },
  { name: 'GRE', bytes: frame4(near, far, opaque(IpProtocol.gre, Buffer.alloc(8))) },
  { name: 'another host', bytes: frame4(near, host(3, '10.0.2.21', '::1'), tcp(5000, 80)) },
  { name: 'ARP', bytes: frame(near.mac, far.mac, Buffer.alloc(28), EtherType.arp) },
];

test('different flows have different hashes', () => {
  const hashes = flows.map(({ bytes }) => hash(bytes));
  expect(new Set(hashes).size).toBe(flows.length);
});

test('the first fragment has its ports, as AWS documents it', () => {
  const first = frame4(near, far, tcp(5000, 80), { flagsAndOffset: ipv4.MORE_FRAGMENTS });
  expect(hash(first)).toBe(hash(frame4(near, far, tcp(5000, 80))));
});

test('ports follow RFC 7348 section 5 and spread', () => {
  const ports = new Set<number>();
  for (let source = 1024; source < 2048; source++)
    ports.add(sourcePort(hash(frame4(near, far, tcp(source, 80)))));
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(49_152);
    expect(port).toBeLessThanOrEqual(65_535);
  }
  // 1,024 balls into 16,384 boxes leave 31 doubles on average
  expect(ports.size).toBeGreaterThan(950);
});

test('neighbouring flows use all of sixteen sockets evenly', () => {
  const used = new Array<number>(16).fill(0);
  for (let source = 0; source < 1600; source++) {
    const index = hash(frame4(near, far, udp(40_000 + source, 53))) % 16;
    used[index] = (used[index] ?? 0) + 1;
  }
  expect(Math.min(...used)).toBeGreaterThan(60);
  expect(Math.max(...used)).toBeLessThan(140);
});

test('no frame, cut anywhere or made of noise, makes it read past its end', () => {
  const frames = fc.oneof(
    fc.constantFrom(...pairs.flatMap(({ one, other }) => [one, other]).map((bytes) => new Uint8Array(bytes))),
    fc.uint8Array({ maxLength: 100 }),
  );
  fc.assert(
    fc.property(frames, fc.nat(200), (bytes, cut) => {
      const end = Math.min(bytes.length, cut);
      const result = new FlowHash().hash(guardedBytes(bytes, 0, end), 0, end);
      expect(Number.isInteger(result) && result >= 0 && result <= 0xffff_ffff).toBe(true);
    }),
  );
});
