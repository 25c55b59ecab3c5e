import { expect, test } from 'vitest';
import * as dns from '../../../src/wire/dns.ts';
import { NameText } from '../../../src/wire/name-text.ts';
import { guardedBytes } from '../../support/guarded-bytes.ts';
import { hex } from '../../support/hex.ts';
import { dnsHostile, dnsLongNames, dnsVectors } from '../../vectors/dns.ts';

/** The name at `at` of a message at the start of `bytes`, and the offset after it. */
function nameAt(bytes: Uint8Array, at: number, end = bytes.length) {
  const text = new NameText();
  const after = dns.putName(bytes, 0, at, end, text);
  return { text: text.toString(), after };
}

test.each(dnsVectors)('$name: header and first name', ({ bytes, questions }) => {
  const message = hex(bytes);
  expect(dns.complete(0, message.length)).toBe(true);
  expect(dns.complete(0, dns.HEADER_LEN - 1)).toBe(false);
  expect(dns.plausible(message, 0)).toBe(true);
  expect(dns.questionCount(message, 0)).toBe(questions.length);
  if (questions.length > 0) expect(nameAt(message, dns.HEADER_LEN).text).toBe(questions[0]);
});

test('names, pointers and the offset after them', () => {
  const message = hex(dnsVectors[1]!.bytes);
  expect(dns.isResponse(message, 0)).toBe(true);
  expect(dns.answerCount(message, 0)).toBe(3);
  expect(nameAt(message, 12)).toEqual({ text: 'www.example.com', after: 29 });
  expect(nameAt(message, 33)).toEqual({ text: 'www.example.com', after: 35 });
  expect(dns.recordComplete(message, 35, message.length)).toBe(true);
  expect(dns.recordType(message, 35)).toBe(dns.RecordType.cname);
  expect(dns.recordClass(message, 35)).toBe(dns.CLASS_IN);
  expect(dns.dataLength(message, 35)).toBe(6);
  expect(nameAt(message, 45)).toEqual({ text: 'api.example.com', after: 51 });
});

test('a record whose data is not all there is not complete', () => {
  const message = hex(dnsVectors[1]!.bytes);
  expect(dns.recordComplete(message, 35, 51)).toBe(true);
  expect(dns.recordComplete(message, 35, 50)).toBe(false);
  expect(dns.recordComplete(message, 35, 44)).toBe(false);
});

test('a name is cut wherever the bytes end before it does', () => {
  const message = hex(dnsVectors[0]!.bytes);
  for (let end = 12; end < 29; end++) expect(nameAt(message, 12, end).after).toBe(dns.NAME_CUT);
  expect(nameAt(message, 12, 29).after).toBe(29);
  const pointer = hex(dnsVectors[1]!.bytes);
  expect(nameAt(pointer, 33, 34).after).toBe(dns.NAME_CUT);
});

test.each(dnsHostile.slice(0, 6))('no name: $name', ({ bytes }) => {
  expect(nameAt(hex(bytes), 12).after).toBe(dns.NAME_BAD);
});

test('a pointer to two that point to each other', () => {
  const message = hex('0001 0100 0001 0000 0000 0000 c00e c00c c00c 0001 0001');
  const bytes = guardedBytes(message, 0, message.length);
  expect(dns.putName(bytes, 0, 16, message.length, new NameText())).toBe(dns.NAME_BAD);
});

test.each(dnsHostile.slice(6, 10))('no header: $name', ({ bytes }) => {
  expect(dns.plausible(hex(bytes), 0)).toBe(false);
});

test.each(dnsLongNames)('a name of $name', ({ labels, valid }) => {
  const name = Buffer.concat(
    labels.map((label) => Buffer.concat([Buffer.from([label]), Buffer.alloc(label, 'a')])),
  );
  const message = Buffer.concat([Buffer.alloc(12), name, Buffer.alloc(1)]);
  expect(nameAt(message, 12).after).toBe(valid ? message.length : dns.NAME_BAD);
});

test('a chain of pointers ends, and so does a name that grows with each of them', () => {
  const links = 200;
  const message = Buffer.alloc(12 + 4 * links + 2);
  // the first name is empty; each other is a label and a pointer to the one before
  for (let i = 1; i <= links; i++) {
    message.set([1, 0x61], 12 + 4 * i - 2);
    message.writeUInt16BE(0xc000 | (i === 1 ? 12 : 12 + 4 * (i - 1) - 2), 12 + 4 * i);
  }
  expect(nameAt(message, 12 + 4 * 100 - 2).text).toBe(Array.from({ length: 100 }, () => 'a').join('.'));
  expect(nameAt(message, 12 + 4 * links - 2).after).toBe(dns.NAME_BAD);
});

test('pointers that lead to pointers: as many as a name may have labels, and no more', () => {
  const message = Buffer.alloc(12 + 1 + 2 * 200);
  // the first name is empty; each pointer leads to the one before
  for (let i = 1; i <= 200; i++) message.writeUInt16BE(0xc000 | (i === 1 ? 12 : 9 + 2 * i), 11 + 2 * i);
  expect(nameAt(message, 11 + 2 * 127)).toEqual({ text: '.', after: 13 + 2 * 127 });
  expect(nameAt(message, 11 + 2 * 128).after).toBe(dns.NAME_BAD);
});
