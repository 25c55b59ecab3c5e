import { expect, test } from 'vitest';
import { AddressTexts, NumberTexts, ownText } from '../../../../../src/sinks/kafka/records/texts.ts';
import { formatAddress } from '../../../../../src/wire/address.ts';
import { blockOf } from '../../../../../src/wire/block.ts';

const COUNT = 12_000;

const rows = [
  { version: 4, word: 0 },
  { version: 6, word: 0 },
  { version: 6, word: 4 },
  { version: 6, word: 8 },
  { version: 6, word: 12 },
];

test.each(rows)(
  'more addresses of IPv$version than are remembered, told apart by byte $word on',
  ({ version, word }) => {
    const texts = new AddressTexts();
    const { bytes, view } = blockOf(
      Buffer.from('2001 0db8 0001 0002 0003 0004 0005 0006'.replaceAll(' ', ''), 'hex'),
    );
    const wrong: string[] = [];
    for (let i = 0; i < 2 * COUNT; i++) {
      view.setUint32(word, (i % COUNT) * 3);
      const text = texts.of(bytes, view, 0, version).toString();
      if (text !== formatAddress(bytes, 0, version)) wrong.push(text);
    }
    expect(wrong).toEqual([]);
  },
);

test('an IPv4 address is not the IPv6 address that begins with it', () => {
  const texts = new AddressTexts();
  const { bytes, view } = blockOf(Buffer.from('0a000001000000000000000000000000', 'hex'));
  const found = [6, 4, 6, 4].map((version) => texts.of(bytes, view, 0, version).toString());
  expect(found).toEqual(['a00:1::', '10.0.0.1', 'a00:1::', '10.0.0.1']);
});

test('numbers are made once, and again when another one took their place', () => {
  const texts = new NumberTexts();
  const first = texts.of(7);
  expect(texts.of(7)).toBe(first);
  expect([0, 4096, 0, 0xffff_ffff, 2 ** 40].map((value) => texts.of(value).toString())).toEqual([
    '0',
    '4096',
    '0',
    '4294967295',
    '1099511627776',
  ]);
});

test('what is kept holds no memory but its own', () => {
  const text = ownText('größer');
  expect(text.toString()).toBe('größer');
  expect(text.buffer.byteLength).toBe(text.length);
});
