import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fault } from '../../../src/wire/fault.ts';
import * as vxlan from '../../../src/wire/vxlan.ts';
import { emission } from '../../support/emission.ts';
import { hex } from '../../support/hex.ts';
import { vxlanVectors } from '../../vectors/vxlan.ts';

test.each(vxlanVectors)('$name', (row) => {
  const bytes = hex(row.bytes);
  expect(vxlan.check(bytes, 0, bytes.length)).toBe(row.fault);
  if (row.fault !== Fault.none) return;
  expect(vxlan.vni(bytes, 0)).toBe(row.vni);
  expect(vxlan.reservedBits(bytes, 0)).toBe(row.reserved);
});

test('numbers of the standard', () => {
  expect(vxlan.VNI_MAX).toBe(2 ** 24 - 1);
  expect(vxlan.DEFAULT_PORT).toBe(4789);
});

test('emit writes what is read, at any offset, and touches nothing else', () => {
  fc.assert(
    fc.property(fc.nat(vxlan.VNI_MAX), fc.nat(64), (vni, at) => {
      const written = emission(vxlan.HEADER_LEN, at, (bytes, offset) => vxlan.emit(bytes, offset, vni));
      expect(vxlan.check(written, 0, written.length)).toBe(Fault.none);
      expect(vxlan.vni(written, 0)).toBe(vni);
      expect(vxlan.reservedBits(written, 0)).toBe(false);
    }),
  );
});
