import { expect, test } from 'vitest';
import { FlowClock } from '../../../../src/receive/flows/flow-clock.ts';

/** Where the clock stands after packets of these times. */
function after(times: readonly number[]): Pick<FlowClock, 'now' | 'offset' | 'packetTime'> {
  const clock = new FlowClock();
  for (const time of times) clock.tick(time);
  const { now, offset, packetTime } = clock;
  return { now, offset, packetTime };
}
const many = (time: number, count: number): number[] => Array.from({ length: count }, () => time);

test.each([
  { name: 'goes on', times: [1000, 1001, 1005], now: 1005, offset: 0, packetTime: 1005 },
  {
    name: 'stands still for packets out of order',
    times: [1000, 941, 940],
    now: 1000,
    offset: 0,
    packetTime: 1000,
  },
  {
    name: 'has one that is far behind judged by its own time',
    times: [1000, 939],
    now: 1000,
    offset: 0,
    packetTime: 939,
  },
  { name: 'waits', times: [1000, ...many(5, 1023)], now: 1000, offset: 0, packetTime: 5 },
  {
    name: 'follows where time went back',
    times: [1000, ...many(5, 1024), 7],
    now: 1002,
    offset: 995,
    packetTime: 7,
  },
  {
    name: 'wants them in a row',
    times: [1000, ...many(5, 1023), 1000, ...many(5, 1000)],
    now: 1000,
    offset: 0,
    packetTime: 5,
  },
  {
    name: 'goes along to the future',
    times: [1000, 4_000_000_000, 1001],
    now: 4e9,
    offset: 0,
    packetTime: 1001,
  },
])('$name', ({ times, name: _name, ...expected }) => {
  expect(after(times)).toEqual(expected);
});

test('goes on without packets too, and never back', () => {
  const clock = new FlowClock();
  clock.tick(100);
  clock.reach(90);
  expect(clock.now).toBe(100);
  clock.reach(110);
  expect(clock.now).toBe(110);
});
