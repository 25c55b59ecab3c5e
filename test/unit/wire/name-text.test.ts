import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { NAME_TEXT_MAX, NameText } from '../../../src/wire/name-text.ts';

test('bytes that are not printable, and the backslash, are escaped as RFC 4343 section 2.1 has it', () => {
  const text = new NameText();
  text.putBytes(Uint8Array.of(0x21, 0x7e, 0x5c, 0x20, 0x00, 0x7f, 0xff, 0x0a), 0, 8);
  expect(text.toString()).toBe('!~\\\\\\032\\000\\127\\255\\010');
});

test('what is put can be told back, byte for byte', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const text = new NameText();
      text.putBytes(bytes, 0, bytes.length);
      expect(text.overflowed).toBe(false);
      expect(text.toString()).toMatch(/^[!-~]*$/);
      const told = text
        .toString()
        .replaceAll(/\\(\d{3}|\\)/g, (_, code: string) =>
          code === '\\' ? code : String.fromCharCode(Number(code)),
        );
      expect(Buffer.from(told, 'latin1')).toEqual(Buffer.from(bytes));
    }),
  );
});

test('text that does not fit is no name', () => {
  const text = new NameText();
  text.putAscii('a'.repeat(NAME_TEXT_MAX));
  expect(text.overflowed).toBe(false);
  text.putDecimal(7);
  expect(text.overflowed).toBe(true);
  expect(text.length).toBe(NAME_TEXT_MAX);
  text.clear();
  expect(text.overflowed).toBe(false);
  text.putBytes(new Uint8Array(1 << 20), 0, 1 << 20);
  expect(text.overflowed).toBe(true);
});

test('numbers in decimal and hexadecimal', () => {
  for (const value of [0, 9, 10, 99, 100, 101, 255, 999]) {
    const text = new NameText();
    text.putDecimal(value);
    expect(text.toString()).toBe(String(value));
  }
  const digits = new NameText();
  for (let i = 0; i < 16; i++) digits.putHexDigit(0xf0 + i);
  expect(digits.toString()).toBe('0123456789abcdef');
});
