import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FLOW_KEY_MAX_BYTES, writeAddressKey, writeFlowKey } from '../../../src/format/flow-key.ts';
import type { FlowRecord } from '../../../src/packet/flow-record.ts';
import { makeLane } from '../../../src/packet/lane.ts';
import { formatAddress } from '../../../src/wire/address.ts';
import { anyRecord, flowRecord, largestRecord } from '../../support/flow-records.ts';

const GAP = 5;

function keyOf(record: FlowRecord): string {
  const target = Buffer.alloc(GAP + FLOW_KEY_MAX_BYTES, 0xa5);
  const end = writeFlowKey(record, target, GAP);
  expect(target.subarray(0, GAP).every((byte) => byte === 0xa5)).toBe(true);
  expect(target.subarray(end).every((byte) => byte === 0xa5)).toBe(true);
  return target.toString('latin1', GAP, end);
}

const lane = makeLane(1, 42, false, 0, 0, 1);
const rows = [
  { from: '10.0.0.1', to: '10.0.0.2', key: 'vni-42/10.0.0.1/10.0.0.2' },
  { from: '10.0.0.2', to: '10.0.0.1', key: 'vni-42/10.0.0.1/10.0.0.2' },
  // by number, not by text
  { from: '9.0.0.1', to: '10.0.0.1', key: 'vni-42/9.0.0.1/10.0.0.1' },
  { from: '200.0.0.1', to: '10.0.0.1', key: 'vni-42/10.0.0.1/200.0.0.1' },
  { from: '10.0.0.1', to: '10.0.0.1', key: 'vni-42/10.0.0.1/10.0.0.1' },
  { from: '2001:db8::2', to: '2001:DB8:0:0::1', key: 'vni-42/2001:db8::1/2001:db8::2' },
  { from: '2001:db8::1', to: '::ffff:10.0.0.1', key: 'vni-42/::ffff:10.0.0.1/2001:db8::1' },
];

test.each(rows)('$from to $to: $key', ({ from, to, key }) => {
  expect(keyOf(flowRecord({ lane, source: { address: from }, destination: { address: to } }))).toBe(key);
});

test('the longest key fits, and nothing is kept free for a longer one', () => {
  const longest = makeLane(2, 0xff_ffff, true, 0xffff_ffff, 0xffff_ffff, 101);
  const side = { address: '1111:2222:3333:4444:5555:6666:7777:8888' };
  expect(keyOf(flowRecord({ lane: longest, source: side, destination: side })).length).toBe(
    FLOW_KEY_MAX_BYTES,
  );
});

test('a name that no lane has is cut: the key still fits', () => {
  expect(keyOf(largestRecord()).length).toBeLessThanOrEqual(FLOW_KEY_MAX_BYTES);
});

test('any record has the key that its texts say, whichever side opened the flow', () => {
  fc.assert(
    fc.property(anyRecord, (record) => {
      const { ipVersion, source, destination } = record;
      const texts = [source, destination]
        .map(({ address }) => Buffer.from(address.subarray(0, ipVersion === 4 ? 4 : 16)))
        .toSorted((one, other) => one.compare(other))
        .map((address) => formatAddress(address, 0, ipVersion));
      expect(keyOf(record)).toBe([record.lane.name, ...texts].join('/'));

      const turned = Buffer.alloc(FLOW_KEY_MAX_BYTES);
      const { name } = record.lane;
      const end = writeAddressKey(name, ipVersion, destination.address, source.address, turned, 0);
      expect(turned.toString('latin1', 0, end)).toBe(keyOf(record));
    }),
  );
});
