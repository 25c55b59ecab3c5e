/** Builds packets from the inside out: transport, IP, Ethernet. Everything is a plain function of its arguments. */
import { finish, fold, pseudoSum, sum } from '../../src/wire/checksum.ts';
import { parseAddress } from '../../src/wire/address.ts';
import { EtherType } from '../../src/wire/ether-type.ts';
import * as ethernet from '../../src/wire/ethernet.ts';
import * as icmp from '../../src/wire/icmp.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';
import * as ipv4 from '../../src/wire/ipv4.ts';
import * as ipv6 from '../../src/wire/ipv6.ts';
import * as tcp from '../../src/wire/tcp.ts';
import * as udp from '../../src/wire/udp.ts';
import * as vlan from '../../src/wire/vlan.ts';

/** One end of a conversation. */
export interface Host {
  readonly mac: Uint8Array;
  readonly ipv4: Uint8Array;
  readonly ipv6: Uint8Array;
}

/** @param number 1..255: last byte of the hardware address */
export function host(number: number, ipv4Text: string, ipv6Text: string): Host {
  return { mac: Uint8Array.of(2, 0, 0, 0, 0, number), ipv4: address(ipv4Text), ipv6: address(ipv6Text) };
}

function address(text: string): Uint8Array {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`${text} is no address.`);
  return parsed.bytes;
}

/** How a transport checksum is filled in. `partial`: only the pseudo-header sum, as checksum offload leaves it. */
export type ChecksumState = 'valid' | 'partial' | 'zero' | 'bad';

/** A transport header with its data, the checksum still 0. */
export interface Transport {
  readonly protocol: number;
  readonly bytes: Buffer;
  /** Offset of the checksum field; -1 where there is none. */
  readonly checksumAt: number;
}

export function udpDatagram(sourcePort: number, destinationPort: number, data: Uint8Array): Transport {
  const bytes = Buffer.alloc(udp.HEADER_LEN + data.length);
  const at = udp.emit(bytes, 0, sourcePort, destinationPort, bytes.length, 0);
  bytes.set(data, at);
  return { protocol: IpProtocol.udp, bytes, checksumAt: udp.CHECKSUM };
}

export interface TcpFields {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: number;
  readonly data?: Uint8Array;
  /** A multiple of four bytes. */
  readonly options?: Uint8Array;
}

export function tcpSegment(fields: TcpFields): Transport {
  const data = fields.data ?? Buffer.alloc(0);
  const options = fields.options ?? Buffer.alloc(0);
  const bytes = Buffer.alloc(tcp.HEADER_LEN + options.length + data.length);
  const { sourcePort, destinationPort, sequence, acknowledgement, flags } = fields;
  const window = 0xfaf0;
  const at = tcp.emit(
    bytes,
    0,
    sourcePort,
    destinationPort,
    sequence,
    acknowledgement,
    flags,
    window,
    0,
    options.length,
  );
  bytes.set(options, at);
  bytes.set(data, at + options.length);
  return { protocol: IpProtocol.tcp, bytes, checksumAt: tcp.CHECKSUM };
}

/** An echo request or reply. `protocol` is that of ICMP or ICMPv6, `type` one of its types. */
export function echo(
  protocol: number,
  type: number,
  id: number,
  sequence: number,
  dataLen: number,
): Transport {
  const bytes = Buffer.alloc(icmp.HEADER_LEN + dataLen);
  const at = icmp.emit(bytes, 0, type, 0, 0, id, sequence);
  for (let i = 0; i < dataLen; i++) bytes[at + i] = 0x61 + (i % 23);
  return { protocol, bytes, checksumAt: icmp.CHECKSUM };
}

/** A payload without a checksum that is known here. */
export function opaque(protocol: number, bytes: Buffer): Transport {
  return { protocol, bytes, checksumAt: -1 };
}

export interface IpFields {
  readonly checksum?: ChecksumState;
  readonly identification?: number;
  readonly flagsAndOffset?: number;
  readonly ttl?: number;
}

export function ipv4Packet(
  source: Uint8Array,
  destination: Uint8Array,
  inner: Transport,
  fields: IpFields = {},
): Buffer {
  const bytes = Buffer.alloc(ipv4.HEADER_LEN + inner.bytes.length);
  const { identification = 0, flagsAndOffset = 0, ttl = 64 } = fields;
  const at = ipv4.emit(
    bytes,
    0,
    bytes.length,
    identification,
    flagsAndOffset,
    ttl,
    inner.protocol,
    source,
    destination,
  );
  bytes.set(inner.bytes, at);
  putChecksum(bytes, 4, at, inner, fields.checksum ?? 'valid');
  return bytes;
}

/** @param extensions extension headers, the last of which names `inner.protocol`; `next` names the first */
export function ipv6Packet(
  source: Uint8Array,
  destination: Uint8Array,
  inner: Transport,
  fields: IpFields = {},
  next: number = inner.protocol,
  extensions: Uint8Array = Buffer.alloc(0),
): Buffer {
  const payloadLen = extensions.length + inner.bytes.length;
  const bytes = Buffer.alloc(ipv6.HEADER_LEN + payloadLen);
  const at = ipv6.emit(bytes, 0, payloadLen, next, fields.ttl ?? 64, source, destination);
  bytes.set(extensions, at);
  bytes.set(inner.bytes, at + extensions.length);
  putChecksum(bytes, 6, at + extensions.length, inner, fields.checksum ?? 'valid');
  return bytes;
}

/** A frame; each tag is a VLAN id, outermost first. */
export function frame(
  source: Uint8Array,
  destination: Uint8Array,
  payload: Uint8Array,
  etherType: number,
  tags: readonly number[] = [],
): Buffer {
  const bytes = Buffer.alloc(ethernet.HEADER_LEN + tags.length * vlan.TAG_LEN + payload.length);
  const announce = (index: number): number => {
    if (index === tags.length) return etherType;
    return index < tags.length - 1 ? EtherType.qinq : EtherType.vlan;
  };
  let at = ethernet.emit(bytes, 0, destination, source, announce(0));
  tags.forEach((id, index) => {
    at = vlan.emit(bytes, at, id, 0, announce(index + 1));
  });
  bytes.set(payload, at);
  return bytes;
}

/** From one host to another in a frame, over IPv4. */
export function frame4(
  from: Host,
  to: Host,
  inner: Transport,
  fields: IpFields = {},
  tags: readonly number[] = [],
): Buffer {
  return frame(from.mac, to.mac, ipv4Packet(from.ipv4, to.ipv4, inner, fields), EtherType.ipv4, tags);
}

/** The same over IPv6. */
export function frame6(
  from: Host,
  to: Host,
  inner: Transport,
  fields: IpFields = {},
  tags: readonly number[] = [],
): Buffer {
  return frame(from.mac, to.mac, ipv6Packet(from.ipv6, to.ipv6, inner, fields), EtherType.ipv6, tags);
}

function putChecksum(
  bytes: Buffer,
  version: 4 | 6,
  at: number,
  inner: Transport,
  state: ChecksumState,
): void {
  if (inner.checksumAt < 0 || state === 'zero') return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sourceAt = version === 4 ? ipv4.SOURCE : ipv6.SOURCE;
  const destinationAt = version === 4 ? ipv4.DESTINATION : ipv6.DESTINATION;
  const hasPseudo = inner.protocol !== IpProtocol.icmp;
  const pseudo = hasPseudo
    ? pseudoSum(view, version, sourceAt, destinationAt, inner.protocol, inner.bytes.length)
    : 0;
  const whole = finish(pseudo + sum(view, at, bytes.length));
  const isUdp = inner.protocol === IpProtocol.udp;
  const valid = isUdp && whole === 0 ? 0xffff : whole;
  const value = state === 'partial' ? fold(pseudo) : state === 'bad' ? valid ^ 0x0101 : valid;
  bytes.writeUInt16BE(value, at + inner.checksumAt);
}
