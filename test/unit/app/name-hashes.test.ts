import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { nameHashes, sha1Base64 } from '../../../src/app/name-hashes.ts';
import { communityId } from '../../../src/wire/community-id.ts';
import { hex, toHex } from '../../support/hex.ts';

test('SHA-256: FIPS 180-4, the example of three letters', () => {
  expect(nameHashes.sha256Hex(Buffer.from('abc'))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

test('HMAC: RFC 4231 test case 2', () => {
  const mac = nameHashes.hmacSha256(Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?'));
  expect(toHex(mac)).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
});

test('HMAC is what Node makes of it, whatever key of at most 64 bytes and text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ maxLength: 200 }), (key, text) => {
      expect(toHex(nameHashes.hmacSha256(key, text))).toBe(
        createHmac('sha256', key).update(text).digest('hex'),
      );
    }),
  );
});

test('a block of AES: FIPS 197 appendix C.1', () => {
  const block = nameHashes.aes128Ecb(
    hex('000102030405060708090a0b0c0d0e0f'),
    hex('00112233445566778899aabbccddeeff'),
  );
  expect(toHex(block)).toBe('69c4e0d86a7b0430d8cdb78070b4c55a');
});

test('GCM: test case 4 of its specification, and nothing where a bit differs', () => {
  const key = hex('feffe9928665731c6d6a8f9467308308');
  const nonce = hex('cafebabefacedbaddecaf888');
  const additional = hex('feedfacedeadbeeffeedfacedeadbeefabaddad2');
  const sealed = hex(`
    42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b39
    6a0aac973d58e091 5bc94fbc3221a5db94fae95ae7121a47
  `);
  const opened = nameHashes.aes128GcmDecrypt(key, nonce, additional, sealed);
  expect(toHex(opened!)).toBe(
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
  );
  for (const at of [0, 30, sealed.length - 1]) {
    const changed = Uint8Array.from(sealed);
    changed[at]! ^= 1;
    expect(nameHashes.aes128GcmDecrypt(key, nonce, additional, changed)).toBeUndefined();
  }
  expect(nameHashes.aes128GcmDecrypt(key, nonce, hex(''), sealed)).toBeUndefined();
});

test('the hash of a Community ID', () => {
  const tuple = hex('0000 80e28a34 80f14c09 06 00 00500b2e'.replaceAll(' ', ''));
  const expected = communityId(tuple, (bytes) => Buffer.from(sha1Base64(bytes), 'base64'));
  expect(expected).toBe(`1:${sha1Base64(tuple)}`);
  expect(sha1Base64(Buffer.from('abc'))).toBe('qZk+NkcGgWq6PiVxeFDCbJzQ2J0=');
});
