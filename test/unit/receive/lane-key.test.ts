import { assert, bigInt, boolean, constantFrom, integer, property } from 'fast-check';
import { expect, test } from 'vitest';
import { Encapsulation } from '../../../src/packet/lane.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { hashKey, isRaw, KEY_USED, laneOfKey, makeKey } from '../../../src/receive/lane-key.ts';

const { ethernet, raw } = LinkType;
const { none, vxlan, geneve, geneveVxlan } = Encapsulation;

test.each([
  ['vni-42', vxlan, 42, 0, 0, 0, ethernet],
  ['vni-0', vxlan, 0, 0, 0, 0, ethernet],
  ['vni-16777215', vxlan, 0xff_ffff, 0, 0, 0, ethernet],
  ['geneve-77', geneve, 77, 0, 0, 0, ethernet],
  ['geneve-77-ip', geneve, 77, 0, 0, 0, raw],
  ['geneve-77-0a1b2c3d4e5f6071-ip', geneve, 77, 1, 0x0a1b2c3d, 0x4e5f6071, raw],
  ['gwlb-42-ffffffff80000000', geneveVxlan, 42, 1, 0xffff_ffff, 0x8000_0000, ethernet],
  ['gwlb-42-0000000000000000', geneveVxlan, 42, 1, 0, 0, ethernet],
  ['gwlb-42', geneveVxlan, 42, 0, 0, 0, ethernet],
  ['overflow', none, 9, 0, 0, 0, ethernet],
] as const)('%s', (name, encapsulation, vni, hasEndpoint, high, low, linkType) => {
  const key = makeKey(encapsulation, vni, hasEndpoint, linkType);
  expect(key & KEY_USED).not.toBe(0);
  expect(isRaw(key)).toBe(linkType === raw);
  const gwlbEndpointId = /-([0-9a-f]{16})/.exec(name)?.[1];
  expect(laneOfKey(key, high, low)).toEqual({
    name,
    encapsulation,
    vni: encapsulation === none ? null : vni,
    gwlbEndpointId,
    linkType,
  });
  // a closed lane is still told
  expect(laneOfKey(key & ~KEY_USED, high, low).name).toBe(name);
});

test('different lanes have different names', () => {
  const part = property(
    constantFrom(vxlan, geneve, geneveVxlan),
    integer({ min: 0, max: 3 }),
    boolean(),
    bigInt({ min: 0n, max: 3n }),
    constantFrom(vxlan, geneve, geneveVxlan),
    integer({ min: 0, max: 3 }),
    boolean(),
    bigInt({ min: 0n, max: 3n }),
    (oneKind, oneVni, oneHas, oneId, otherKind, otherVni, otherHas, otherId) => {
      const one = laneOfKey(makeKey(oneKind, oneVni, Number(oneHas), ethernet), 0, Number(oneId));
      const other = laneOfKey(makeKey(otherKind, otherVni, Number(otherHas), ethernet), 0, Number(otherId));
      const same =
        oneKind === otherKind && oneVni === otherVni && oneHas === otherHas && (!oneHas || oneId === otherId);
      expect(one.name === other.name).toBe(same);
    },
  );
  assert(part, { numRuns: 1000 });
});

test('VNIs in a row spread over a table', () => {
  const buckets = new Set<number>();
  for (let vni = 0; vni < 4096; vni++) {
    const hashed = hashKey(makeKey(vxlan, vni, 0, ethernet), 0, 0);
    expect(hashed).toBeGreaterThanOrEqual(0);
    buckets.add(hashed & 8191);
  }
  // 4,096 balls in 8,192 bins fill 3,223 of them if thrown at random
  expect(buckets.size).toBeGreaterThan(3000);
});
