import { createCipheriv, createDecipheriv, createSecretKey, hash } from 'node:crypto';
import type { NameHashes } from '../receive/flows/name-finder.ts';

/** Bytes of a GCM tag. */
const TAG_LEN = 16;
/** Bytes that SHA-256 takes at a time. */
const HASH_BLOCK_LEN = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/**
 * What the names in flows are hashed and opened with.
 *
 * Keys are made into key objects, and HMAC is put together from two hashes of one call each: with bytes as key, and
 * with `createHmac`, opening a QUIC packet took ten times as long (460 against 43 µs).
 */
export const nameHashes: NameHashes = {
  sha256Hex: (bytes) => hash('sha256', bytes, 'hex'),
  hmacSha256: (key, bytes) => sha256(padded(key, OUTER_PAD, sha256(padded(key, INNER_PAD, bytes)))),
  aes128Ecb: (key, block) =>
    createCipheriv('aes-128-ecb', createSecretKey(key), null).setAutoPadding(false).update(block),
  aes128GcmDecrypt(key, nonce, additional, sealed) {
    const options = { authTagLength: TAG_LEN };
    const decipher = createDecipheriv('aes-128-gcm', createSecretKey(key), nonce, options);
    decipher.setAAD(additional).setAuthTag(sealed.subarray(sealed.length - TAG_LEN));
    const opened = decipher.update(sealed.subarray(0, sealed.length - TAG_LEN));
    try {
      decipher.final();
      return opened;
    } catch {
      return undefined;
    }
  },
};

/** SHA-1 in base64, as Community IDs are written. */
export function sha1Base64(bytes: Uint8Array): string {
  return hash('sha1', bytes, 'base64');
}

/** By way of text, which comes back sooner than a buffer. */
function sha256(bytes: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'binary');
}

/** A key of at most a block, mixed with its pad, and the bytes behind it; RFC 2104 section 2. */
function padded(key: Uint8Array, pad: number, bytes: Uint8Array): Buffer {
  const result = Buffer.alloc(HASH_BLOCK_LEN + bytes.length, pad);
  for (const [i, byte] of key.entries()) result[i] = byte ^ pad;
  result.set(bytes, HASH_BLOCK_LEN);
  return result;
}
