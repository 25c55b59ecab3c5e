import { afterEach, expect, test } from 'vitest';
import { buildReport } from '../../../../src/app/build-report.ts';
import { FileList } from '../../../../src/app/file-list.ts';
import { allocateMemory, type SinkPlan, sinkCountersOf, tallyOf } from '../../../../src/app/shared-memory.ts';
import { WorkerPool } from '../../../../src/app/receive/worker-pool.ts';
import { loadConfig } from '../../../../src/config/load.ts';
import {
  ledgerBytesDifference,
  ledgerDifference,
  noClosedLanes,
  type Report,
} from '../../../../src/observe/report.ts';
import { LaneDirectory } from '../../../../src/receive/lanes.ts';
import { count, Tally } from '../../../../src/receive/tally.ts';
import { until } from '../../../support/appliance.ts';
import { LogLines } from '../../../support/log-lines.ts';
import { type DyingStart, HELD, Order, WAITING } from '../../../support/programs/dying-worker.ts';

const plan = { name: 'captures', kind: 'files', takes: 'packets', dropReasons: [] } as const;
const flowPlan = { name: 'flows', kind: 'flow-files', takes: 'flows', dropReasons: [] } as const;
const script = new URL('../../../support/programs/dying-worker.ts', import.meta.url);
const WORKERS = 2;
/** Packets of the batch in hand that were in no bucket. */
const LOST = HELD.batch - HELD.delivered;
const DIED = 'A worker died and is started again.';

const pools: WorkerPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.stop()));
});

function makePool(
  orders = new Int32Array(new SharedArrayBuffer(4 * WORKERS)),
  plans: readonly SinkPlan[] = [plan],
) {
  const memory = allocateMemory(WORKERS, 2, plans);
  const log = new LogLines();
  const config = loadConfig({ file: 'settings', text: '', environment: {}, set: [] });
  const starts: DyingStart[] = Array.from({ length: WORKERS }, (_, worker) => ({
    worker,
    memory,
    config,
    log: { level: 'silent', format: 'json' },
    orders: orders.buffer,
  }));
  const pool = new WorkerPool({
    starts,
    log,
    now: Date.now,
    onFile: () => {},
    onFlowFile: () => {},
    onDeath: () => {},
    makeRoom: async () => {},
    script,
  });
  pools.push(pool);
  return {
    pool,
    memory,
    log,
    order: (worker: number, order: number) => Atomics.store(orders, worker, order),
    died: () => log.lines.filter(({ message }) => message === DIED).map(({ fields }) => fields),
    report: (): Report =>
      buildReport(memory, new LaneDirectory(memory.lanes), {
        kernelDrops: 0,
        closedLanes: noClosedLanes,
        files: new FileList(),
        behindGwlb: false,
        running: false,
      }),
  };
}

test('workers start, are told apart, and stop', async () => {
  const { pool, log } = makePool();
  expect(pool.states().map(({ up }) => up)).toEqual([false, false]);
  await pool.start([{ mode: 'dgram' }, { mode: 'dgram' }]);
  expect(pool.states()).toEqual([
    { worker: 0, up: true, restarts: 0 },
    { worker: 1, up: true, restarts: 0 },
  ]);
  expect(pool.sockets().map(({ worker, receiveBufferBytes }) => [worker, receiveBufferBytes])).toEqual([
    [0, 1],
    [1, 2],
  ]);
  await pool.stop();
  expect(pool.states().map(({ up }) => up)).toEqual([false, false]);
  expect(pool.sockets()).toEqual([]);
  expect(log.lines).toEqual([]);
});

test('a worker that dies is started again, and what it held is in the ledger', async () => {
  const { pool, memory, order, died, report, log } = makePool();
  count(tallyOf(memory, 1), Tally.received, 70);
  count(tallyOf(memory, 1), Tally.delivered, 70);
  await pool.start([{ mode: 'dgram' }, { mode: 'dgram' }]);
  order(1, Order.dieHolding);
  await until('it has died', () => died().length === 1);
  order(1, Order.live);
  expect(died()[0]).toMatchObject({ worker: 1, lostPackets: LOST + HELD.pending, waitMs: 50 });
  expect(pool.states()[0]).toEqual({ worker: 0, up: true, restarts: 0 });
  await until('it receives again', () => log.lines.some(({ message }) => /receives again/.test(message)));
  expect(pool.states()[1]).toEqual({ worker: 1, up: true, restarts: 1 });

  const told = report();
  expect(told.ledger).toMatchObject({ received: 1 + HELD.batch, delivered: 1 + HELD.delivered });
  expect(told.ledger.dropped.worker).toBe(LOST);
  // nobody measured what the worker did not reach
  expect(told.ledgerBytes).toMatchObject({
    received: 70 + HELD.delivered * HELD.bytes,
    dropped: { worker: 0 },
  });
  expect([ledgerDifference(told), ledgerBytesDifference(told)]).toEqual([0, 0]);
  expect(told.sinks).toMatchObject([
    { delivered: HELD.pending, dropped: { workerLost: HELD.pending }, pending: 0, pendingBytes: 0 },
  ]);
  // whatever ailed the sink of the dead one, the new one's is well until it says otherwise
  expect(sinkCountersOf(memory, 1, 0).failingSinceMs).toBe(0);
});

test('what waits in the resequencer of a worker that dies is lost, and so are its flow records', async () => {
  const { pool, order, died, report } = makePool(undefined, [plan, flowPlan]);
  await pool.start([{ mode: 'dgram' }, { mode: 'dgram' }]);
  order(1, Order.dieWaiting);
  await until('it has died', () => died().length === 1);
  order(1, Order.live);
  await until('it lives', () => pool.states()[1]?.up === true);
  expect(died()[0]).toMatchObject({ worker: 1, lostPackets: WAITING.packets });
  const told = report();
  expect(told.ledger).toMatchObject({
    received: WAITING.packets,
    held: 0,
    dropped: { worker: WAITING.packets },
  });
  expect(told.ledgerBytes.dropped.worker).toBe(WAITING.packets * WAITING.bytes);
  expect([ledgerDifference(told), ledgerBytesDifference(told)]).toEqual([0, 0]);
  expect(told.flows.active).toBe(0);
  expect(told.order.heldPackets).toBe(0);
  expect(told.sinks).toMatchObject([
    { name: 'captures', delivered: 0, dropped: {} },
    { name: 'flows', delivered: WAITING.records, dropped: { workerLost: WAITING.records }, pending: 0 },
  ]);
});

test('a worker that dies again and again is started later and later', async () => {
  const { pool, order, died } = makePool();
  await pool.start([{ mode: 'dgram' }, { mode: 'dgram' }]);
  order(0, Order.dieAtOnce);
  await until('it has died thrice', () => died().length >= 3);
  order(0, Order.live);
  expect(
    died()
      .slice(0, 3)
      .map(({ waitMs }) => waitMs),
  ).toEqual([50, 100, 200]);
  await until('it lives', () => pool.states()[0]?.up === true);
  expect(pool.states()[0]?.restarts).toBe(died().length);
});

test('a worker that cannot be started again is tried again', async () => {
  const { pool, order, died } = makePool();
  await pool.start([{ mode: 'dgram' }, { mode: 'dgram' }]);
  order(0, Order.dieAtOnce);
  await until('it has died', () => died().length === 1);
  order(0, Order.refuseToStart);
  await until('it could not start', () => died().length === 2);
  expect(died()[1]?.['error']).toMatchObject({ code: 'UDP_BIND_FAILED', context: { port: 4789 } });
  order(0, Order.live);
  await until('it lives', () => pool.states()[0]?.up === true);
});

test('one that cannot start the first time is an error, and the others stop', async () => {
  const orders = new Int32Array(new SharedArrayBuffer(4 * WORKERS));
  orders[1] = Order.refuseToStart;
  const { pool, log } = makePool(orders);
  await expect(pool.start([{ mode: 'dgram' }, { mode: 'dgram' }])).rejects.toMatchObject({
    code: 'UDP_BIND_FAILED',
  });
  await pool.stop();
  expect(pool.states().map(({ up, restarts }) => [up, restarts])).toEqual([
    [false, 0],
    [false, 0],
  ]);
  expect(log.lines).toEqual([]);
});

test('a worker that waits to be started again does not keep the pool from stopping', async () => {
  const { pool, order, died } = makePool();
  await pool.start([{ mode: 'dgram' }, { mode: 'dgram' }]);
  order(0, Order.dieAtOnce);
  await until('it has died', () => died().length === 1);
  const restartMs = Date.now() + Number(died()[0]?.['waitMs']);
  order(0, Order.live);
  await pool.stop();
  await until('the time of its restart is over', () => Date.now() > restartMs + 100);
  expect(pool.states().map(({ up, restarts }) => [up, restarts])).toEqual([
    [false, 0],
    [false, 0],
  ]);
});

test('one that dies while it stops is said, and stays down', async () => {
  const { pool, order, log } = makePool();
  await pool.start([{ mode: 'dgram' }, { mode: 'dgram' }]);
  order(1, Order.dieStopping);
  await pool.stop();
  expect(log.take('worker')).toEqual(['error: A worker died while it was stopping. worker=1']);
  expect(pool.states().map(({ up, restarts }) => [up, restarts])).toEqual([
    [false, 0],
    [false, 0],
  ]);
});
