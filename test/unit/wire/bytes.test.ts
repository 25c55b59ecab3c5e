import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { putU16, putU24, putU32, u16, u24, u32 } from '../../../src/wire/bytes.ts';
import { emission } from '../../support/emission.ts';

const widths = [
  { name: '16', read: u16, put: putU16, len: 2, max: 0xffff },
  { name: '24', read: u24, put: putU24, len: 3, max: 0xff_ffff },
  { name: '32', read: u32, put: putU32, len: 4, max: 0xffff_ffff },
];

test.each(widths)('$name bits go out in network order and come back unsigned', ({ read, put, len, max }) => {
  fc.assert(
    fc.property(fc.oneof(fc.nat(max), fc.constantFrom(0, max)), fc.nat(16), (value, at) => {
      const written = emission(len, at, (bytes, offset) => {
        put(bytes, offset, value);
        return offset + len;
      });
      expect(read(written, 0)).toBe(value);
      expect(Buffer.from(written).readUIntBE(0, len)).toBe(value);
    }),
  );
});
