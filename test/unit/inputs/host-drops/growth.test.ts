import { expect, test } from 'vitest';
import { Growth } from '../../../../src/inputs/host-drops/growth.ts';

/** Values by owner of the counters of one place, look by look. */
const rows: { name: string; looks: Record<string, number>[]; sum: number }[] = [
  { name: 'what was there before is not counted', looks: [{ a: 1000 }], sum: 0 },
  { name: 'what comes later is', looks: [{ a: 1000 }, { a: 1007 }, { a: 1010 }], sum: 10 },
  {
    name: 'owners are added up',
    looks: [
      { a: 5, b: 50 },
      { a: 6, b: 53 },
    ],
    sum: 4,
  },
  {
    name: 'one that is gone leaves what it had',
    looks: [{ a: 5, b: 50 }, { a: 6, b: 53 }, { a: 7 }],
    sum: 5,
  },
  { name: 'one that comes back begins anew', looks: [{ a: 5 }, {}, { a: 9 }, { a: 10 }], sum: 1 },
  {
    name: 'one that comes late counts from then',
    looks: [{ a: 5 }, { a: 5, b: 70 }, { a: 5, b: 72 }],
    sum: 2,
  },
  { name: 'one that was set back goes on', looks: [{ a: 5 }, { a: 9 }, { a: 2 }, { a: 3 }], sum: 5 },
];

test.each(rows)('$name', ({ looks, sum }) => {
  const growth = new Growth();
  for (const look of looks) {
    for (const [owner, value] of Object.entries(look)) growth.see('nic', owner, value);
    growth.endRound();
  }
  expect(growth.sums).toEqual(new Map([['nic', sum]]));
});

test('places are apart, and one without a counter is not there', () => {
  const growth = new Growth();
  growth.see('nic', 'a', 1);
  growth.endRound();
  growth.see('nic', 'a', 2);
  growth.see('softnet', 'a', 3);
  expect(growth.sums).toEqual(
    new Map([
      ['nic', 1],
      ['softnet', 0],
    ]),
  );
});
