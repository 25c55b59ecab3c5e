import { copyBytes } from '../../wire/copy.ts';
import { QuicVersion } from '../../wire/quic-initial.ts';
import type { NameHashes } from './name-hashes.ts';

/** What a client's Initial packets are protected with. */
export interface QuicKeys {
  /** 16 bytes. */
  readonly key: Uint8Array;
  /** 12 bytes. */
  readonly iv: Uint8Array;
  /** For the header, 16 bytes. */
  readonly headerKey: Uint8Array;
}

/** Salt and labels of a version, ready for HMAC. */
interface Derivation {
  readonly salt: Uint8Array;
  readonly client: Uint8Array;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  readonly headerKey: Uint8Array;
}

const KEY_LEN = 16;
const IV_LEN = 12;
const SECRET_LEN = 32;

/** RFC 9001 sections 5.1 and 5.2. */
const derivationOfV1 = derivation('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'quic');
/** RFC 9369 section 3.3. */
const derivationOfV2 = derivation('0dede3def700a6db819381be6e269dcbf9bd2ed9', 'quicv2');

/** Keys that anybody can make who sees the first id: that is why the first hello can be read. */
export function clientInitialKeys(version: QuicVersion, firstId: Uint8Array, hashes: NameHashes): QuicKeys {
  const { salt, client, key, iv, headerKey } = version === QuicVersion.v2 ? derivationOfV2 : derivationOfV1;
  const secret = hashes.hmacSha256(hashes.hmacSha256(salt, firstId), client);
  return {
    key: hashes.hmacSha256(secret, key).subarray(0, KEY_LEN),
    iv: hashes.hmacSha256(secret, iv).subarray(0, IV_LEN),
    headerKey: hashes.hmacSha256(secret, headerKey).subarray(0, KEY_LEN),
  };
}

function derivation(salt: string, label: string): Derivation {
  return {
    salt: Buffer.from(salt, 'hex'),
    client: expansion('client in', SECRET_LEN),
    key: expansion(`${label} key`, KEY_LEN),
    iv: expansion(`${label} iv`, IV_LEN),
    headerKey: expansion(`${label} hp`, KEY_LEN),
  };
}

/**
 * Input of the one HMAC by which HKDF-Expand-Label (RFC 8446 section 7.1) makes up to 32 bytes: their number in 2 bytes,
 * the label after its length, the length of an empty context, and the block number 1 (RFC 5869 section 2.3).
 */
function expansion(label: string, length: number): Uint8Array {
  const text = Buffer.from(`tls13 ${label}`, 'latin1');
  const bytes = new Uint8Array(3 + text.length + 2);
  bytes[1] = length;
  bytes[2] = text.length;
  copyBytes(text, 0, text.length, bytes, 3);
  bytes[bytes.length - 1] = 1;
  return bytes;
}
