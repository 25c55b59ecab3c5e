import { createCipheriv, createHmac } from 'node:crypto';
import { prefixed } from './client-hello.ts';

/** A client's Initial packet, protected as RFC 9001 section 5 and RFC 9369 say. */
export interface InitialPacket {
  readonly version?: 'v1' | 'v2';
  readonly destinationId: Uint8Array;
  readonly sourceId?: Uint8Array;
  readonly token?: Uint8Array;
  readonly packetNumber?: number;
  /** Bytes in which the packet number is sent, 1..4. */
  readonly numberLen?: number;
  readonly frames: Uint8Array;
}

const versions = {
  v1: { number: '00000001', salt: '38762cf7f55934b34d179ae6a4c80cadccbb7f0a', label: 'quic', type: 0 },
  v2: { number: '6b3343cf', salt: '0dede3def700a6db819381be6e269dcbf9bd2ed9', label: 'quicv2', type: 1 },
} as const;

export function initialPacket(packet: InitialPacket): Buffer {
  const { version = 'v1', destinationId, sourceId = Buffer.alloc(0), token = Buffer.alloc(0) } = packet;
  const { packetNumber = 0, numberLen = 2, frames } = packet;
  const { number, type } = versions[version];
  const keys = clientKeys(version, destinationId);
  // so that there are bytes to sample for header protection
  const padded = Buffer.concat([frames, Buffer.alloc(Math.max(0, 4 - numberLen - frames.length))]);

  const numberBytes = Buffer.alloc(4);
  numberBytes.writeUInt32BE(packetNumber);
  const header = Buffer.concat([
    Buffer.from([0xc0 | (type << 4) | (numberLen - 1)]),
    Buffer.from(number, 'hex'),
    prefixed(destinationId, 1),
    prefixed(sourceId, 1),
    varint(token.length),
    token,
    varint(numberLen + padded.length + 16),
    numberBytes.subarray(4 - numberLen),
  ]);
  const nonce = Buffer.from(keys.iv);
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ packetNumber) >>> 0, 8);
  const cipher = createCipheriv('aes-128-gcm', keys.key, nonce).setAAD(header);
  const sealed = Buffer.concat([cipher.update(padded), cipher.final(), cipher.getAuthTag()]);

  const numberAt = header.length - numberLen;
  const all = Buffer.concat([header, sealed]);
  const sample = all.subarray(numberAt + 4, numberAt + 20);
  const mask = createCipheriv('aes-128-ecb', keys.headerKey, null).update(sample);
  all[0]! ^= mask[0]! & 0x0f;
  for (let i = 0; i < numberLen; i++) all[numberAt + i]! ^= mask[1 + i]!;
  return all;
}

/** A CRYPTO frame, RFC 9000 section 19.6. */
export function cryptoFrame(offset: number, data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([6]), varint(offset), varint(data.length), data]);
}

/** The shortest form of a number, RFC 9000 section 16; below 2^30. */
export function varint(value: number): Buffer {
  if (value < 0x40) return Buffer.from([value]);
  const bytes = Buffer.alloc(value < 0x4000 ? 2 : 4);
  if (bytes.length === 2) bytes.writeUInt16BE(value | 0x4000);
  else bytes.writeUInt32BE((value | 0x8000_0000) >>> 0);
  return bytes;
}

function clientKeys(version: 'v1' | 'v2', destinationId: Uint8Array) {
  const { salt, label } = versions[version];
  const initial = createHmac('sha256', Buffer.from(salt, 'hex')).update(destinationId).digest();
  const client = expand(initial, 'client in', 32);
  return {
    key: expand(client, `${label} key`, 16),
    iv: expand(client, `${label} iv`, 12),
    headerKey: expand(client, `${label} hp`, 16),
  };
}

/** HKDF-Expand-Label, RFC 8446 section 7.1: one block is enough. */
function expand(secret: Uint8Array, label: string, length: number): Buffer {
  const info = Buffer.concat([
    Buffer.from([0, length]),
    prefixed(Buffer.from(`tls13 ${label}`), 1),
    prefixed(Buffer.alloc(0), 1),
  ]);
  return createHmac('sha256', secret)
    .update(Buffer.concat([info, Buffer.from([1])]))
    .digest()
    .subarray(0, length);
}
