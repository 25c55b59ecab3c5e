/** The samples of well-formed mirroring: sessions over VXLAN, over a Gateway Load Balancer, and cut ones. */
import * as awsOption from '../../src/wire/aws-option.ts';
import { EtherType } from '../../src/wire/ether-type.ts';
import * as ethernet from '../../src/wire/ethernet.ts';
import * as geneve from '../../src/wire/geneve.ts';
import { inOrder, type Packet } from './capture.ts';
import { gwlbTunnel, mirrored, outer, vxlanTunnel, type Tunnel } from './mirrored.ts';
import { type ChecksumState, frame4, host, udpDatagram } from './packets.ts';
import { client, server, traffic } from './traffic.ts';

export const appliance = host(9, '10.0.9.9', '2001:db8:9::9');
const other = host(30, '10.0.3.30', '2001:db8:3::30');
const balancer = host(61, '10.0.9.61', '2001:db8:9::61');
const endpointA = host(71, '10.0.1.71', '2001:db8:1::71');
const endpointB = host(72, '10.0.2.72', '2001:db8:2::72');

/** Ids of the two Gateway Load Balancer endpoints, high and low 32 bits. */
const ID_A = [0x0a1b_2c3d, 0x4e5f_6071] as const;
const ID_B = [0x0a1b_2c3d, 0x4e5f_6072] as const;

/** From the moment a frame passes the mirrored interface to its arrival here. */
const DELAY_US = 35;

/**
 * VNI 42: the client's interface, and a second source under the same number. VNI 4242: the server's interface, which
 * sees copies of the same frames. VNI 16777215: the client's interface again, over IPv6. VNI 0: one frame.
 */
export function vxlanSessions(): Packet[] {
  const ofClient = vxlanTunnel(client, appliance, 42);
  const ofOther = vxlanTunnel(other, appliance, 42);
  const ofServer = vxlanTunnel(server, appliance, 4242);
  const overIpv6 = vxlanTunnel(client, appliance, 0xff_ffff, 6);
  const frames = mirrorable();
  const between = frames.filter(({ bytes }) => isBetween(bytes, server.mac));
  return inOrder([
    ...wrap(ofClient, frames.slice(0, 80), 0),
    ...wrap(ofServer, between.slice(0, 50), 11),
    ...wrap(overIpv6, everySecond(frames.slice(60, 100), 0), 5),
    ...wrap(overIpv6, everySecond(frames.slice(60, 100), 1), 5, 'valid'),
    ...wrap(ofOther, chatter(), 0),
    ...wrap(vxlanTunnel(other, appliance, 0), chatter().slice(0, 1), 20),
  ]);
}

/**
 * VNI 7 through two endpoints; besides, what does not belong here: GENEVE around plain IPv4 and IPv6 (traffic that is
 * routed through the load balancer), and GENEVE around Ethernet without options, VNI 77.
 */
export function gwlb(): Packet[] {
  const throughA = gwlbTunnel(client, endpointA, balancer, appliance, 7, ID_A);
  const throughB = gwlbTunnel(server, endpointB, balancer, appliance, 7, ID_B);
  const frames = mirrorable();
  const between = frames.filter(({ bytes }) => isBetween(bytes, server.mac));
  const v4 = between.filter(({ bytes }) => ethernet.etherType(bytes, 0) === EtherType.ipv4).slice(0, 8);
  const v6 = between.filter(({ bytes }) => ethernet.etherType(bytes, 0) === EtherType.ipv6).slice(0, 8);
  return inOrder([
    ...wrap(throughA, frames.slice(0, 60), 0),
    ...wrap(throughB, between.slice(0, 40), 13),
    ...v4.map(({ timeUs, bytes }) => ({
      timeUs: timeUs + 90,
      bytes: routed(throughA, bytes, EtherType.ipv4),
    })),
    ...v6.map(({ timeUs, bytes }) => ({
      timeUs: timeUs + 90,
      bytes: routed(throughB, bytes, EtherType.ipv6),
    })),
    ...chatter().map(({ timeUs, bytes }) => ({ timeUs, bytes: bridged(throughA, bytes) })),
  ]);
}

/** Packet lengths of the cut sessions. VNI and packet length are the same number. */
export const CUTS = [1, 14, 20, 38, 55, 64, 100, 128] as const;
/** VNI of the session that is whole but whose capture was cut, and the bytes that its capture kept. */
export const SNAPPED = { vni: 999, snapLength: 96 } as const;

/** Sessions with a packet length, VNI the same number, and one whose capture was cut instead. */
export function truncated(): Packet[] {
  const frames = mirrorable();
  const cut = CUTS.flatMap((packetLength, i) => {
    const tunnel = vxlanTunnel(client, appliance, packetLength, 4, packetLength);
    return wrap(tunnel, pick(frames, 18), i);
  });
  const snapped = wrap(vxlanTunnel(client, appliance, SNAPPED.vni), pick(frames, 18), 20).map((packet) => ({
    ...packet,
    bytes: packet.bytes.subarray(0, SNAPPED.snapLength),
    wireLen: packet.bytes.length,
    interface: 1,
  }));
  return inOrder([...cut, ...snapped]);
}

/** What AWS mirrors of the traffic: not ARP. */
function mirrorable(): Packet[] {
  return traffic().filter(({ bytes }) => ethernet.etherType(bytes, 0) !== EtherType.arp);
}

/** `count` frames, evenly spread. */
function pick(frames: readonly Packet[], count: number): Packet[] {
  return frames.filter(
    (_, i) => Math.floor((i * count) / frames.length) !== Math.floor(((i - 1) * count) / frames.length),
  );
}

function isBetween(bytes: Buffer, mac: Uint8Array): boolean {
  const length = ethernet.ADDRESS_LEN;
  return [ethernet.SOURCE, ethernet.DESTINATION].some((at) => bytes.subarray(at, at + length).equals(mac));
}

/** A few datagrams between a second source and the server. */
function chatter(): Packet[] {
  return [0, 1, 2, 3, 4].map((i) => {
    const isReply = i % 2 === 1;
    const data = udpDatagram(isReply ? 7000 : 7001, isReply ? 7001 : 7000, Buffer.from(`chatter ${i}`));
    const bytes = isReply ? frame4(server, other, data) : frame4(other, server, data);
    return { timeUs: 1_000_000 + i * 250_000, bytes };
  });
}

function everySecond(frames: readonly Packet[], offset: 0 | 1): Packet[] {
  return frames.filter((_, i) => i % 2 === offset);
}

/** @param checksum of the outer UDP header */
function wrap(
  tunnel: Tunnel,
  frames: readonly Packet[],
  lateUs: number,
  checksum: ChecksumState = 'zero',
): Packet[] {
  return frames.map(({ timeUs, bytes }) => ({
    timeUs: timeUs + DELAY_US + lateUs,
    bytes: mirrored(tunnel, bytes, checksum),
  }));
}

/** What a Gateway Load Balancer sends of traffic that is routed through it: the options, then the IP packet. */
function routed(tunnel: Tunnel, frame: Buffer, etherType: number): Buffer {
  const { endpointHigh, endpointLow } = tunnel.session.target;
  const header = Buffer.alloc(geneve.FIXED_LEN + awsOption.OPTIONS_LEN);
  const at = geneve.emit(header, 0, etherType, 0, awsOption.OPTIONS_LEN);
  awsOption.emit(header, at, endpointHigh, endpointLow, 0, 0, 0xc0ff_ee00);
  return outer(tunnel, 60_001, Buffer.concat([header, frame.subarray(ethernet.HEADER_LEN)]));
}

/** GENEVE around a frame, no options: what other clouds and Open vSwitch send. */
function bridged(tunnel: Tunnel, frame: Buffer): Buffer {
  const header = Buffer.alloc(geneve.FIXED_LEN);
  geneve.emit(header, 0, EtherType.ethernet, 77, 0);
  return outer(tunnel, 60_002, Buffer.concat([header, frame]));
}
