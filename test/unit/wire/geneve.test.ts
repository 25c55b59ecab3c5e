import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fault } from '../../../src/wire/fault.ts';
import * as geneve from '../../../src/wire/geneve.ts';
import { emission } from '../../support/emission.ts';
import { hex } from '../../support/hex.ts';
import { geneveFaults, geneveVectors } from '../../vectors/geneve.ts';

test.each(geneveVectors)('$name', (row) => {
  const bytes = hex(row.bytes);
  expect(geneve.check(bytes, 0, bytes.length)).toBe(Fault.none);
  expect(geneve.headerLen(bytes, 0)).toBe(row.headerLen);
  expect(geneve.protocolType(bytes, 0)).toBe(row.protocolType);
  expect(geneve.vni(bytes, 0)).toBe(row.vni);
  expect(geneve.isControl(bytes, 0)).toBe(false);
  expect(geneve.reservedBits(bytes, 0)).toBe(row.reserved);
});

test.each(geneveFaults)('refused: $name', (row) => {
  const bytes = hex(row.bytes);
  expect(geneve.check(bytes, 0, bytes.length)).toBe(row.fault);
});

test.each(geneveVectors)('$name, cut anywhere, is truncated', (row) => {
  const bytes = hex(row.bytes);
  for (let end = 0; end < bytes.length; end++) {
    expect(geneve.check(bytes, 0, end)).toBe(Fault.geneveTruncated);
  }
});

test('an option is found by class and type, its length beside it', () => {
  const header = hex('06 00 6558 000001 00 01320101 11223344 01000102 5566778899aabbcc 01008001');
  const bytes = hex('ffff 06 00 6558 000001 00 01320101 11223344 01000102 5566778899aabbcc 01000700');
  expect(geneve.check(header, 0, header.length)).toBe(Fault.geneveOption);
  expect(geneve.check(bytes, 2, bytes.length)).toBe(Fault.none);
  expect(geneve.findOption(bytes, 2, 0x0132, 1)).toBe(2 + 8 + 4);
  expect(geneve.optionDataLen(bytes, 14)).toBe(4);
  expect(geneve.findOption(bytes, 2, 0x0100, 1)).toBe(2 + 8 + 8 + 4);
  expect(geneve.optionDataLen(bytes, 22)).toBe(8);
  expect(geneve.findOption(bytes, 2, 0x0100, 7)).toBe(bytes.length);
  expect(geneve.optionDataLen(bytes, bytes.length)).toBe(0);
  expect(geneve.findOption(bytes, 2, 0x0132, 7)).toBe(-1);
  expect(geneve.findOption(bytes, 2, 0x0101, 1)).toBe(-1);
});

test('an AWS option is found whether it is critical or not', () => {
  const bytes = hex('03 40 0800 000000 00 01088102 0123456789abcdef');
  expect(geneve.findOption(bytes, 0, 0x0108, 1)).toBe(12);
  expect(geneve.findOption(bytes, 0, 0x0108, 2)).toBe(-1);
});

test('numbers of the standard', () => {
  expect(geneve.VNI_MAX).toBe(2 ** 24 - 1);
  expect(geneve.OPTIONS_LEN_MAX).toBe(63 * 4);
  expect(geneve.DEFAULT_PORT).toBe(6081);
});

test('emit writes what is read, at any offset, and touches nothing else', () => {
  const words = fc.nat(geneve.OPTIONS_LEN_MAX / 4);
  const fields = fc.tuple(fc.nat(0xffff), fc.nat(geneve.VNI_MAX), words);
  fc.assert(
    fc.property(fields, fc.nat(64), ([protocolType, vni, optionWords], at) => {
      const written = emission(geneve.FIXED_LEN, at, (bytes, offset) =>
        geneve.emit(bytes, offset, protocolType, vni, optionWords * 4),
      );
      expect(geneve.headerLen(written, 0)).toBe(geneve.FIXED_LEN + optionWords * 4);
      expect(geneve.protocolType(written, 0)).toBe(protocolType);
      expect(geneve.vni(written, 0)).toBe(vni);
      expect(geneve.isControl(written, 0)).toBe(false);
      const plain = emission(geneve.FIXED_LEN, at, (bytes, offset) =>
        geneve.emit(bytes, offset, protocolType, vni, 0),
      );
      expect(geneve.check(plain, 0, plain.length)).toBe(Fault.none);
      expect(geneve.reservedBits(plain, 0)).toBe(false);
    }),
  );
});
