import { expect, test } from 'vitest';
import * as record from '../../../src/wire/tls-record.ts';
import { hex } from '../../support/hex.ts';

test.each([
  { name: 'handshake of TLS 1.0 or newer', bytes: '16 0301 0200', handshake: true, length: 512 },
  { name: 'handshake of SSL 3', bytes: '16 0300 0001', handshake: true, length: 1 },
  { name: 'the longest', bytes: '16 0303 4000', handshake: true, length: 0x4000 },
  { name: 'too long', bytes: '16 0303 4001', handshake: false, length: 0x4001 },
  { name: 'empty', bytes: '16 0303 0000', handshake: false, length: 0 },
  { name: 'application data', bytes: '17 0303 0020', handshake: false, length: 32 },
  { name: 'another version', bytes: '16 0203 0020', handshake: false, length: 32 },
  { name: 'a version that is not there yet', bytes: '16 0305 0020', handshake: false, length: 32 },
])('$name', (row) => {
  const bytes = hex(`ff ${row.bytes}`);
  expect(record.complete(1, bytes.length)).toBe(true);
  expect(record.complete(1, bytes.length - 1)).toBe(false);
  expect(record.isHandshake(bytes, 1)).toBe(row.handshake);
  expect(record.length(bytes, 1)).toBe(row.length);
});

test.each([
  { bytes: '16 03', may: true },
  { bytes: '16 03 04', may: true },
  { bytes: '16 03 01 40', may: true },
  { bytes: '16 03 01 00 01', may: true },
  { bytes: '16', may: false },
  { bytes: '16 02', may: false },
  { bytes: '17 03', may: false },
  { bytes: '16 03 05', may: false },
  { bytes: '16 03 01 41', may: false },
  { bytes: '16 03 01 00 00', may: false },
])('$bytes may begin a handshake: $may', ({ bytes, may }) => {
  const piece = hex(`${bytes} 03 03 03`);
  expect(record.mayBeHandshake(piece, 0, hex(bytes).length)).toBe(may);
});
