import { expect, test } from 'vitest';
import { frame, frame4, frame6, ipv4Packet, tcpSegment, udpDatagram } from '../../../samples/make/packets.ts';
import { client, server } from '../../../samples/make/traffic.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { EtherType } from '../../../src/wire/ether-type.ts';
import { hex } from '../../support/hex.ts';
import { InnermostBench, type Read, readAlone } from '../../support/innermost.ts';
import { ethernetIn, far, framed, ipIn, near, tunnels } from '../../support/nesting.ts';
import { requires } from '../../support/requires.ts';
import { tsharkFields } from '../../support/tshark-fields.ts';
import { change, geneve, vxlan } from '../../support/tunnels.ts';

const segment = tcpSegment({
  sourcePort: 50_000,
  destinationPort: 443,
  sequence: 1,
  acknowledgement: 1,
  flags: 16,
  data: Buffer.from('0123456789'),
});
const inside4 = frame4(client, server, segment);
const inside6 = frame6(client, server, segment);
const tagged = frame4(client, server, segment, {}, [5, 6]);
const arp = frame(client.mac, server.mac, Buffer.alloc(28), EtherType.arp);

const known4 = { addresses: '10.0.1.10 > 10.0.2.20', protocol: 6, ports: '50000 > 443', wireLen: 50 };
const known6 = {
  addresses: '2001:db8:1::10 > 2001:db8:2::20',
  protocol: 6,
  ports: '50000 > 443',
  wireLen: 70,
};
const outside = '172.16.0.1 > 172.16.0.2';
const { vxlan: inVxlan, geneve: inGeneve, gre: inGre, grePlain, ipv4, ipv6 } = tunnels;

const followed: [string, Buffer, Partial<Read>][] = [
  ['VXLAN', framed(inVxlan(ethernetIn(inside4))), { ...known4, path: 'vxlan', nestedId: 0xabcd }],
  ['VXLAN over IPv6', framed(tunnels.vxlan6(ethernetIn(inside6))), { ...known6, path: 'vxlan' }],
  ['VXLAN around tags', framed(inVxlan(ethernetIn(tagged))), { ...known4, path: 'vxlan', vlanId: -1 }],
  [
    'GENEVE around Ethernet',
    framed(inGeneve(ethernetIn(inside4))),
    { ...known4, path: 'geneve', nestedId: 0x4d },
  ],
  ['GENEVE around IPv4', framed(inGeneve(ipIn(inside4))), { ...known4, path: 'geneve', nestedId: 0x4d }],
  ['GENEVE around IPv6', framed(inGeneve(ipIn(inside6))), { ...known6, path: 'geneve' }],
  [
    'GENEVE with a critical option of others',
    framed(tunnels.geneveCritical(ethernetIn(inside6))),
    { ...known6, path: 'geneve' },
  ],
  ['GRE with a key', framed(inGre(ipIn(inside4))), { ...known4, path: 'gre', nestedId: 0xfedcba98 }],
  ['GRE around Ethernet (NVGRE)', framed(inGre(ethernetIn(tagged))), { ...known4, path: 'gre' }],
  ['GRE without key', framed(grePlain(ipIn(inside6))), { ...known6, path: 'gre', nestedId: 0 }],
  [
    'GRE with checksum, key and sequence number',
    framed(tunnels.greAll(ipIn(inside4))),
    { ...known4, path: 'gre', nestedId: 5 },
  ],
  ['GRE over IPv6', framed(tunnels.gre6(ipIn(inside4))), { ...known4, path: 'gre' }],
  ['IPv4 in IPv4', framed(ipv4(ipIn(inside4))), { ...known4, path: 'ipv4', nestedId: 0 }],
  ['IPv4 in IPv6', framed(tunnels.ipv4over6(ipIn(inside4))), { ...known4, path: 'ipv4' }],
  ['IPv6 in IPv4', framed(ipv6(ipIn(inside6))), { ...known6, path: 'ipv6' }],
  ['IPv6 in IPv6', framed(tunnels.ipv6over6(ipIn(inside6))), { ...known6, path: 'ipv6' }],
  [
    'four deep; the innermost has no number',
    framed(ipv4(inGre(inGeneve(inVxlan(ethernetIn(inside4)))))),
    { ...known4, path: 'ipv4 gre geneve vxlan', nestedId: 0xabcd },
  ],
  [
    'the number of an outer tunnel is not that of the innermost',
    framed(inVxlan(ethernetIn(framed(ipv4(ipIn(inside4)))))),
    { ...known4, path: 'vxlan ipv4', nestedId: 0 },
  ],
];

test.each(followed)('%s is followed', (_name, bytes, expected) => {
  const bench = new InnermostBench();
  expect(bench.read(bytes)).toMatchObject({ ...expected, end: bytes.length });
  expect(bench.counts).toEqual({ nested: 1 });
});

test('nothing of a tunnel shows in the next packet', () => {
  const bench = new InnermostBench();
  for (const [, bytes] of followed) {
    expect(bench.read(bytes)).toEqual(readAlone(bytes));
    expect(bench.read(inside4)).toMatchObject({ ...known4, path: '', nestedId: 0 });
  }
});

test('a UDP length of 0 is that of the packet (RFC 2675)', () => {
  const bytes = change(framed(inVxlan(ethernetIn(inside4))), 14 + 20 + 4, '0000');
  expect(readAlone(bytes)).toMatchObject({ ...known4, path: 'vxlan' });
});

test.each(followed)('%s, cut at every length: never read past the end', (_name, bytes, { addresses }) => {
  const bench = new InnermostBench();
  for (let keep = 0; keep <= bytes.length; keep++) {
    const read = bench.read(bytes, { keep });
    expect(read.end).toBe(read.addresses === undefined ? 0 : keep);
    if (read.addresses === addresses) expect(read.path).not.toBe('');
  }
});

test('the tag is that of the mirrored frame', () => {
  const carried = inVxlan(ethernetIn(tagged));
  const bytes = frame(near.mac, far.mac, carried.bytes, EtherType.ipv4, [77]);
  expect(readAlone(bytes)).toMatchObject({ ...known4, vlanId: 77 });
});

test('raw IP may be a tunnel as well', () => {
  const { bytes } = ipv6(ipIn(inside6));
  expect(readAlone(bytes, { linkType: LinkType.raw })).toMatchObject({ ...known6, path: 'ipv6' });
});

/** A packet of `near` to `far` over UDP. */
function overUdp(port: number, payload: Uint8Array, fields = {}): Buffer {
  return frame4(near, far, udpDatagram(40_000, port, payload), fields);
}

const fragmented = { flagsAndOffset: 0x2000 };
test.each<[string, Buffer, Partial<Read>]>([
  ['VXLAN without its flag', overUdp(4789, vxlan(inside4, '00 000000 00002a 00')), { ports: '40000 > 4789' }],
  ['VXLAN around ARP', overUdp(4789, vxlan(arp)), { ports: '40000 > 4789' }],
  ['VXLAN around nothing', overUdp(4789, vxlan(Buffer.alloc(0))), { ports: '40000 > 4789' }],
  [
    'VXLAN from its port, to another',
    frame4(near, far, udpDatagram(4789, 9, vxlan(inside4))),
    { ports: '4789 > 9' },
  ],
  ['VXLAN in a fragment', overUdp(4789, vxlan(inside4), fragmented), { ports: '40000 > 4789', fragment: 1 }],
  [
    'VXLAN whose UDP length ends before the inner addresses',
    change(overUdp(4789, vxlan(inside4)), 14 + 20 + 4, '0030'),
    { ports: '40000 > 4789' },
  ],
  [
    'GENEVE version 1',
    overUdp(6081, change(geneve(0x0800, inside4.subarray(14)), 0, '40')),
    { ports: '40000 > 6081' },
  ],
  ['GENEVE control', overUdp(6081, geneve(0x6558, inside4, '', '80')), { ports: '40000 > 6081' }],
  [
    'GENEVE control with a critical option',
    overUdp(6081, geneve(0x6558, inside4, '0102 80 01 00010002', 'c0')),
    { ports: '40000 > 6081' },
  ],
  ['GENEVE options past the packet', overUdp(6081, hex('3f00 0800 00004d 00')), { ports: '40000 > 6081' }],
  [
    'GENEVE around something else',
    overUdp(6081, geneve(0x0806, arp.subarray(14))),
    { ports: '40000 > 6081' },
  ],
  [
    'GENEVE that says IPv4 around IPv6',
    overUdp(6081, geneve(0x0800, inside6.subarray(14))),
    { ports: '40000 > 6081' },
  ],
  [
    'GRE of PPTP',
    framed(grePlain({ etherType: 0x880b, bytes: inside4.subarray(14) })),
    { protocol: 47, ports: 'none' },
  ],
  ['GRE with routing', change(framed(grePlain(ipIn(inside4))), 34, '40'), { protocol: 47, ports: 'none' }],
  ['IPv4 that is none in IPv4', framed(ipv4(ipIn(inside6))), { protocol: 4, ports: 'none' }],
  ['IPv6 that is none in IPv4', framed(ipv6(ipIn(inside4))), { protocol: 41, ports: 'none' }],
])('%s is of the flow that it is in', (_name, bytes, expected) => {
  const bench = new InnermostBench();
  expect(bench.read(bytes)).toMatchObject({ addresses: outside, path: '', nestedId: 0, ...expected });
  expect(bench.counts['nested']).toBeUndefined();
});

test('what ends before the addresses inside is of the tunnel around it', () => {
  const bytes = framed(inVxlan(ethernetIn(framed(ipv4(ipIn(arp))))));
  expect(readAlone(bytes)).toMatchObject({
    addresses: outside,
    protocol: 4,
    path: 'vxlan',
    nestedId: 0xabcd,
  });
});

test('five deep is followed to the fourth, and counted', () => {
  const bench = new InnermostBench();
  const five = framed(ipv4(ipv4(ipv4(ipv4(ipv4(ipIn(inside4)))))));
  expect(bench.read(five)).toMatchObject({
    addresses: outside,
    protocol: 4,
    path: 'ipv4 ipv4 ipv4 ipv4',
    transportAt: 14 + 5 * 20,
  });
  expect(bench.counts).toEqual({ nested: 1, nestedTooDeep: 1 });
});

test('what is inside ends where each around it ends', () => {
  // the inner packet promises 50 bytes; what is around it ends sooner
  const bytes = framed(inVxlan(ethernetIn(inside4)));
  const short = change(bytes, 38, '0040');
  expect(readAlone(short)).toMatchObject({ ...known4, end: 34 + 0x40 });
  const padded = Buffer.concat([change(bytes, 14 + 2, '0060'), Buffer.alloc(5)]);
  expect(readAlone(padded)).toMatchObject({ ...known4, end: 14 + 0x60 });
});

test('a nested packet that was cut is as long as its own header says', () => {
  const bytes = framed(inVxlan(ethernetIn(inside4)));
  const innerAt = bytes.length - inside4.length;
  for (let keep = 14 + 20; keep <= bytes.length; keep++) {
    const reached = keep - innerAt;
    const expected: Partial<Read> =
      reached >= 38
        ? known4
        : reached >= 34
          ? { ...known4, ports: 'unknown' }
          : { addresses: outside, protocol: 17, wireLen: bytes.length - 14, path: '' };
    expect({ keep, ...readAlone(bytes, { keep }) }).toMatchObject({ keep, end: keep, ...expected });
  }
});

test.skipIf(!requires('tshark'))('tshark finds the same innermost packet', () => {
  const fields = [
    'ip.src',
    'ip.dst',
    'ipv6.src',
    'ipv6.dst',
    'tcp.srcport',
    'tcp.dstport',
    'frame.protocols',
  ];
  const read = tsharkFields(
    followed.map(([, bytes]) => bytes),
    1,
    fields,
  );
  const theirs = read.map((packet) => {
    const last = (field: string): string => packet[field]?.at(-1) ?? '';
    // which version is the innermost, the stack of protocols says
    const stack = packet['frame.protocols']?.[0] ?? '';
    const ip = stack.lastIndexOf(':ipv6') > stack.lastIndexOf(':ip:') ? 'ipv6' : 'ip';
    return `${last(`${ip}.src`)} > ${last(`${ip}.dst`)} ${last('tcp.srcport')} > ${last('tcp.dstport')}`;
  });
  const ours = followed.map(([, bytes]) => {
    const { addresses, ports } = readAlone(bytes);
    return `${addresses} ${ports}`;
  });
  expect(theirs).toEqual(ours);
});

test('IPv4 that is whole, in a packet that promises more, is no longer than it says', () => {
  const packet = ipv4Packet(client.ipv4, server.ipv4, segment);
  const bytes = framed(ipv4({ etherType: EtherType.ipv4, bytes: Buffer.concat([packet, Buffer.alloc(9)]) }));
  expect(readAlone(bytes)).toMatchObject({ ...known4, end: bytes.length - 9 });
});
