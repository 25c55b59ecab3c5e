import { expect, test } from 'vitest';
import { Encapsulation } from '../../../../src/packet/lane.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { LaneCache } from '../../../../src/receive/flows/lane-cache.ts';
import { makeKey } from '../../../../src/receive/lane-key.ts';

test('the same lane for the same key, whatever was asked for in between', () => {
  const lanes = new LaneCache();
  const names = (): string[] => {
    return Array.from({ length: 2000 }, (_, vni) => {
      return lanes.lane(makeKey(Encapsulation.vxlan, vni, vni % 2, LinkType.ethernet), vni, 7).name;
    });
  };
  const first = names();
  expect(first.slice(0, 2)).toEqual(['vni-0', 'vni-1-0000000100000007']);
  expect(new Set(first).size).toBe(2000);
  expect(names()).toEqual(first);
  const key = makeKey(Encapsulation.geneve, 5, 1, LinkType.raw);
  expect(lanes.lane(key, 1, 2)).toBe(lanes.lane(key, 1, 2));
  expect(lanes.lane(key, 1, 3)).not.toBe(lanes.lane(key, 1, 2));
});
