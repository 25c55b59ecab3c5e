import {
  type Host,
  frame4,
  host,
  ipv4Packet,
  ipv6Packet,
  opaque,
  udpDatagram,
} from '../../samples/make/packets.ts';
import { client, server } from '../../samples/make/traffic.ts';
import { EtherType } from '../../src/wire/ether-type.ts';
import * as gre from '../../src/wire/gre.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';
import { hex } from './hex.ts';
import { geneve, vxlan } from './tunnels.ts';

/** Ends of the tunnels that mirrored traffic is made of: other addresses than those inside. */
export const near: Host = host(8, '172.16.0.1', '2001:db8:8::1');
export const far: Host = host(9, '172.16.0.2', '2001:db8:9::2');

/** What a tunnel carries. */
export interface Carried {
  readonly etherType: number;
  readonly bytes: Uint8Array;
}

/** An IP packet from `near` to `far` of which `inside` is the payload. */
export type Tunnel = (inside: Carried) => Carried;

function over4(protocol: number, bytes: Buffer): Carried {
  return { etherType: EtherType.ipv4, bytes: ipv4Packet(near.ipv4, far.ipv4, opaque(protocol, bytes)) };
}

function over6(protocol: number, bytes: Buffer): Carried {
  return { etherType: EtherType.ipv6, bytes: ipv6Packet(near.ipv6, far.ipv6, opaque(protocol, bytes)) };
}

/** A GRE header, in hexadecimal up to its protocol type, and behind that. */
function greWith(flags: string, more: string): Tunnel {
  return ({ etherType, bytes }) =>
    over4(
      IpProtocol.gre,
      Buffer.concat([hex(flags), hex(etherType.toString(16).padStart(4, '0')), hex(more), bytes]),
    );
}

export const tunnels = {
  vxlan: ({ bytes }) => over4(17, udpDatagram(50_000, 4789, vxlan(bytes, '08 000000 00abcd 00')).bytes),
  vxlan6: ({ bytes }) => over6(17, udpDatagram(50_000, 4789, vxlan(bytes, '08 000000 00abcd 00')).bytes),
  geneve: ({ etherType, bytes }) => over4(17, udpDatagram(50_000, 6081, geneve(etherType, bytes)).bytes),
  /** The option that OVN puts there: critical, and no receiver of ours knows it. */
  geneveCritical: ({ etherType, bytes }) =>
    over4(17, udpDatagram(50_000, 6081, geneve(etherType, bytes, '0102 80 01 00010002', '40')).bytes),
  gre: ({ etherType, bytes }) => {
    const payload = Buffer.alloc(8 + bytes.length);
    payload.set(bytes, gre.emit(payload, 0, etherType, 0xfedcba98));
    return over4(IpProtocol.gre, payload);
  },
  grePlain: greWith('0000', ''),
  greAll: greWith('b000', '0000 0000 00000005 00000001'),
  gre6: ({ etherType, bytes }) =>
    over6(IpProtocol.gre, Buffer.concat([hex('0000'), hex(etherType.toString(16).padStart(4, '0')), bytes])),
  ipv4: ({ bytes }) => over4(IpProtocol.ipip, Buffer.from(bytes)),
  ipv4over6: ({ bytes }) => over6(IpProtocol.ipip, Buffer.from(bytes)),
  ipv6: ({ bytes }) => over4(IpProtocol.ipv6, Buffer.from(bytes)),
  ipv6over6: ({ bytes }) => over6(IpProtocol.ipv6, Buffer.from(bytes)),
} satisfies Record<string, Tunnel>;

/** An Ethernet frame as a tunnel carries it. */
export function ethernetIn(frameBytes: Uint8Array): Carried {
  return { etherType: EtherType.ethernet, bytes: frameBytes };
}

/** What an Ethernet frame without tags carries. */
export function ipIn(frameBytes: Uint8Array): Carried {
  return { etherType: (frameBytes[12]! << 8) | frameBytes[13]!, bytes: frameBytes.subarray(14) };
}

/** The Ethernet frame that carries a tunnel's packet. */
export function framed({ etherType, bytes }: Carried): Buffer {
  const head = frame4(client, server, udpDatagram(1, 2, Buffer.alloc(0))).subarray(0, 12);
  return Buffer.concat([head, hex(etherType.toString(16).padStart(4, '0')), bytes]);
}
