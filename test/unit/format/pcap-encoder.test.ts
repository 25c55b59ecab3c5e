import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, integer, property, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import { PcapDecoder } from '../../../src/format/pcap-decoder.ts';
import {
  FILE_HEADER_BYTES,
  fileHeader,
  packetRecord,
  RECORD_HEADER_BYTES,
} from '../../../src/format/pcap-encoder.ts';
import { decodeAll } from '../../support/decoding.ts';
import { hex, toHex } from '../../support/hex.ts';
import { requires } from '../../support/requires.ts';
import { tsharkFields, withFolder } from '../../support/tshark.ts';
import { blockOf } from '../../../src/wire/block.ts';

const frame = Buffer.from(hex('ffffffffffff 020000000001 0800 aabb'));

test('the file header is that of draft-ietf-opsawg-pcap section 4, nanoseconds', () => {
  const out = Buffer.alloc(40, 0xa5);
  expect(fileHeader(out, 3, 101)).toBe(3 + FILE_HEADER_BYTES);
  expect(toHex(out.subarray(3, 27))).toBe('4d3cb2a10200040000000000000000000000040065000000');
  expect(toHex(out.subarray(27, 31))).toBe('a5a5a5a5');
});

const records = [
  {
    name: 'whole packet',
    seconds: 1,
    nanoseconds: 2,
    end: 16,
    wireLen: 16,
    header: '01000000 02000000 10000000 10000000',
  },
  {
    name: 'cut packet',
    seconds: 1,
    nanoseconds: 2,
    end: 3,
    wireLen: 9000,
    header: '01000000 02000000 03000000 28230000',
  },
  {
    name: 'no bytes',
    seconds: 0,
    nanoseconds: 0,
    end: 0,
    wireLen: 60,
    header: '00000000 00000000 00000000 3c000000',
  },
  {
    name: 'largest time',
    seconds: 0xffff_ffff,
    nanoseconds: 999_999_999,
    end: 1,
    wireLen: 1,
    header: 'ffffffff ffc99a3b 01000000 01000000',
  },
];

test.each(records)('record: $name (draft-ietf-opsawg-pcap section 5)', (row) => {
  const out = Buffer.alloc(64, 0xa5);
  const next = packetRecord(
    blockOf(out),
    5,
    row.seconds,
    row.nanoseconds,
    blockOf(frame),
    0,
    row.end,
    row.wireLen,
  );
  expect(next).toBe(5 + RECORD_HEADER_BYTES + row.end);
  expect(toHex(out.subarray(5, next))).toBe(
    row.header.replaceAll(' ', '') + toHex(frame.subarray(0, row.end)),
  );
  expect(toHex(out.subarray(0, 5))).toBe('a5'.repeat(5));
  expect(toHex(out.subarray(next, next + 4))).toBe('a5'.repeat(4));
});

test('what is written is read back', () => {
  const seconds = integer({ min: 0, max: 0xffff_ffff });
  const nanoseconds = integer({ min: 0, max: 999_999_999 });
  const linkType = integer({ min: 0, max: 0xffff });
  const cut = integer({ min: 0, max: 70_000 });
  assert(
    property(
      seconds,
      nanoseconds,
      linkType,
      uint8Array({ maxLength: 100 }),
      cut,
      (s, ns, link, data, cutBytes) => {
        const out = Buffer.alloc(200);
        const wireLen = data.length + cutBytes;
        const end = packetRecord(
          blockOf(out),
          fileHeader(out, 0, link),
          s,
          ns,
          blockOf(Buffer.from(data)),
          0,
          data.length,
          wireLen,
        );
        const time = `${s}.${String(ns).padStart(9, '0')}`;
        expect(decodeAll(new PcapDecoder(), out.subarray(0, end))).toEqual({
          packets: [{ time, linkType: link, wireLen, data: toHex(data) }],
          problem: undefined,
        });
      },
    ),
  );
});

test.skipIf(!requires('tshark'))('tshark reads the same times and lengths', async () => {
  const out = Buffer.alloc(200);
  let end = packetRecord(
    blockOf(out),
    fileHeader(out, 0, 1),
    1_561_629_600,
    123_456_789,
    blockOf(frame),
    0,
    16,
    1500,
  );
  end = packetRecord(blockOf(out), end, 0xffff_fffe, 999_999_999, blockOf(frame), 0, 0, 60);
  await withFolder((folder) => {
    const path = join(folder, 'x');
    writeFileSync(path, out.subarray(0, end));
    expect(tsharkFields(path, ['frame.time_epoch', 'frame.cap_len', 'frame.len'])).toEqual([
      ['1561629600.123456789', '16', '1500'],
      ['4294967294.999999999', '0', '60'],
    ]);
  });
});
