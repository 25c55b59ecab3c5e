import { frame, ipv4Packet, ipv6Packet, opaque, type Transport } from '../../samples/make/packets.ts';
import { client, server } from '../../samples/make/traffic.ts';
import { EtherType } from '../../src/wire/ether-type.ts';

/** A piece of a payload, of a packet from `client` to `server`. */
export interface Piece {
  readonly offset: number;
  readonly length: number;
  /** Another follows; left out: where the payload goes on. */
  readonly more?: boolean;
}

/** The pieces of `length` bytes, `size` bytes each, in their order. */
export function pieces(length: number, size: number): Piece[] {
  return Array.from({ length: Math.ceil(length / size) }, (_, index) => ({
    offset: index * size,
    length: Math.min(size, length - index * size),
  }));
}

/** The Ethernet frame of one IPv4 fragment. */
export function fragment4(transport: Transport, { offset, length, more }: Piece, identification = 7): Buffer {
  const { protocol, bytes } = transport;
  const follows = more ?? offset + length < bytes.length;
  const flagsAndOffset = (follows ? 0x2000 : 0) | (offset >>> 3);
  const piece = opaque(protocol, bytes.subarray(offset, offset + length));
  const packet = ipv4Packet(client.ipv4, server.ipv4, piece, { identification, flagsAndOffset });
  return frame(client.mac, server.mac, packet, EtherType.ipv4);
}

export interface Fragment6Options {
  readonly identification?: number;
  /** Of the fragment header; left out: the transport's. */
  readonly next?: number;
  /** Extension headers at the start of the payload count as payload here. */
  readonly payload?: Buffer;
}

/** The Ethernet frame of one IPv6 fragment. */
export function fragment6(
  transport: Transport,
  { offset, length, more }: Piece,
  { identification = 7, next = transport.protocol, payload = transport.bytes }: Fragment6Options = {},
): Buffer {
  const header = Buffer.alloc(8);
  header[0] = next;
  header.writeUInt16BE(offset | ((more ?? offset + length < payload.length) ? 1 : 0), 2);
  header.writeUInt32BE(identification, 4);
  const piece = opaque(transport.protocol, payload.subarray(offset, offset + length));
  const packet = ipv6Packet(client.ipv6, server.ipv6, piece, {}, 44, header);
  return frame(client.mac, server.mac, packet, EtherType.ipv6);
}
