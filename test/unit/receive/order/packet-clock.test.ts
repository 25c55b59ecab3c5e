import { expect, test } from 'vitest';
import { PacketClock } from '../../../../src/receive/order/packet-clock.ts';

/** How much time has passed after each of these times, µs, the first left out. */
function passed(...timesUs: readonly number[]): number[] {
  const clock = new PacketClock();
  const now = timesUs.map((timeUs) => {
    clock.advance(1_000_000 + Math.floor(timeUs / 1e6), (((timeUs % 1e6) + 1e6) % 1e6) * 1000);
    return clock.nowUs;
  });
  return now.slice(1).map((nowUs) => Math.round(nowUs - now[0]!));
}

test.each<readonly [string, readonly number[], readonly number[]]>([
  ['time goes on', [0, 10, 1_500_000], [10, 1_500_000]],
  ['a step back stands still until it is made up for', [0, 1000, 400, 900, 1100], [1000, 1000, 1000, 1100]],
  ['a clock that was put back goes on from there', [0, 10, -5_000_000, -4_999_000], [10, 10, 1010]],
  ['a jump ahead has passed, and is not passed again', [0, 9e9, 0, 10], [9e9, 9e9, 9e9 + 10]],
])('%s', (_, timesUs, expected) => {
  expect(passed(...timesUs)).toEqual(expected);
});
