import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import * as vlan from '../../../src/wire/vlan.ts';
import { emission } from '../../support/emission.ts';
import { hex } from '../../support/hex.ts';
import { vlanVectors } from '../../vectors/vlan.ts';

test.each(vlanVectors)('$name', (row) => {
  const bytes = hex(row.bytes);
  expect(vlan.complete(0, bytes.length)).toBe(true);
  expect(vlan.id(bytes, 0)).toBe(row.id);
  expect(vlan.priority(bytes, 0)).toBe(row.priority);
  expect(vlan.dropEligible(bytes, 0)).toBe(row.dropEligible);
  expect(vlan.etherType(bytes, 0)).toBe(row.etherType);
});

test('a tag needs four bytes', () => {
  expect(vlan.complete(10, 13)).toBe(false);
  expect(vlan.complete(10, 14)).toBe(true);
});

test.each([
  { etherType: 0x8100, tag: true },
  { etherType: 0x88a8, tag: true },
  { etherType: 0x9100, tag: true },
  { etherType: 0x0800, tag: false },
  { etherType: 0x9200, tag: false },
])('EtherType $etherType announces a tag: $tag', ({ etherType, tag }) => {
  expect(vlan.isTag(etherType)).toBe(tag);
});

test('emit writes what is read, at any offset, and touches nothing else', () => {
  fc.assert(
    fc.property(
      fc.nat(vlan.ID_MAX),
      fc.nat(vlan.PRIORITY_MAX),
      fc.nat(0xffff),
      fc.nat(64),
      (id, priority, etherType, at) => {
        const written = emission(vlan.TAG_LEN, at, (bytes, offset) =>
          vlan.emit(bytes, offset, id, priority, etherType),
        );
        expect(vlan.id(written, 0)).toBe(id);
        expect(vlan.priority(written, 0)).toBe(priority);
        expect(vlan.dropEligible(written, 0)).toBe(false);
        expect(vlan.etherType(written, 0)).toBe(etherType);
      },
    ),
  );
});
