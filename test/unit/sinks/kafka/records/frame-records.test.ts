import { describe, expect, test } from 'vitest';
import {
  echo,
  frame,
  frame4,
  frame6,
  host,
  ipv4Packet,
  opaque,
  type Transport,
  udpDatagram,
} from '../../../../../samples/make/packets.ts';
import { Encapsulation, makeLane } from '../../../../../src/packet/lane.ts';
import { LinkType } from '../../../../../src/packet/link-type.ts';
import { Mark } from '../../../../../src/packet/mark.ts';
import { Verdict } from '../../../../../src/packet/verdict.ts';
import { headerNames } from '../../../../../src/sinks/kafka/header-names.ts';
import { FrameRecords } from '../../../../../src/sinks/kafka/records/frame-records.ts';
import { IpProtocol } from '../../../../../src/wire/ip-protocol.ts';
import { TEST_SECONDS } from '../../../../support/batches.ts';
import { headersOf, recordsOf } from '../../../../support/kafka-records.ts';
import {
  type BlockPacket,
  encoderOptions,
  overflowLane,
  packetBlock,
} from '../../../../support/packet-blocks.ts';

const TOPIC = 'mirrortap.packets';
const near = host(1, '10.0.1.10', '2001:db8:1::10');
const far = host(2, '9.0.2.20', '2001:db8::20');
const there = frame4(near, far, udpDatagram(40_000, 53, Buffer.from('payload')));

/** Records of packets in one block, with texts for key and headers. */
function read(...packets: BlockPacket[]) {
  const encoder = new FrameRecords(TOPIC, encoderOptions());
  const encoded = encoder.encode([packetBlock(packets)], new Map([[TOPIC, 12]]));
  expect(encoded.dropped.size).toBe(0);
  return recordsOf(encoded).map((record) => ({
    ...record,
    key: record.key.toString('latin1'),
    headers: headersOf(record),
  }));
}

function readOne(packet: BlockPacket) {
  const [record] = read(packet);
  if (record === undefined) throw new Error('There is no record.');
  return record;
}

test('a record has the frame as it arrived, its arrival, and all that is known of it', () => {
  const record = readOne({
    frame: there,
    nanoseconds: 987_654_321,
    wireLen: there.length + 100,
    mirrorSource: '10.0.0.9',
    transportVerdict: Verdict.partial,
    marks: Mark.repaired | Mark.ingress,
  });
  expect(record).toEqual({
    key: 'vni-42/9.0.2.20/10.0.1.10',
    value: there,
    timestampMs: TEST_SECONDS * 1000 + 987,
    count: 1,
    headers: {
      vni: '42',
      encapsulation: 'vxlan',
      'mirror-source': '10.0.0.9',
      observer: 'mirror-1',
      'ts-ns': `${TEST_SECONDS}987654321`,
      'wire-len': String(there.length + 100),
      'link-type': '1',
      truncated: '1',
      checksum: 'partial',
      'community-id': expect.stringMatching(/^1:[A-Za-z0-9+/]{27}=$/) as string,
      changed: 'checksum',
    },
  });
});

test('headers without a value are left out', () => {
  const names = Object.keys(readOne({ frame: there }).headers);
  expect(names).toEqual([
    'vni',
    'encapsulation',
    'observer',
    'ts-ns',
    'wire-len',
    'link-type',
    'community-id',
  ]);
});

describe('lanes', () => {
  const gwlb = makeLane(Encapsulation.geneveVxlan, 7, true, 0x0123_4567, 0x89ab_cdef, LinkType.ethernet);
  const raw = makeLane(Encapsulation.geneve, 8, false, 0, 0, LinkType.raw);
  const packet = ipv4Packet(near.ipv4, far.ipv4, udpDatagram(1, 2, Buffer.alloc(5)));

  test('behind a Gateway Load Balancer, with the mirror source in IPv6', () => {
    const { key, headers } = readOne({ frame: there, lane: gwlb, mirrorSource: '2001:db8::9' });
    expect(key).toBe('gwlb-7-0123456789abcdef/9.0.2.20/10.0.1.10');
    expect(headers).toMatchObject({
      vni: '7',
      encapsulation: 'geneve+vxlan',
      'gwlb-endpoint': '0123456789abcdef',
      'mirror-source': '2001:db8::9',
    });
  });

  test('of raw IP', () => {
    const { key, headers, value } = readOne({ frame: packet, lane: raw });
    expect(key).toBe('geneve-8-ip/9.0.2.20/10.0.1.10');
    expect(headers).toMatchObject({ vni: '8', encapsulation: 'geneve', 'link-type': '101' });
    expect(value).toEqual(packet);
  });

  test('past the limit: the key says so, VNI and encapsulation stay true', () => {
    const { key, headers } = readOne({ frame: there, lane: overflowLane, vni: 99, encapsulation: 2 });
    expect(key).toBe('overflow/9.0.2.20/10.0.1.10');
    expect(headers).toMatchObject({ vni: '99', encapsulation: 'geneve' });
  });

  test('a slot that another lane gets within a block', () => {
    const blocks = [packetBlock([{ frame: there }]), packetBlock([{ frame: there, lane: gwlb }])];
    const encoder = new FrameRecords(TOPIC, encoderOptions());
    const encoded = encoder.encode([Buffer.concat(blocks)], new Map([[TOPIC, 1]]));
    const keys = recordsOf(encoded).map(({ key }) => key.toString().split('/')[0]);
    expect(keys).toEqual(['vni-42', 'gwlb-7-0123456789abcdef']);
  });
});

const request = echo(IpProtocol.icmp, 8, 7, 1, 8);
const reply = echo(IpProtocol.icmp, 0, 7, 1, 8);
const pings = [
  { name: 'IPv4', key: 'vni-42/9.0.2.20/10.0.1.10', frames: [there, frame4(far, near, udp(53, 40_000))] },
  {
    name: 'IPv6',
    key: 'vni-42/2001:db8::20/2001:db8:1::10',
    frames: [six(near, far, 1, 2), six(far, near, 2, 1)],
  },
  {
    name: 'ICMP',
    key: 'vni-42/9.0.2.20/10.0.1.10',
    frames: [frame4(near, far, request), frame4(far, near, reply)],
  },
];

function udp(source: number, destination: number): Transport {
  return udpDatagram(source, destination, Buffer.from('answer'));
}
function six(from: typeof near, to: typeof near, source: number, destination: number): Buffer {
  return frame6(from, to, udp(source, destination));
}

test.each(pings)('both directions of $name have one key and one Community ID', ({ key, frames }) => {
  const records = read(...frames.map((bytes) => ({ frame: bytes })));
  expect(records.map((record) => record.key)).toEqual([key, key]);
  expect(records[0]?.headers['community-id']).toBe(records[1]?.headers['community-id']);
});

test('both directions of an ICMP message that nobody answers have one key, and Community IDs of their own', () => {
  const unreachable = opaque(IpProtocol.icmp, Buffer.from('030300000000000000000000', 'hex'));
  const [one, other] = read(
    { frame: frame4(near, far, unreachable) },
    { frame: frame4(far, near, unreachable) },
  );
  expect(one?.key).toBe(other?.key);
  expect(one?.headers['community-id']).not.toBe(other?.headers['community-id']);
});

// of the Community ID specification's baseline (Corelight, community-id-spec)
const known = [
  { from: '128.232.110.120', to: '66.35.250.204', ports: [34_855, 80], id: '1:LQU9qZlK+B5F3KDmev6m5PMibrg=' },
  { from: '66.35.250.204', to: '128.232.110.120', ports: [80, 34_855], id: '1:LQU9qZlK+B5F3KDmev6m5PMibrg=' },
] as const;

test.each(known)(
  'the Community ID of $from > $to is that of the specification',
  ({ from, to, ports, id }) => {
    const tcp = { ...udp(ports[0], ports[1]), protocol: 6, checksumAt: -1 };
    const { headers } = readOne({ frame: frame4(host(1, from, '::1'), host(2, to, '::2'), tcp) });
    expect(headers['community-id']).toBe(id);
  },
);

describe('frames that are not whole', () => {
  const rows = [
    {
      name: 'cut in the payload',
      bytes: there.subarray(0, 44),
      wireLen: there.length,
      key: /\/9\.0\.2\.20\//,
    },
    { name: 'cut in the Ethernet header', bytes: there.subarray(0, 9), wireLen: 9, key: /^vni-42$/ },
    { name: 'cut in the IP header', bytes: there.subarray(0, 17), wireLen: there.length, key: /^vni-42$/ },
    {
      name: 'shortened by a snap length, not IP',
      bytes: frame(near.mac, far.mac, Buffer.alloc(20), 0x88b5),
      wireLen: 90,
      key: /^vni-42$/,
    },
    { name: 'empty', bytes: Buffer.alloc(0), wireLen: 0, key: /^vni-42$/ },
  ];

  test.each(rows)('$name: truncated', ({ bytes, wireLen, key }) => {
    const record = readOne({ frame: bytes, wireLen });
    expect(record.headers['truncated']).toBe('1');
    expect(record.headers['wire-len']).toBe(String(wireLen));
    expect(record.key).toMatch(key);
    expect(record.value).toEqual(bytes);
    expect('community-id' in record.headers).toBe(key.source.includes('20'));
  });

  test('padding behind the IP packet is no cut', () => {
    const padded = Buffer.concat([there, Buffer.alloc(9)]);
    expect('truncated' in readOne({ frame: padded }).headers).toBe(false);
  });
});

test('what is made of shared memory is in memory of its own', () => {
  const block = packetBlock([{ frame: there, mirrorSource: '10.0.0.9' }]);
  expect(block.buffer).toBeInstanceOf(SharedArrayBuffer);
  const encoder = new FrameRecords(TOPIC, encoderOptions());
  const [record] = recordsOf(encoder.encode([block], new Map([[TOPIC, 1]])));
  block.fill(0xee);
  expect(record?.value).toEqual(there);
  const buffers = [record?.key, record?.value, ...(record?.headers.values() ?? [])];
  expect(buffers.every((bytes) => bytes?.buffer instanceof ArrayBuffer)).toBe(true);
});

test('what is in private memory is not copied', () => {
  const block = Buffer.from(packetBlock([{ frame: there }]));
  const [record] = recordsOf(
    new FrameRecords(TOPIC, encoderOptions()).encode([block], new Map([[TOPIC, 1]])),
  );
  expect(record?.value.buffer).toBe(block.buffer);
});

test('more mirror sources and lengths than are remembered: each record still has its own texts', () => {
  const encoder = new FrameRecords(TOPIC, encoderOptions());
  const template = Buffer.from(there);
  const packet = (number: number): BlockPacket => {
    template.writeUInt32BE(number, 26);
    return { frame: Buffer.from(template), mirrorSource: `10.7.${tail(number)}`, wireLen: 1000 + number };
  };
  const firsts = Array.from({ length: 3 }, (_, i) => i * 3000);
  for (const first of [...firsts, ...firsts.toReversed()]) {
    const block = packetBlock(Array.from({ length: 3000 }, (_, i) => packet(first + i)));
    const found = recordsOf(encoder.encode([block], new Map([[TOPIC, 1]]))).map(({ key, headers }) =>
      [key, headers.get(headerNames.mirrorSource), headers.get(headerNames.wireLen)].join(' '),
    );
    const expected = found.map(
      (_, i) => `vni-42/0.0.${tail(first + i)}/9.0.2.20 10.7.${tail(first + i)} ${1000 + first + i}`,
    );
    expect(found).toEqual(expected);
  }
});

/** The last two numbers of an address. */
function tail(number: number): string {
  return `${number >> 8}.${number & 255}`;
}
