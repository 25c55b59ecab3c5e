import { describe, expect, test } from 'vitest';
import { Direction } from '../../../../src/packet/flow-record.ts';
import { Layers } from '../../../../src/packet/layers.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { Encapsulation } from '../../../../src/packet/lane.ts';
import { readInner } from '../../../../src/receive/inner.ts';
import { InterfaceTable } from '../../../../src/receive/flows/interface-table.ts';
import { frame, ipv4Packet, ipv6Packet, udpDatagram } from '../../../../samples/make/packets.ts';
import { parseAddress } from '../../../../src/wire/address.ts';
import { EtherType } from '../../../../src/wire/ether-type.ts';

const { unknown, ingress, egress } = Direction;
const own = Buffer.from('0a0000000001', 'hex');
const router = Buffer.from('0a00000000ff', 'hex');
const FRAME_AT = 16;

interface Mirrored {
  /** Source and destination MAC. */
  readonly macs: readonly [Uint8Array, Uint8Array];
  readonly from: string;
  readonly to: string;
  readonly source?: string;
  readonly vni?: number;
  readonly linkType?: LinkType;
  /** Bytes of the frame that arrived. */
  readonly cut?: number;
}

const sent: Mirrored = { macs: [own, router], from: '10.0.0.5', to: '10.9.9.9' };
const received: Mirrored = { macs: [router, own], from: '10.9.9.9', to: '10.0.0.5' };
/** From and to another address of the interface. */
const sentBySecond: Mirrored = { ...sent, from: '10.0.0.6' };
const receivedBySecond: Mirrored = { ...received, to: '10.0.0.6' };

function see(table: InterfaceTable, packet: Mirrored): Direction {
  const { source = '10.0.0.5', vni = 42, linkType = LinkType.ethernet } = packet;
  const [from, to, mirrorSource] = [packet.from, packet.to, source].map((text) => parseAddress(text)?.bytes);
  if (from === undefined || to === undefined || mirrorSource === undefined) throw new Error('No address.');
  const datagram = udpDatagram(1, 2, Buffer.alloc(4));
  const is4 = from.length === 4;
  const ip = is4 ? ipv4Packet(from, to, datagram) : ipv6Packet(from, to, datagram);
  const inner = frame(...packet.macs, ip, is4 ? EtherType.ipv4 : EtherType.ipv6);
  const bytes = Buffer.concat([mirrorSource, Buffer.alloc(FRAME_AT - mirrorSource.length), inner]);
  const layers = new Layers();
  layers.encapsulation = Encapsulation.vxlan;
  layers.vni = vni;
  layers.mirrorSourceAt = 0;
  layers.mirrorSourceVersion = mirrorSource.length === 4 ? 4 : 6;
  layers.linkType = linkType;
  layers.frameAt = FRAME_AT + (linkType === LinkType.raw ? 14 : 0);
  layers.frameEnd = packet.cut === undefined ? bytes.length : FRAME_AT + packet.cut;
  readInner(bytes, layers);
  return table.direction(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), layers);
}

const cases: readonly { name: string; packets: readonly Mirrored[]; directions: readonly Direction[] }[] = [
  { name: 'by the primary address', packets: [sent, received], directions: [egress, ingress] },
  {
    name: 'other addresses once the MAC is known',
    packets: [sentBySecond, sent, sentBySecond, receivedBySecond],
    directions: [unknown, egress, egress, ingress],
  },
  { name: 'learned from what is received', packets: [received, sentBySecond], directions: [ingress, egress] },
  {
    name: 'a frame between others is neither',
    packets: [sent, { ...sentBySecond, macs: [router, router] }],
    directions: [egress, unknown],
  },
  {
    name: 'from the interface to itself',
    packets: [sent, { ...sent, macs: [own, own], to: '10.0.0.5' }],
    directions: [egress, unknown],
  },
  {
    name: 'a sender that pretends to have the address is still received',
    packets: [sent, { ...sent, macs: [router, own] }],
    directions: [egress, ingress],
  },
  {
    name: 'a new interface with the same address',
    packets: [
      sent,
      { ...sent, macs: [Buffer.alloc(6, 2), router] },
      { ...sentBySecond, macs: [Buffer.alloc(6, 2), router] },
    ],
    directions: [egress, egress, egress],
  },
  {
    name: 'another VNI is another network',
    packets: [sent, { ...sentBySecond, vni: 43 }],
    directions: [egress, unknown],
  },
  {
    name: 'IPv6 source',
    packets: [
      { ...sent, source: 'fd00::5', from: 'fd00::5', to: 'fd00::9' },
      { ...received, source: 'fd00::5', from: 'fd00::9', to: 'fd00::6' },
    ],
    directions: [egress, ingress],
  },
  {
    name: 'cut inside the IP header: by MAC alone',
    packets: [{ ...sent, cut: 20 }, sent, { ...received, cut: 14 }],
    directions: [unknown, egress, ingress],
  },
  {
    name: 'cut inside the Ethernet header',
    packets: [sent, { ...sent, cut: 13 }],
    directions: [egress, unknown],
  },
  { name: 'raw IP has no MAC', packets: [{ ...sent, linkType: LinkType.raw }], directions: [unknown] },
];

describe('direction as the mirrored interface sees it', () => {
  test.each(cases)('$name', ({ packets, directions }) => {
    const table = new InterfaceTable(16);
    expect(packets.map((packet) => see(table, packet))).toEqual(directions);
  });

  test('a full table still tells what the primary address says', () => {
    const table = new InterfaceTable(8);
    const source = (i: number): string => `10.0.${i}.5`;
    for (let i = 0; i < 20; i++)
      expect(see(table, { ...sent, source: source(i), from: source(i) })).toBe(egress);
    const known = Array.from({ length: 20 }, (_, i) => see(table, { ...sentBySecond, source: source(i) }));
    expect(known.filter((direction) => direction === egress)).toHaveLength(8);
    expect(known.filter((direction) => direction === unknown)).toHaveLength(12);
  });
});
