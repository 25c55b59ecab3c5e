/**
 * Capture files put together by hand, in either byte order: independent of the encoders under `src/format`.
 *
 * Sources: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
 */

export interface PacketBytes {
  readonly seconds: number;
  /** Fraction of the second in the unit of the file. */
  readonly fraction: number;
  readonly data: Uint8Array;
  /** Bytes on the wire; those of `data` unless given. */
  readonly wireLen?: number;
}

/** Numbers of 32 bits in one byte order. */
function words(littleEndian: boolean, ...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => {
    if (littleEndian) bytes.writeUInt32LE(value >>> 0, 4 * index);
    else bytes.writeUInt32BE(value >>> 0, 4 * index);
  });
  return bytes;
}

/** Two numbers of 16 bits in one byte order. */
function halves(littleEndian: boolean, first: number, second: number): Buffer {
  return littleEndian ? words(true, first | (second << 16)) : words(false, (first << 16) | second);
}

function padding(length: number): Buffer {
  return Buffer.alloc(-length & 3);
}

export interface PcapShape {
  readonly littleEndian: boolean;
  readonly nanoseconds: boolean;
  /** The whole field, check sequence bits included. */
  readonly linkType: number;
  readonly magic?: number;
  readonly minor?: number;
}

export function pcapHeader(shape: PcapShape): Buffer {
  const { littleEndian, nanoseconds, linkType } = shape;
  const magic = shape.magic ?? (nanoseconds ? 0xa1b2_3c4d : 0xa1b2_c3d4);
  return Buffer.concat([
    words(littleEndian, magic),
    halves(littleEndian, 2, shape.minor ?? 4),
    words(littleEndian, 0, 0, 65_535, linkType),
  ]);
}

export function pcapRecord(littleEndian: boolean, packet: PacketBytes): Buffer {
  const { seconds, fraction, data } = packet;
  return Buffer.concat([
    words(littleEndian, seconds, fraction, data.length, packet.wireLen ?? data.length),
    data,
  ]);
}

/** One option of a pcapng block. */
export function option(littleEndian: boolean, code: number, value: Uint8Array): Buffer {
  return Buffer.concat([halves(littleEndian, code, value.length), value, padding(value.length)]);
}

/** Any pcapng block around its body, which is padded. */
export function block(littleEndian: boolean, type: number, ...body: readonly Uint8Array[]): Buffer {
  const whole = Buffer.concat(body);
  const length = 12 + whole.length + padding(whole.length).length;
  return Buffer.concat([
    words(littleEndian, type, length),
    whole,
    padding(whole.length),
    words(littleEndian, length),
  ]);
}

export function sectionBlock(littleEndian: boolean, ...options: readonly Uint8Array[]): Buffer {
  const version = halves(littleEndian, 1, 0);
  return block(
    littleEndian,
    0x0a0d_0d0a,
    words(littleEndian, 0x1a2b_3c4d),
    version,
    words(littleEndian, -1, -1),
    ...options,
  );
}

export interface InterfaceShape {
  readonly linkType?: number;
  readonly snapLength?: number;
  /** `if_tsresol`. */
  readonly resolution?: number;
  /** `if_tsoffset`, seconds. */
  readonly offsetSeconds?: bigint;
}

export function interfaceBytes(littleEndian: boolean, shape: InterfaceShape = {}): Buffer {
  const options: Buffer[] = [];
  if (shape.resolution !== undefined) options.push(option(littleEndian, 9, Uint8Array.of(shape.resolution)));
  if (shape.offsetSeconds !== undefined) {
    const value = Buffer.alloc(8);
    if (littleEndian) value.writeBigInt64LE(shape.offsetSeconds);
    else value.writeBigInt64BE(shape.offsetSeconds);
    options.push(option(littleEndian, 14, value));
  }
  if (options.length > 0) options.push(option(littleEndian, 0, new Uint8Array()));
  const fixed = [halves(littleEndian, shape.linkType ?? 1, 0), words(littleEndian, shape.snapLength ?? 0)];
  return block(littleEndian, 1, ...fixed, ...options);
}

export interface PacketBlockShape {
  readonly interfaceId?: number;
  /** Time in units of the interface. */
  readonly time?: bigint;
  readonly data: Uint8Array;
  readonly wireLen?: number;
  readonly options?: readonly Uint8Array[];
}

export function enhancedPacket(littleEndian: boolean, shape: PacketBlockShape): Buffer {
  const id = words(littleEndian, shape.interfaceId ?? 0);
  return block(littleEndian, 6, id, ...timeAndData(littleEndian, shape));
}

export function obsoletePacket(littleEndian: boolean, shape: PacketBlockShape, drops: number): Buffer {
  const id = halves(littleEndian, shape.interfaceId ?? 0, drops);
  return block(littleEndian, 2, id, ...timeAndData(littleEndian, shape));
}

export function simplePacket(littleEndian: boolean, data: Uint8Array, wireLen = data.length): Buffer {
  return block(littleEndian, 3, words(littleEndian, wireLen), data);
}

function timeAndData(littleEndian: boolean, shape: PacketBlockShape): Uint8Array[] {
  const { data } = shape;
  const time = shape.time ?? 0n;
  return [
    words(littleEndian, Number(time >> 32n), Number(time & 0xffff_ffffn)),
    words(littleEndian, data.length, shape.wireLen ?? data.length),
    data,
    padding(data.length),
    ...(shape.options ?? []),
  ];
}
