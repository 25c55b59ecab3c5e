import { frame4, host, ipv4Packet, ipv6Packet, udpDatagram } from '../../samples/make/packets.ts';
import { client, server } from '../../samples/make/traffic.ts';
import { hex } from './hex.ts';

/** The mirrored interface behind a load balancer. */
export const resolver = host(3, '10.0.0.2', '2001:db8::2');

export const inner = frame4(client, server, udpDatagram(1000, 2000, Buffer.from('mirrored')));
export const noOptions = '';
/** The three options of a Gateway Load Balancer: endpoint, attachment, flow cookie. */
export const gwlb = '0108 01 02 0a1b2c3d 4e5f6071 0108 02 02 0000000000000000 0108 03 01 f0e1d2c3';
export const gwlbCritical = gwlb.replaceAll('0108 0', '0108 8');

export function vxlan(frameBytes: Uint8Array, header = '08 000000 00002a 00'): Buffer {
  return Buffer.concat([hex(header), frameBytes]);
}

export function geneve(
  protocol: number,
  payload: Uint8Array,
  options = noOptions,
  flags = '00',
  last = '00',
): Buffer {
  const area = hex(options);
  const head = hex(`${(area.length / 4).toString(16).padStart(2, '0')} ${flags} 0000 00004d ${last}`);
  head.set([protocol >>> 8, protocol & 0xff], 2);
  return Buffer.concat([head, area, payload]);
}

/** What a Gateway Load Balancer carries: the VXLAN packet of a mirrored interface, from its IP header on. */
export function carried(version: 4 | 6, payload: Uint8Array = vxlan(inner)): Buffer {
  const datagram = udpDatagram(65_408, 4789, payload);
  return version === 4
    ? ipv4Packet(resolver.ipv4, server.ipv4, datagram, { checksum: 'zero' })
    : ipv6Packet(resolver.ipv6, server.ipv6, datagram, { checksum: 'zero' });
}

export function change(bytes: Buffer, at: number, text: string): Buffer {
  const copy = Buffer.from(bytes);
  copy.set(hex(text), at);
  return copy;
}

export interface Outcome {
  readonly fault: string;
  readonly lane?: string;
  readonly frame?: string;
  readonly mirrorSource?: string;
  readonly reserved?: number;
  /** Where the refused header begins and how much of it is there, from the UDP payload on. */
  readonly refused?: readonly [at: number, present: number];
}

export function delivered(lane: string, bytes: Uint8Array, mirrorSource: string, reserved = 0): Outcome {
  return { fault: 'none', lane, frame: Buffer.from(bytes).toString('hex'), mirrorSource, reserved };
}

/** Addresses of the outer source, `client`, and of the mirrored interface behind a load balancer. */
export const from4 = '10.0.1.10';
export const from6 = '2001:db8:1::10';
export const mirror4 = '10.0.0.2';
export const mirror6 = '2001:db8::2';
