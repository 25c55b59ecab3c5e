import { afterEach, expect, test } from 'vitest';
import { CourierPool } from '../../../../src/app/couriers/courier-pool.ts';
import { allocateMemory } from '../../../../src/app/shared-memory.ts';
import { loadConfig } from '../../../../src/config/load.ts';
import { ChannelReader } from '../../../../src/pipeline/channel/channel-reader.ts';
import { until } from '../../../support/appliance.ts';
import { LogLines } from '../../../support/log-lines.ts';
import { CourierOrder, CourierWord } from '../../../support/programs/dying-courier.ts';

const channel = { bytes: 2 ** 20, records: 1000 };
const bus = { name: 'bus', kind: 'kafka', takes: 'packets', dropReasons: [], channel } as const;
const plans = [
  bus,
  { ...bus, name: 'bus.flows', sink: 'bus', takes: 'flows' },
  { name: 'captures', kind: 'files', takes: 'packets', dropReasons: [] },
] as const;
const script = new URL('../../../support/programs/dying-courier.ts', import.meta.url);

const pools: CourierPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.stop()));
});

function makePool(order: number = CourierOrder.live) {
  const words = new Int32Array(new SharedArrayBuffer(4 * CourierWord.length));
  words[CourierWord.order] = order;
  const memory = allocateMemory(2, 1, plans);
  const log = new LogLines();
  const config = loadConfig({ file: 'settings', text: '', environment: {}, set: [] });
  const logSettings = { level: 'silent', format: 'json' } as const;
  const start = { memory, config, log: logSettings, words: words.buffer };
  const pool = new CourierPool({ start, log, now: Date.now, script });
  pools.push(pool);
  return { pool, words, memory, log };
}

test('one courier for each worker and sink that has channels; a stop closes the channels', async () => {
  const { pool, words, memory } = makePool();
  await pool.start();
  expect(words[CourierWord.begun]).toBe(2);
  await pool.stop();
  expect(words[CourierWord.stopped]).toBe(2);
  const readers = memory.channels
    .flat()
    .flatMap((one) => (one === undefined ? [] : [new ChannelReader(one)]));
  expect(readers.map(({ ended }) => ended)).toEqual([true, true, true, true]);
});

test('one that cannot begin is an error', async () => {
  const { pool } = makePool(CourierOrder.failToBegin);
  await expect(pool.start()).rejects.toMatchObject({ code: 'KAFKA_CLIENT_UNAVAILABLE' });
});

test.each([
  ['dies', CourierOrder.die],
  ['ends without a word', CourierOrder.end],
])('one that %s is started again, and knows that it is', async (_, order) => {
  const { pool, words, log } = makePool();
  await pool.start();
  Atomics.store(words, CourierWord.order, order);
  await until('it has begun again', () => words[CourierWord.begunAgain] === 1);
  expect(log.lines.map(({ message }) => message)).toEqual(['A courier died and is started again.']);
  await pool.stop();
  expect(words[CourierWord.stopped]).toBe(2);
});
