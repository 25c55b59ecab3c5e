/** Hashes and ciphers for names in flows; this room computes none, so they are handed in. */
export interface NameHashes {
  /** SHA-256 as 64 lower-case hexadecimal digits. */
  sha256Hex(bytes: Uint8Array): string;
  /** HMAC with SHA-256, 32 bytes, the caller's own; the key has at most 64. */
  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array;
  /** One block of 16 bytes under a key of 16 bytes. */
  aes128Ecb(key: Uint8Array, block: Uint8Array): Uint8Array;
  /** What was sealed, without the tag that its last 16 bytes are; `undefined` where the tag is another. */
  aes128GcmDecrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    additional: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array | undefined;
}
