import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import * as aws from '../../../src/wire/aws-option.ts';
import { u32 } from '../../../src/wire/bytes.ts';
import { Fault } from '../../../src/wire/fault.ts';
import * as geneve from '../../../src/wire/geneve.ts';
import { emission } from '../../support/emission.ts';
import { hex, toHex } from '../../support/hex.ts';

test('the options look as AWS documents them', () => {
  const written = emission(aws.OPTIONS_LEN, 5, (bytes, at) =>
    aws.emit(bytes, at, 0x0123_4567, 0x89ab_cdef, 0, 1, 0xcafe_babe),
  );
  const documented = hex('01080102 0123456789abcdef 01080202 0000000000000001 01080301 cafebabe');
  expect(toHex(written)).toBe(toHex(documented));
});

test('three types of one class are known, and nothing else', () => {
  const known = [0, 1, 2, 3, 4, 0x81].filter((type) => aws.isKnown(0x0108, type));
  expect(known).toEqual([1, 2, 3]);
  expect(aws.isKnown(0x0109, 1)).toBe(false);
});

test('emit behind a GENEVE header is found again, option by option', () => {
  const u32s = fc.nat(0xffff_ffff);
  fc.assert(
    fc.property(fc.tuple(u32s, u32s, u32s, u32s, u32s), fc.nat(64), (values, at) => {
      const header = emission(geneve.FIXED_LEN + aws.OPTIONS_LEN, at, (bytes, offset) =>
        aws.emit(bytes, geneve.emit(bytes, offset, 0x0800, 0, aws.OPTIONS_LEN), ...values),
      );
      expect(geneve.check(header, 0, header.length)).toBe(Fault.none);
      const endpoint = geneve.findOption(header, 0, aws.CLASS, aws.ENDPOINT);
      const attachment = geneve.findOption(header, 0, aws.CLASS, aws.ATTACHMENT);
      const cookie = geneve.findOption(header, 0, aws.CLASS, aws.FLOW_COOKIE);
      expect(geneve.optionDataLen(header, endpoint)).toBe(aws.ENDPOINT_ID_LEN);
      expect(geneve.optionDataLen(header, attachment)).toBe(aws.ATTACHMENT_ID_LEN);
      expect(geneve.optionDataLen(header, cookie)).toBe(aws.FLOW_COOKIE_LEN);
      const found = [endpoint, endpoint + 4, attachment, attachment + 4, cookie];
      expect(found.map((offset) => u32(header, offset))).toEqual(values);
    }),
  );
});
