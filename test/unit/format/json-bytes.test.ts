import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ADDRESS_BYTES_MAX,
  CHAR_BYTES_MAX,
  COUNT_BYTES_MAX,
  piece,
  putAddress,
  putCount,
  putHex8,
  putPiece,
  putText,
  putTimestamp,
  TIMESTAMP_BYTES,
} from '../../../src/format/json-bytes.ts';
import { isoTimestamp } from '../../../src/observe/timestamp.ts';
import { formatAddress, parseAddress } from '../../../src/wire/address.ts';

const AT = 3;

/** What a writer wrote at an odd place; what lies before and behind is untouched. */
function written(write: (out: Buffer, at: number) => number): string {
  const out = Buffer.alloc(4096, 0xa5);
  const end = write(out, AT);
  expect(out.subarray(0, AT).every((byte) => byte === 0xa5)).toBe(true);
  expect(out.subarray(end).every((byte) => byte === 0xa5)).toBe(true);
  return out.toString('utf8', AT, end);
}

test('a prepared text', () => {
  expect(written((out, at) => putPiece(out, at, piece('{"a":')))).toBe('{"a":');
});

test.each([0, 9, 10, 99, 100, 2_147_483_647, 2_147_483_648, 4_294_967_295, 99_999_999_999, 2 ** 53 - 1])(
  'count %d',
  (value) => {
    expect(written((out, at) => putCount(out, at, value))).toBe(String(value));
  },
);

test('any count', () => {
  fc.assert(
    fc.property(fc.oneof(fc.nat(), fc.maxSafeNat()), (value) => {
      const text = written((out, at) => putCount(out, at, value));
      expect(text).toBe(String(value));
      expect(text.length).toBeLessThanOrEqual(COUNT_BYTES_MAX);
    }),
  );
});

test.each([
  [0, '00000000'],
  [0xdead_beef, 'deadbeef'],
  [-1, 'ffffffff'],
  [0x0000_00ab, '000000ab'],
])('hex %d', (value, text) => {
  expect(written((out, at) => putHex8(out, at, value))).toBe(text);
});

describe('a time', () => {
  const DAY = 86_400;
  test.each([
    ['the epoch', 0],
    ['the last day of February', 58 * DAY],
    ['the first leap day', 789 * DAY],
    ['the day after it', 790 * DAY],
    ['the end of a year', 365 * DAY - 1],
    ['the leap day of 2000, which ends a cycle of 400 years', 11_016 * DAY],
    ['the day after it', 11_017 * DAY],
    ['the leap day of 2096', 46_080 * DAY],
    ['2100, which has no leap day: 28 February', 47_540 * DAY],
    ['2100, which has no leap day: 1 March', 47_541 * DAY],
    ['the last second of 32 bits', 0xffff_ffff],
  ])('%s', (_name, seconds) => {
    const text = written((out, at) => putTimestamp(out, at, seconds, 5));
    expect(text).toBe(isoTimestamp(seconds, 5));
    expect(text).toHaveLength(TIMESTAMP_BYTES);
  });

  test('every day of 32 bits', () => {
    const out = Buffer.alloc(TIMESTAMP_BYTES);
    const wrong: string[] = [];
    for (let day = 0; day <= 0xffff_ffff / DAY; day++) {
      putTimestamp(out, 0, day * DAY, 0);
      if (out.toString() !== isoTimestamp(day * DAY, 0)) wrong.push(isoTimestamp(day * DAY, 0));
    }
    expect(wrong).toEqual([]);
  });

  test('any time', () => {
    const seconds = fc.integer({ min: 0, max: 0xffff_ffff });
    const nanoseconds = fc.integer({ min: 0, max: 999_999_999 });
    fc.assert(
      fc.property(seconds, nanoseconds, (second, nanosecond) => {
        expect(written((out, at) => putTimestamp(out, at, second, nanosecond))).toBe(
          isoTimestamp(second, nanosecond),
        );
      }),
    );
  });
});

describe('an address', () => {
  const put = (text: string): string => {
    const { bytes, version } = parseAddress(text)!;
    return written((out, at) => putAddress(out, at, bytes, version));
  };

  test.each([
    '0.0.0.0',
    '10.0.99.100',
    '255.255.255.255',
    '::',
    '::1',
    '1::',
    '2001:db8::1',
    '2001:db8:0:1:1:1:1:1',
    '2001:0:0:1::1',
    '2001:db8::1:0:0:1',
    '0:1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:0',
    '1:2:3:4:5:6::',
    '::ffff:192.0.2.1',
    '::ffff:0:192.0.2.1',
    '1111:2222:3333:4444:5555:6666:7777:8888',
  ])('%s', (text) => {
    const { bytes, version } = parseAddress(text)!;
    expect(put(text)).toBe(formatAddress(bytes, 0, version));
    expect(put(text).length).toBeLessThanOrEqual(ADDRESS_BYTES_MAX);
  });

  test('any address', () => {
    const group = fc.oneof(fc.constant(0), fc.constant(0xffff), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const bytes = Uint8Array.from(groups.flatMap((value) => [value >>> 8, value & 255]));
        for (const version of [4, 6]) {
          const text = written((out, at) => putAddress(out, at, bytes, version));
          expect(text).toBe(formatAddress(bytes, 0, version));
        }
      }),
    );
  });
});

describe('a text', () => {
  const put = (text: string, most = 300): string => written((out, at) => putText(out, at, text, most));

  test.each([
    ['', '""'],
    ['www.example.com', '"www.example.com"'],
    ['a"b\\c/d', '"a\\"b\\\\c/d"'],
    ['\n\u0000\u001f', '"\\u000a\\u0000\\u001f"'],
    ['\u007f', '"\\u007f"'],
    ['é߿ࠀ￿', '"é߿ࠀ￿"'],
    ['😀', '"😀"'],
    ['\ud83d', '"\\ud83d"'],
    ['\ude00x', '"\\ude00x"'],
    ['\ud83d\ud83d\ude00', '"\\ud83d😀"'],
  ])('%j', (text, json) => {
    expect(put(text)).toBe(json);
  });

  test('is cut, also between the halves of a pair', () => {
    expect(put('abcdef', 3)).toBe('"abc"');
    expect(put('ab😀', 3)).toBe('"ab\\ud83d"');
  });

  test('any text is read back, and takes no more room than is said', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        const json = put(text);
        expect(JSON.parse(json)).toBe(text);
        expect(Buffer.byteLength(json)).toBeLessThanOrEqual(2 + CHAR_BYTES_MAX * text.length);
      }),
    );
  });
});
