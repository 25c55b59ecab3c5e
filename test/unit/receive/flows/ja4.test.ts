import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { nameHashes } from '../../../../src/app/name-hashes.ts';
import { Ja4 } from '../../../../src/receive/flows/ja4.ts';
import { NameText } from '../../../../src/wire/name-text.ts';
import { ClientHello, HelloState, readClientHello } from '../../../../src/wire/tls-client-hello.ts';
import {
  applicationProtocols,
  clientHello,
  type Extension,
  type HelloParts,
  signatureAlgorithms,
  supportedVersions,
} from '../../../support/client-hello.ts';
import { hex } from '../../../support/hex.ts';
import { ja4Protocols, ja4Vectors, ja4Versions } from '../../../vectors/ja4.ts';

const ja4 = new Ja4(nameHashes);
const found = new ClientHello();

function ja4Of(parts: HelloParts, transport: 't' | 'q' = 't'): string | undefined {
  const bytes = clientHello(parts);
  expect(readClientHello(bytes, 0, bytes.length, found)).toBe(HelloState.whole);
  const text = new NameText();
  return ja4.put(bytes, found, transport, text) ? text.toString() : undefined;
}

function numbers(list: string): number[] {
  return list === '' ? [] : list.split(',').map((digits) => Number.parseInt(digits, 16));
}

test.each(ja4Vectors)('$name', (row) => {
  const contents: Record<number, Extension> = {
    0x0010: applicationProtocols(...(row.protocol === '' ? [] : [hex(row.protocol)])),
    0x000d: signatureAlgorithms(...numbers(row.signatures)),
    0x002b: supportedVersions(...numbers(row.versions)),
  };
  const extensions = numbers(row.extensions).map(
    (type): Extension => contents[type] ?? [type, Buffer.alloc(0)],
  );
  const parts = { ciphers: numbers(row.ciphers), extensions };
  expect(ja4Of(parts, row.transport as 't' | 'q')).toBe(row.ja4);
});

test.each(ja4Protocols)('first protocol %s: %s', (protocol, expected) => {
  const fingerprint = ja4Of({ extensions: [applicationProtocols(hex(protocol), Buffer.from('zz'))] });
  expect(fingerprint?.slice(8, 10)).toBe(expected);
});

test.each(ja4Versions)('version %i: %s', (version, expected) => {
  expect(ja4Of({ version, extensions: [] })?.slice(1, 3)).toBe(expected);
});

test('counts stop at 99, and lists of more than 1,024 have no fingerprint', () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
  const extensions = many(120).map((type): Extension => [0x100 + type, Buffer.alloc(0)]);
  expect(ja4Of({ ciphers: many(100), extensions })?.slice(0, 8)).toBe('t12i9999');
  expect(ja4Of({ ciphers: many(1024), extensions: [] })).toBeDefined();
  expect(ja4Of({ ciphers: many(1025), extensions: [] })).toBeUndefined();
  expect(ja4Of({ extensions: [signatureAlgorithms(...many(1025))] })).toBeUndefined();
  const tooMany = many(1025).map((type): Extension => [0x2000 + type, Buffer.alloc(0)]);
  expect(ja4Of({ extensions: tooMany })).toBeUndefined();
});

/** The same by strings, as the document describes it. */
function describedJa4(ciphers: number[], types: number[], signatures: number[]): string {
  const isGrease = (digits: string) => /^(.a)\1$/.test(digits);
  const digits = (list: number[]) =>
    list.map((value) => value.toString(16).padStart(4, '0')).filter((text) => !isGrease(text));
  const digest = (text: string) =>
    text === '' ? '0'.repeat(12) : createHash('sha256').update(text).digest('hex').slice(0, 12);
  const count = (list: string[]) => String(Math.min(99, list.length)).padStart(2, '0');
  const hashedTypes = digits(types)
    .filter((text) => text !== '0000' && text !== '0010')
    .toSorted()
    .join(',');
  const tail = hashedTypes !== '' && signatures.length > 0 ? `_${digits(signatures).join(',')}` : '';
  const a = `t12${types.includes(0) ? 'd' : 'i'}${count(digits(ciphers))}${count(digits(types))}00`;
  return `${a}_${digest(digits(ciphers).toSorted().join(','))}_${digest(hashedTypes + tail)}`;
}

test('whatever is offered: the fingerprint is what the description makes of it', () => {
  const value = fc.oneof(fc.constantFrom(0, 0x0a0a, 0xfafa, 0x0a1a, 0x00ff, 0x5600), fc.nat(0xffff));
  const type = value.filter((number) => ![0x000d, 0x0010, 0x002b].includes(number));
  const signature = value.filter((number) => !/^(.a)\1$/.test(number.toString(16).padStart(4, '0')));
  fc.assert(
    fc.property(
      fc.array(value, { maxLength: 130 }),
      fc.array(type, { maxLength: 30 }),
      fc.array(signature, { maxLength: 20 }),
      (ciphers, types, signatures) => {
        const extensions = types.map((one): Extension => [one, Buffer.alloc(0)]);
        const all = signatures.length > 0 ? [...extensions, signatureAlgorithms(...signatures)] : extensions;
        const allTypes = signatures.length > 0 ? [...types, 0x000d] : types;
        expect(ja4Of({ ciphers, extensions: all })).toBe(describedJa4(ciphers, allTypes, signatures));
      },
    ),
  );
});
