import { createCipheriv, createDecipheriv, createHmac, hash } from 'node:crypto';
import type { NameHashes } from '../receive/flows/name-finder.ts';

/** Bytes of a GCM tag. */
const TAG_LEN = 16;

/** What the names in flows are hashed and opened with. */
export const nameHashes: NameHashes = {
  sha256Hex: (bytes) => hash('sha256', bytes, 'hex'),
  hmacSha256: (key, bytes) => createHmac('sha256', key).update(bytes).digest(),
  aes128Ecb: (key, block) => createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block),
  aes128GcmDecrypt(key, nonce, additional, sealed) {
    const decipher = createDecipheriv('aes-128-gcm', key, nonce, { authTagLength: TAG_LEN });
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
