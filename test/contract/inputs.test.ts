import { describe, expect, test } from 'vitest';
import { MirrorError } from '../../src/observe/error.ts';
import { Consumer, turns } from '../support/consumer.ts';
import { COUNT, inputFixtures, type InputSource, inWorld } from '../support/input-sources.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

/** After some turns, in which what was closed goes away, nothing of the input is open any more. */
async function expectNothingOpen(source: InputSource): Promise<void> {
  await turns(5);
  expect(source.open()).toBe(0);
}

describe.each(inputFixtures)('input: $name', ({ linkType, seconds, isLive, make }) => {
  const consumer = (seed: number): Consumer => new Consumer(seed, { linkType, seconds });

  test.each([1, 2, 3])('every packet comes once, in order and with all columns (seed %i)', (seed) =>
    inWorld(async (world) => {
      const source = make(world);
      const seen = consumer(seed);
      await source.input.open();
      expect(source.open()).toBe(1);
      const run = seen.run(source.input);
      for (let from = 0; from < COUNT; from += 50) {
        await source.supply(from, from + 50);
        await seen.until(from + 50);
      }
      await source.end();
      await run;
      expect(seen.numbers).toEqual(upTo(COUNT));
      expect(seen.batches).toBeGreaterThan(4);
      expect(seen.problems).toEqual([]);
      await expectNothingOpen(source);
    }),
  );

  test('batches on their way are left alone, and given back in any order', () =>
    inWorld(async (world) => {
      const source = make(world);
      const seen = consumer(4);
      const giveBack = seen.hold();
      await source.input.open();
      const run = seen.run(source.input);
      for (const from of [0, 20, 40, 60]) {
        await source.supply(from, from + 20);
        await seen.until(isLive ? from + 20 : 1);
      }
      await turns(20);
      if (isLive) expect(seen.out.size).toBeGreaterThanOrEqual(4);
      else expect(seen.out.size).toBe(1);
      giveBack();
      await turns(20);
      await source.supply(80, COUNT);
      await seen.until(COUNT);
      await source.end();
      await run;
      expect(seen.numbers).toEqual(upTo(COUNT));
      expect(seen.problems).toEqual([]);
    }));

  test('run settles only after the last batch was given back', () =>
    inWorld(async (world) => {
      const source = make(world);
      const seen = consumer(5);
      const giveBack = seen.hold(COUNT - 1);
      await source.input.open();
      const run = seen.run(source.input);
      await source.supply(0, COUNT);
      await seen.until(COUNT);
      const ended = source.end();
      await turns(50);
      expect([seen.ended, seen.out.size]).toEqual([false, 1]);
      giveBack();
      await Promise.all([run, ended]);
      expect(seen.problems).toEqual([]);
    }));

  test('nothing comes after run has settled', () =>
    inWorld(async (world) => {
      const source = make(world);
      const seen = consumer(6);
      await source.input.open();
      const run = seen.run(source.input);
      await source.supply(0, COUNT);
      await seen.until(COUNT);
      await source.end();
      await run;
      await source.supply(COUNT, COUNT + 20);
      await source.input.close();
      await turns(50);
      expect(seen.numbers).toEqual(upTo(COUNT));
      expect(seen.problems).toEqual([]);
    }));

  test('closed before it is opened, it leaves nothing open, and run has nothing to do', () =>
    inWorld(async (world) => {
      const source = make(world);
      const seen = consumer(7);
      await source.input.close();
      await source.input.open();
      await expectNothingOpen(source);
      await seen.run(source.input);
      expect([seen.numbers, seen.problems]).toEqual([[], []]);
      await source.input.close();
    }));

  test('closed before it is run, it leaves nothing open, and run has nothing to do', () =>
    inWorld(async (world) => {
      const source = make(world);
      const seen = consumer(8);
      await source.input.open();
      await source.input.close();
      await expectNothingOpen(source);
      await seen.run(source.input);
      expect([seen.numbers, seen.problems]).toEqual([[], []]);
    }));

  test.each([
    { when: 'while a batch is on its way', held: true },
    { when: 'while batches come and go', held: false },
  ])('closed twice at once $when: what was taken is delivered, then run settles', ({ held }) =>
    inWorld(async (world) => {
      const source = make(world);
      const seen = consumer(9);
      const giveBack = seen.hold();
      if (!held) giveBack();
      await source.input.open();
      const run = seen.run(source.input);
      await source.supply(0, 30);
      await seen.until(1);
      const closed = Promise.all([source.input.close(), source.input.close()]);
      await turns(20);
      if (held) expect(seen.ended).toBe(false);
      giveBack();
      await closed;
      await run;
      await source.input.close();
      expect(seen.numbers).toEqual(upTo(seen.numbers.length));
      if (isLive) expect(seen.numbers).toHaveLength(30);
      expect(seen.problems).toEqual([]);
      await expectNothingOpen(source);
    }),
  );
});

const unopenable = inputFixtures.flatMap(({ name, makeUnopenable: make }) =>
  make === undefined ? [] : { name, make },
);

test.each(unopenable)('input: $name: refused by the system, it says so and leaves nothing open', ({ make }) =>
  inWorld(async (world) => {
    const source = await make(world);
    await expect(source.input.open()).rejects.toBeInstanceOf(MirrorError);
    await expectNothingOpen(source);
    await source.input.close();
  }),
);

const failing = inputFixtures.flatMap((fixture) => {
  const { makeFailing: make } = fixture;
  return make === undefined ? [] : { ...fixture, make };
});

test.each(failing)(
  'input: $name: a run that fails says so after all it could read was given back',
  ({ linkType, seconds, make }) =>
    inWorld(async (world) => {
      const source = make(world);
      const seen = new Consumer(10, { linkType, seconds });
      const giveBack = seen.hold();
      await source.input.open();
      const givenBack = seen
        .until(1)
        .then(() => turns(1000))
        .then(giveBack);
      await expect(seen.run(source.input)).rejects.toBeInstanceOf(MirrorError);
      await givenBack;
      expect(seen.numbers.length).toBeGreaterThan(100);
      expect(seen.numbers).toEqual(upTo(seen.numbers.length));
      await expectNothingOpen(source);
      expect(seen.problems).toEqual([]);
    }),
);
