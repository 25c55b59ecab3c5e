/** Inner frames of every kind that analysis looks into, right and wrong ones, to be mutated and cut by who sends them. */
import {
  echo,
  frame,
  frame4,
  frame6,
  type Host,
  host,
  ipv6Packet,
  opaque,
  tcpSegment,
  udpDatagram,
} from '../../samples/make/packets.ts';
import { EtherType } from '../../src/wire/ether-type.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';
import * as tcp from '../../src/wire/tcp.ts';
import { applicationProtocols, clientHello, handshakeRecords, serverName } from './client-hello.ts';
import { fragment4, fragment6, type Piece, pieces } from './fragmenting.ts';
import { hex } from './hex.ts';
import { ethernetIn, framed, ipIn, type Tunnel, tunnels } from './nesting.ts';
import { cryptoFrame, initialPacket } from './quic-client.ts';
import type { Seeded } from './seeded.ts';

const { syn: SYN, ack: ACK, fin: FIN, rst: RST, psh: PSH } = tcp.Flag;
const nearHost: Host = host(1, '10.0.1.10', '2001:db8:1::10');
const farHost: Host = host(2, '10.0.2.20', '2001:db8:2::20');

/** A frame, and where the last two bytes of the client's address stand in it: whoever changes them has another flow. */
export interface HostileFrame {
  readonly bytes: Buffer;
  /** -1 where there is no such place. */
  readonly clientAt: number;
}

const query = hex('1234 0100 0001 0000 0000 0000 03777777 076578616d706c65 03636f6d 00 0001 0001');
const answer = Buffer.concat([
  hex('1234 8180 0001 0001 0000 0000 03777777 076578616d706c65 03636f6d 00 0001 0001'),
  hex('c00c 0001 0001 0000003c 0004 c0000201'),
]);
const hello = clientHello({
  ciphers: [0x1301, 0x1302, 0xc02f],
  extensions: [serverName('www.example.com'), applicationProtocols(Buffer.from('h2'))],
});
const request = Buffer.from('GET /path HTTP/1.1\r\nHost: www.example.com\r\nAccept: */*\r\n\r\n');
const quic = initialPacket({
  destinationId: hex('8394c8f03e515708'),
  frames: Buffer.concat([cryptoFrame(0, hello), Buffer.alloc(900)]),
});

/** Options of TCP: right ones, broken ones, and noise. */
function options(random: Seeded): Buffer {
  const kinds = [
    '',
    '020405b4 0402080a 01020304 05060708 01030307',
    '0101050a 00000001 00000100',
    '020405b4 00ffffff',
    '02ff05b4',
    '0200ffff',
    '0303ff01',
  ];
  if (random.below(3) !== 0) return Buffer.from(hex(random.pick(kinds)));
  return Buffer.from(Array.from({ length: 4 * random.below(11) }, () => random.below(256)));
}

/** A TCP connection from its handshake to its end, with what goes wrong in some of them. */
export function conversation(random: Seeded): HostileFrame[] {
  const version = random.pick([4, 4, 6] as const);
  const tags = random.pick([[], [], [7], [7, 8]]);
  const clientPort = 1024 + random.below(60_000);
  const serverPort = random.pick([80, 443, 53, 8080, 6000]);
  const first = random.pick([
    request,
    handshakeRecords(hello),
    handshakeRecords(hello, 64),
    query,
    Buffer.alloc(9),
  ]);
  const next = [
    random.below(2) === 0 ? 0xffff_ff00 : random.below(0xffff_ffff),
    random.below(0xffff_ffff),
  ] as [number, number];
  const frames: HostileFrame[] = [];
  const send = (from: 0 | 1, flags: number, data: Uint8Array = Buffer.alloc(0), shift = 0): void => {
    const segment = tcpSegment({
      sourcePort: from === 0 ? clientPort : serverPort,
      destinationPort: from === 0 ? serverPort : clientPort,
      sequence: (next[from] + shift) >>> 0,
      acknowledgement: (flags & ACK) === 0 ? 0 : next[1 - from]! >>> 0,
      flags,
      data,
      options: options(random),
    });
    frames.push(between(version, from, segment, tags));
    if (shift === 0) next[from] = (next[from] + data.length + ((flags & (SYN | FIN)) === 0 ? 0 : 1)) >>> 0;
  };
  if (random.below(5) !== 0) {
    send(0, SYN);
    send(1, SYN | ACK);
    send(0, ACK);
  }
  const cutAt = random.below(first.length + 1);
  send(0, ACK | PSH, first.subarray(0, cutAt));
  send(0, ACK | PSH, first.subarray(cutAt));
  for (let left = random.below(12); left > 0; left--) {
    const from = random.pick([0, 1] as const);
    send(from, ACK, Buffer.alloc(random.below(400), left));
    // a retransmission, a keep-alive, or data that was never seen
    if (random.below(4) === 0)
      send(from, ACK, Buffer.alloc(random.below(40)), random.pick([-1, -100, 1000, 0x8000_0000]));
  }
  if (random.below(3) === 0) send(random.pick([0, 1] as const), RST | random.pick([0, ACK]));
  else {
    send(0, FIN | ACK);
    send(1, FIN | ACK);
    send(0, ACK);
  }
  return frames;
}

function between(
  version: 4 | 6,
  from: 0 | 1,
  transport: Parameters<typeof frame4>[2],
  tags: readonly number[] = [],
): HostileFrame {
  const [source, destination] = from === 0 ? [nearHost, farHost] : [farHost, nearHost];
  const make = version === 4 ? frame4 : frame6;
  const addressAt = version === 4 ? 12 + 4 * from + 2 : 8 + 16 * from + 14;
  return {
    bytes: make(source, destination, transport, {}, tags),
    clientAt: 14 + 4 * tags.length + addressAt,
  };
}

/** One frame of another kind than a TCP connection's. */
export function single(random: Seeded): HostileFrame {
  const port = 1024 + random.below(60_000);
  const version = random.pick([4, 6] as const);
  switch (random.below(10)) {
    case 0:
      return between(version, 0, udpDatagram(port, 53, query));
    case 1:
      return between(version, 1, udpDatagram(53, port, answer));
    case 2:
      return between(version, 0, udpDatagram(port, 443, quic));
    case 3:
      return between(4, 0, echo(IpProtocol.icmp, random.pick([0, 3, 8, 11]), 1, 1, 20));
    case 4:
      return between(6, 0, echo(IpProtocol.icmpv6, random.pick([1, 128, 129, 135]), 1, 1, 20));
    case 5:
      return between(version, 0, opaque(random.below(256), Buffer.alloc(40, port)));
    case 6:
      return extended(random);
    case 7:
      return { bytes: frame(nearHost.mac, farHost.mac, Buffer.alloc(28), EtherType.arp), clientAt: -1 };
    default:
      return between(
        version,
        0,
        udpDatagram(port, random.pick([4789, 6081, 9, 5353]), Buffer.alloc(random.below(90), 8)),
      );
  }
}

function extended(random: Seeded): HostileFrame {
  const chains = [
    '3c00 010400000000 1100 010400000000',
    '2b00 010400000000 1102 0201 00000000'.padEnd(82, '0'),
  ];
  const packet = ipv6Packet(
    nearHost.ipv6,
    farHost.ipv6,
    udpDatagram(1000, 2000, Buffer.alloc(30)),
    {},
    0,
    hex(random.pick(chains)),
  );
  return { bytes: frame(nearHost.mac, farHost.mac, packet, EtherType.ipv6), clientAt: 14 + 8 + 14 };
}

/** Fragments of one packet, as senders make them, with others that none makes. */
export function fragmentsOf(random: Seeded): HostileFrame[] {
  const identification = random.below(0x1_0000);
  const transport = random.pick([
    udpDatagram(1000, 2000, Buffer.alloc(900, 3)),
    tcpSegment({
      sourcePort: 1,
      destinationPort: 2,
      sequence: 1,
      acknowledgement: 1,
      flags: ACK,
      data: Buffer.alloc(500),
    }),
  ]);
  const list: Piece[] = pieces(transport.bytes.length, 8 * random.pick([1, 2, 10, 30, 60]));
  const wrong: Piece[] = [
    { offset: 24, length: 4, more: false },
    { offset: 8 * random.below(60), length: random.below(200), more: true },
  ];
  const all = [...list.slice(0, 12), ...(random.below(3) === 0 ? wrong : [])];
  const isIpv4 = random.below(2) === 0;
  return all.map((piece) =>
    isIpv4
      ? { bytes: fragment4(transport, piece, identification), clientAt: 14 + 14 }
      : { bytes: fragment6(transport, piece, { identification }), clientAt: 14 + 8 + 14 },
  );
}

/** A frame in up to six tunnels. */
export function nestedFrame(random: Seeded, inside: HostileFrame): HostileFrame {
  let { bytes } = inside;
  for (let left = 1 + random.below(6); left > 0; left--) {
    const around: Tunnel = random.pick(Object.values(tunnels));
    const isEthernet = around === tunnels.vxlan || around === tunnels.vxlan6 || random.below(2) === 0;
    bytes = framed(around(isEthernet ? ethernetIn(bytes) : ipIn(bytes)));
  }
  return { bytes, clientAt: bytes.length - inside.bytes.length + inside.clientAt };
}
