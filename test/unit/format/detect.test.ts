import { execFileSync } from 'node:child_process';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { describeUnknown, detectCompression, detectFormat, makeDecoder } from '../../../src/format/detect.ts';
import { hex } from '../../support/hex.ts';
import { requires } from '../../support/requires.ts';

const formats = [
  { name: 'pcap, microseconds, big-endian', bytes: 'a1b2c3d4', format: 'pcap' },
  { name: 'pcap, microseconds, little-endian', bytes: 'd4c3b2a1', format: 'pcap' },
  { name: 'pcap, nanoseconds, big-endian', bytes: 'a1b23c4d', format: 'pcap' },
  { name: 'pcap, nanoseconds, little-endian', bytes: '4d3cb2a1', format: 'pcap' },
  { name: 'pcapng', bytes: '0a0d0d0a', format: 'pcapng' },
  { name: 'nothing', bytes: '', unknown: 'is empty' },
  { name: 'three bytes of pcap', bytes: 'd4c3b2', unknown: 'has only 3 bytes' },
  { name: 'one byte', bytes: 'd4', unknown: 'has only 1 byte' },
  {
    name: 'modified pcap',
    bytes: '34cdb2a1',
    unknown: 'looks like pcap as a patched libpcap wrote it (little-endian)',
  },
  { name: 'pcapng with line ends translated', bytes: '0a0d0a00', unknown: /transferred as text/ },
  { name: 'xz', bytes: 'fd377a585a', unknown: 'looks like compressed with xz' },
  { name: 'text', bytes: '23212f62', unknown: 'begins with 23212f62, which is neither pcap nor pcapng' },
];

test.each(formats)('$name', ({ bytes, format, unknown }) => {
  const padded = Buffer.concat([Buffer.alloc(3), hex(bytes), Buffer.alloc(3)]);
  const end = padded.length - 3;
  expect(detectFormat(padded, 3, end)).toBe(format);
  if (unknown !== undefined) expect(describeUnknown(padded, 3, end)).toMatch(unknown);
});

test('compression is told by what a file begins with', () => {
  const skippable = Buffer.from(hex('5f2a4d18 00000000'));
  const compressions = [gzipSync('x'), zstdCompressSync('x'), skippable].map((bytes) =>
    detectCompression(bytes, 0, bytes.length),
  );
  expect(compressions).toEqual(['gzip', 'zstd', 'zstd']);
  expect(detectCompression(Buffer.from(hex('d4c3b2a1')), 0, 4)).toBeUndefined();
  expect(detectCompression(Buffer.from(hex('1f8b')), 0, 2)).toBeUndefined();
});

test.skipIf(!requires('gzip'))('what the program gzip makes is told too', () => {
  const bytes = execFileSync('gzip', ['-c'], { input: 'x' });
  expect(detectCompression(bytes, 0, bytes.length)).toBe('gzip');
});

test('each format has its decoder', () => {
  expect([makeDecoder('pcap').format, makeDecoder('pcapng').format]).toEqual(['pcap', 'pcapng']);
});
