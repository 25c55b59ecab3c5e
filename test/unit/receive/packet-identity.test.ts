import { describe, expect, test } from 'vitest';
import {
  echo,
  frame,
  frame4,
  frame6,
  type Host,
  host,
  type IpFields,
  ipv6Packet,
  tcpSegment,
  type Transport,
  udpDatagram,
} from '../../../samples/make/packets.ts';
import { client, server } from '../../../samples/make/traffic.ts';
import { Layers } from '../../../src/packet/layers.ts';
import { PacketIdentity } from '../../../src/receive/packet-identity.ts';
import { IpProtocol } from '../../../src/wire/ip-protocol.ts';
import { A, B, deliver, DuplicateBench } from '../../support/duplicate-bench.ts';
import { scaled } from '../../support/scale.ts';
import { change } from '../../support/tunnels.ts';

const [senderGate, receiverGate] = [
  host(8, '10.0.1.1', '2001:db8:1::1'),
  host(9, '10.0.2.1', '2001:db8:2::1'),
];
/** The same hosts with the hardware addresses that each end sees. */
const near: [Host, Host] = [client, { ...server, mac: senderGate.mac }];
const far: [Host, Host] = [{ ...client, mac: receiverGate.mac }, server];

/** Bytes that differ from each other, so that none of them is missed. */
function data(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 37 + 11) & 0xff));
}

type Make = (ends: [Host, Host], fields: IpFields) => Buffer;
const segment = (length: number, sequence = 3): Transport =>
  tcpSegment({
    sourcePort: 1,
    destinationPort: 2,
    sequence,
    acknowledgement: 4,
    flags: 16,
    data: data(length),
  });

/** With and without an identification, of every length around what is compared. */
const kinds: [name: string, make: (length: number) => Make][] = [
  ['TCP over IPv4', (length) => (ends, fields) => frame4(...ends, segment(length), fields)],
  ['UDP over IPv4', (length) => (ends, fields) => frame4(...ends, udpDatagram(1, 2, data(length)), fields)],
  ['ICMP', (length) => (ends, fields) => frame4(...ends, echo(IpProtocol.icmp, 8, 1, 2, length), fields)],
  ['TCP over IPv6', (length) => (ends, fields) => frame6(...ends, segment(length), fields)],
  ['UDP over IPv6', (length) => (ends, fields) => frame6(...ends, udpDatagram(1, 2, data(length)), fields)],
  [
    'ICMPv6',
    (length) => (ends, fields) => frame6(...ends, echo(IpProtocol.icmpv6, 128, 1, 2, length), fields),
  ],
];

describe.each(kinds)('%s', (_name, make) => {
  const ipv6 = make(0)(near, {})[12] === 0x86;
  const transportAt = ipv6 ? 54 : 34;

  test('both ends of a connection: hop count, traffic class, MACs, tags and checksums differ', () => {
    for (let length = 0; length < 140; length++) {
      for (const identification of [0, 77]) {
        const sent = make(length)(near, { checksum: 'partial', ttl: 64, identification });
        const received = make(length)(far, { checksum: 'valid', ttl: 63, identification });
        // DSCP and ECN: the second byte of IPv4, eight bits behind the version of IPv6
        const marked = ipv6 ? change(received, 14, '6b90') : change(received, 15, 'b9');
        const tagged = Buffer.concat([
          received.subarray(0, 12),
          Buffer.from('81000007', 'hex'),
          received.subarray(12),
        ]);
        const padded = Buffer.concat([received, Buffer.alloc(7)]);
        const bench = new DuplicateBench();
        const sources = [A, B, { mirror: 3 }, { mirror: 4 }, { mirror: 5 }];
        const copies = [sent, received, marked, tagged, padded].map((one, i) => bench.see(one, sources[i]));
        expect(copies).toEqual([false, true, true, true, true]);
      }
    }
  });

  test('each byte of the first 128 counts, but for those', () => {
    const sent = make(150)(near, { identification: 77 });
    const checksumAt = transportAt + { 6: 16, 17: 6, 1: 2, 58: 2 }[sent[ipv6 ? 20 : 23]!]!;
    const changing = ipv6 ? [21] : [15, 22, 24, 25];
    for (let at = 14; at < sent.length; at++) {
      // versions and header lengths that are no more IP, or say where the transport is
      if (at === 14 || (ipv6 ? at === 20 : at === 23 || at === 16 || at === 17 || at === 20 || at === 21))
        continue;
      if (ipv6 && (at === 15 || at === 18 || at === 19)) continue;
      const other = Buffer.from(sent);
      other[at]! ^= 0x01;
      const counts = at < 14 + 128 && !changing.includes(at) && at !== checksumAt && at !== checksumAt + 1;
      const bench = new DuplicateBench();
      bench.see(sent, A);
      expect([at, bench.see(other, B)]).toEqual([at, !counts]);
    }
  });

  test('the length counts', () => {
    const bench = new DuplicateBench();
    for (let length = 0; length < 300; length++) {
      expect(bench.see(make(length)(near, { identification: 77 }), length % 2 === 0 ? A : B)).toBe(false);
    }
  });

  test('sessions that cut at one length, whichever, and packets of which nothing is missing', () => {
    const sent = make(300)(near, { identification: 77 });
    const received = make(300)(far, { ttl: 60, identification: 77, checksum: 'bad' });
    for (let keep = 0; keep <= sent.length; keep++) {
      const bench = new DuplicateBench();
      bench.see(sent.subarray(0, keep), A);
      // without its addresses a packet is no packet
      expect([keep, bench.see(received.subarray(0, keep), B)]).toEqual([keep, keep >= transportAt]);
    }
  });
});

test.each([
  ['TCP over IPv4', kinds[0]![1], 0, 46],
  ['UDP with an IP identification', kinds[1]![1], 77, 46],
  ['UDP without one', kinds[1]![1], 0, 142],
  ['TCP over IPv6', kinds[3]![1], 0, 70],
  ['UDP over IPv6', kinds[4]![1], 0, 142],
] as [string, (length: number) => Make, number, number][])(
  '%s: sessions that cut at different lengths agree from a certain length on',
  (_name, make, identification, from) => {
    const sent = make(300)(near, { identification });
    const received = make(300)(far, { ttl: 60, identification });
    for (const [first, second] of [
      [sent, received],
      [received, sent],
    ] as const) {
      for (let keep = 34; keep < 160; keep++) {
        const bench = new DuplicateBench();
        expect(bench.see(first, A)).toBe(false);
        expect([keep, bench.see(second.subarray(0, keep), B)]).toEqual([keep, keep >= from]);
        // what was cut is still told from other packets
        if (keep >= from)
          expect(bench.see(make(301)(far, { identification }).subarray(0, keep), B)).toBe(false);
      }
    }
  },
);

test('two packets with one header and other data: neither is a copy, though a cut copy cannot tell', () => {
  const other = change(kinds[0]![1](100)(far, {}), 80, 'ffff');
  const bench = new DuplicateBench();
  bench.see(kinds[0]![1](100)(near, {}), A);
  expect(bench.see(other, B)).toBe(false);
  expect(bench.see(other.subarray(0, 60), { mirror: 3 })).toBe(true);
});

test('fragments: the first without its checksum, later ones with all they have', () => {
  for (const offset of [0x2000, 0x2010, 0x0010]) {
    const [sent, received] = [near, far].map((ends, i) =>
      frame4(...(ends as [Host, Host]), segment(60), {
        flagsAndOffset: offset,
        identification: 5,
        ttl: 64 - i,
        checksum: i === 0 || offset !== 0x2000 ? 'valid' : 'partial',
      }),
    );
    expect(new DuplicateBench().seeAll(sent!, A, B)).toEqual([false, true]);
    const bench = new DuplicateBench();
    bench.see(sent!, A);
    expect(bench.see(received!, B)).toBe(true);
  }
});

test('IP lengths that are 0, or too short to be true: what arrived counts', () => {
  for (const length of ['0000', '0007']) {
    const sent = change(frame4(...near, segment(60)), 16, length);
    const received = change(frame4(...far, segment(60), { ttl: 9 }), 16, length);
    const bench = new DuplicateBench();
    bench.see(sent, A);
    expect(bench.see(received, B)).toBe(true);
    expect(bench.see(change(received, 80, '00'), B)).toBe(false);
  }
});

test('options, extension headers and other protocols', () => {
  const options = change(
    Buffer.concat([frame4(...near, segment(60)).subarray(0, 34), Buffer.alloc(40, 1), segment(60).bytes]),
    14,
    '4f',
  );
  const extended = Buffer.concat([
    frame6(...near, segment(60)).subarray(0, 14),
    ipv6Packet(client.ipv6, server.ipv6, segment(60), {}, 60, Buffer.from('0600010400000000', 'hex')),
  ]);
  const sctp = frame4(...near, { protocol: 132, bytes: data(60), checksumAt: -1 });
  for (const sent of [options, extended, sctp]) {
    const transportAt = sent === options ? 74 : 62;
    expect(new DuplicateBench().seeAll(sent, A, B)).toEqual([false, true]);
    if (sent === sctp) continue;
    const bench = new DuplicateBench();
    bench.see(sent, A);
    expect(bench.see(change(sent, transportAt + 16, 'dead'), B)).toBe(true);
    expect(bench.see(change(sent, transportAt + 18, 'dead'), B)).toBe(false);
  }
});

test('TCP behind options or extension headers: two segments are two, though one of them was cut', () => {
  const [first, second] = [3, 4].map((sequence) => segment(60, sequence));
  const extensions = Buffer.from('3c00010400000000 0600010400000000'.replace(' ', ''), 'hex');
  const extended = (one: Transport): Buffer =>
    Buffer.concat([
      frame6(...near, one).subarray(0, 14),
      ipv6Packet(client.ipv6, server.ipv6, one, {}, 0, extensions),
    ]);
  const withOptions = (one: Transport): Buffer => {
    const plain = frame4(...near, one);
    return change(
      Buffer.concat([plain.subarray(0, 34), Buffer.alloc(12, 1), plain.subarray(34)]),
      14,
      '48000070',
    );
  };
  for (const make of [extended, withOptions]) {
    const bench = new DuplicateBench();
    expect(bench.see(make(first!), A)).toBe(false);
    expect(bench.see(make(second!).subarray(0, 100), B)).toBe(false);
    expect(bench.see(make(first!), B)).toBe(true);
  }
});

describe('not IP', () => {
  const request = Buffer.from(
    '0001080006040001 020000000001 0a00010a 000000000000 0a000101'.replaceAll(' ', ''),
    'hex',
  );
  const arp = frame(client.mac, Buffer.alloc(6, 0xff), request, 0x0806);

  test('ARP, padded or not', () => {
    const bench = new DuplicateBench();
    expect(bench.see(arp, A)).toBe(false);
    expect(bench.see(Buffer.concat([arp, Buffer.alloc(18)]), B)).toBe(true);
    expect(bench.see(change(arp, 0, '020202020202'), { mirror: 3 })).toBe(true);
    expect(bench.see(change(arp, 41, 'ff'), B)).toBe(false);
  });

  test('other frames by their first bytes and their length', () => {
    const other = frame(client.mac, server.mac, data(200), 0x88b5);
    const bench = new DuplicateBench();
    expect(bench.see(other, A)).toBe(false);
    expect(bench.see(other, B)).toBe(true);
    expect(bench.see(change(other, 12 + 128, '77'), { mirror: 3 })).toBe(true);
    expect(bench.see(change(other, 12 + 127, '77'), { mirror: 3 })).toBe(false);
    expect(bench.see(other.subarray(0, 200), { mirror: 4 })).toBe(false);
  });

  test('too little of one to say anything', () => {
    for (let keep = 0; keep < 42; keep++) {
      expect(new DuplicateBench().seeAll(arp.subarray(0, keep), A, B)).toEqual([false, false]);
    }
    expect(new DuplicateBench().seeAll(arp, A, B)).toEqual([false, true]);
  });
});

describe('packets that differ a little agree as seldom as chance has it', () => {
  const sent = frame4(...near, segment(120), { identification: 77 });
  // sequence and acknowledgement number, which are in the head, and data
  const bits = [
    38, 39, 40, 41, 42, 43, 44, 45, 54, 55, 61, 62, 69, 70, 77, 86, 94, 101, 110, 118, 126, 134, 140, 141,
  ];
  const flips = bits.flatMap((at) => [0x01, 0x08, 0x10, 0x80].map((bit) => [at, bit] as const));

  /** What a number of frames come to, each made by a change of the one that was sent. */
  function agreements(frames: number, alter: (other: Buffer, i: number) => void) {
    const identity = new PacketIdentity();
    const layers = new Layers();
    const found = { headA: new Set(), headB: new Set(), allA: new Set(), allB: new Set(), all: new Set() };
    for (let i = 0; i < frames; i++) {
      const other = Buffer.from(sent);
      alter(other, i);
      if (!identity.read(deliver(layers, other, A), layers, 0)) throw new Error('not read');
      for (const name of ['headA', 'headB', 'allA', 'allB'] as const) found[name].add(identity[name]);
      found.all.add(`${identity.allA} ${identity.allB}`);
    }
    return found;
  }

  test('counters in two words', () => {
    const frames = scaled(200_000);
    const found = agreements(frames, (other, i) => {
      other.writeUInt32BE((i << 23) >>> 0, 38);
      other.writeUInt32BE(i >>> 9, 42);
    });
    // pairs that agree by chance in 32 bits: n² / 2^33
    const most = 10 + (4 * frames ** 2) / 2 ** 33;
    expect(found.all.size).toBe(frames);
    for (const half of Object.values(found)) expect(frames - half.size).toBeLessThan(most);
  });

  test('each two bits', () => {
    const frames = flips.length ** 2;
    const found = agreements(frames, (other, i) => {
      const [first, second] = [flips[i % flips.length]!, flips[Math.floor(i / flips.length)]!];
      other[first[0]]! ^= first[1];
      other[second[0]]! ^= second[1];
    });
    const different = (flips.length * (flips.length - 1)) / 2 + 1;
    expect(found.all.size).toBe(different);
    expect(different - found.allA.size).toBeLessThan(4);
    expect(different - found.allB.size).toBeLessThan(4);
  });
});
