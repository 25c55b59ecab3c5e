import { expect, test } from 'vitest';
import { AnalysisTally, ANALYSIS_TALLY_LENGTH } from '../../../src/receive/analysis-tally.ts';
import { DuplicateTable, NO_ENTRY } from '../../../src/receive/duplicate-table.ts';
import { PacketIdentity } from '../../../src/receive/packet-identity.ts';

const WINDOW_US = 1000;

function table() {
  const tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  const made = new DuplicateTable(4096, WINDOW_US, tally);
  made.setTime(1, 0);
  return { table: made, forgotten: () => tally[AnalysisTally.duplicatesForgotten] };
}

function packet(fields: Partial<PacketIdentity>): PacketIdentity {
  return Object.assign(new PacketIdentity(), {
    headA: 1,
    headB: 2,
    allA: 3,
    allB: 4,
    extent: 100,
    ...fields,
  });
}

test.each([
  ['the same', {}, true],
  ['another head', { headA: 65 }, false],
  ['the same first half of a head, another second one', { headB: 9 }, false],
  ['the same, cut', { allA: 9, allB: 9, extent: 50 }, true],
  ['another second half of a head, cut', { headB: 9, allA: 9, allB: 9, extent: 50 }, false],
  ['another first half', { allA: 9 }, false],
  ['another second half', { allB: 9 }, false],
])('%s', (_name, fields, isFound) => {
  const { table: known } = table();
  expect(known.find(packet({}))).toBe(NO_ENTRY);
  known.begin(packet({}), 1);
  expect(known.find(packet(fields)) !== NO_ENTRY).toBe(isFound);
});

test('each packet is either remembered or forgotten, once', () => {
  for (const packets of [10, 64, 65, 100, 300]) {
    // all of one set of the index, of two, of all
    for (const sets of [1, 2, 16]) {
      const { table: known, forgotten } = table();
      const identities = Array.from({ length: packets }, (_, i) => packet({ headA: i % sets, headB: i }));
      for (const identity of identities) if (known.find(identity) === NO_ENTRY) known.begin(identity, 1);
      const found = identities.filter((identity) => known.find(identity) !== NO_ENTRY).length;
      expect(found).toBe(packets - forgotten()!);
      expect(found).toBe(Math.min(packets, sets * 8, 64));
      known.setTime(2, 0);
      for (const identity of identities) {
        expect(known.find(identity)).toBe(NO_ENTRY);
        known.begin(identity, 1);
      }
    }
  }
});
