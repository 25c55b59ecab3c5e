import { expect, test } from 'vitest';
import type { PacketBatch } from '../../../src/packet/batch.ts';
import { FanOut } from '../../../src/pipeline/fan-out.ts';
import { Outlet, type OutletOptions } from '../../../src/pipeline/outlet.ts';
import type { Sink } from '../../../src/pipeline/sink.ts';
import { numbered } from '../../support/batches.ts';
import { droppedOf, newCounters } from '../../support/sink-context.ts';

/** A sink whose writes settle when the test says so. */
class HeldSink implements Sink {
  readonly written: PacketBatch[] = [];
  readonly seen: string[] = [];
  readonly missedBatches: PacketBatch[] = [];
  underWay = 0;
  mostUnderWay = 0;
  #settle: ((error?: Error) => void)[] = [];

  async open(): Promise<void> {
    this.seen.push('open');
  }
  async write(batch: PacketBatch): Promise<void> {
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
    await new Promise<void>((resolve, reject) => {
      this.#settle.push((error) => (error === undefined ? resolve() : reject(error)));
    }).finally(() => this.underWay--);
    this.written.push(batch);
  }
  missed(batch: PacketBatch): void {
    this.missedBatches.push(batch);
  }
  async flush(): Promise<void> {
    this.seen.push(`flush after ${this.written.length}`);
  }
  async close(): Promise<void> {
    this.seen.push(`close after ${this.written.length}`);
  }
  /** Settles the write under way. */
  async settle(error?: Error): Promise<void> {
    this.#settle.shift()?.(error);
    await turn();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

function setUp(options: Partial<OutletOptions> = {}) {
  const sink = new HeldSink();
  const counters = newCounters([]);
  const errors: unknown[] = [];
  const outlet = new Outlet(sink, counters, {
    policy: 'drop',
    limits: { batches: 3, bytes: 1000 },
    now: () => 5,
    onError: (error) => errors.push(error),
    ...options,
  });
  return { sink, counters, outlet, errors };
}

test('one write at a time, in order; each promise settles when its batch is given back', async () => {
  const { sink, counters, outlet } = setUp();
  const batches = [numbered(1), numbered(2), numbered(3)];
  const returned: number[] = [];
  for (const [i, batch] of batches.entries()) void outlet.push(batch, 10)?.then(() => returned.push(i));
  expect(counters.delivered).toBe(6);
  expect(outlet.queuedBytes).toBe(30);
  expect(counters.pendingBytes).toBe(30);
  await sink.settle();
  expect(returned).toEqual([0]);
  await sink.settle();
  await sink.settle();
  expect(returned).toEqual([0, 1, 2]);
  expect(sink.written).toEqual(batches);
  expect(sink.mostUnderWay).toBe(1);
  expect([outlet.queuedBytes, counters.pendingBytes]).toEqual([0, 0]);
});

test.each([
  { limit: 'batches', bytes: [1, 1, 1, 1] },
  { limit: 'bytes', bytes: [400, 400, 1, 400] },
])('full by $limit: the batch is given back at once, counted, and the sink is told', async ({ bytes }) => {
  const { sink, counters, outlet } = setUp();
  const batches = bytes.map((_, i) => numbered(i + 1));
  const results = batches.map((batch, i) => outlet.push(batch, bytes[i] ?? 0));
  expect(results.map((result) => result !== undefined)).toEqual([true, true, true, false]);
  expect(sink.missedBatches).toEqual([batches[3]]);
  expect(counters.delivered).toBe(10);
  expect(droppedOf(counters)).toEqual({ queueFull: 4 });
  expect(counters).toMatchObject({ failingReason: 'queueFull', failingSinceMs: 5, pending: 6 });
  await sink.settle();
  expect(counters.failingReason).toBeUndefined();
});

test('a batch larger than the queue is taken while nothing waits', () => {
  const { outlet, counters } = setUp();
  expect(outlet.push(numbered(5), 1_000_000)).toBeInstanceOf(Promise);
  expect(droppedOf(counters)).toEqual({});
});

test('policy wait: nothing is dropped, however much waits', () => {
  const { outlet, counters } = setUp({ policy: 'wait' });
  for (let i = 0; i < 50; i++) expect(outlet.push(numbered(1), 100)).toBeInstanceOf(Promise);
  expect(droppedOf(counters)).toEqual({});
});

test('a batch without packets is given back at once', () => {
  const { outlet, sink } = setUp();
  expect(outlet.push(numbered(0), 0)).toBeUndefined();
  expect(sink.mostUnderWay).toBe(0);
});

test('a rejected write: counted, the sink is failing until one succeeds, the queue goes on', async () => {
  const { sink, counters, outlet, errors } = setUp();
  void outlet.push(numbered(4), 10);
  void outlet.push(numbered(2), 10);
  const error = new Error('refused');
  await sink.settle(error);
  expect(errors).toEqual([error]);
  expect(droppedOf(counters)).toEqual({ writeFailed: 4 });
  expect(counters.failingReason).toBe('writeFailed');
  await sink.settle();
  expect(counters.failingReason).toBeUndefined();
  expect(counters.pendingBytes).toBe(0);
});

test('what a sink says of itself is not taken back by a write that settles', async () => {
  const { sink, counters, outlet } = setUp();
  void outlet.push(numbered(1), 10);
  counters.failing('workerLost', 1);
  await sink.settle();
  expect(counters.failingReason).toBe('workerLost');
});

test('a write that throws at once is a rejected write', async () => {
  const { sink, counters, outlet } = setUp();
  sink.write = () => {
    throw new Error('at once');
  };
  await outlet.push(numbered(3), 10);
  expect(droppedOf(counters)).toEqual({ writeFailed: 3 });
});

test('drain waits for all that was pushed', async () => {
  const { sink, outlet } = setUp();
  await outlet.drain();
  void outlet.push(numbered(1), 10);
  void outlet.push(numbered(1), 10);
  let drained = false;
  void outlet.drain().then(() => (drained = true));
  await sink.settle();
  expect(drained).toBe(false);
  await sink.settle();
  expect(drained).toBe(true);
});

test('fan-out: a batch is given back when the slowest sink is done with it, and a full one costs only itself', async () => {
  const [fast, slow] = [setUp(), setUp()];
  const fanOut = new FanOut([fast.outlet, slow.outlet]);
  const returned: number[] = [];
  for (let i = 0; i < 4; i++) {
    void fanOut.deliver(numbered(2)).then(() => returned.push(i));
    await fast.sink.settle();
  }
  expect(fast.sink.written).toHaveLength(4);
  expect(droppedOf(slow.counters)).toEqual({ queueFull: 2 });
  expect(returned).toEqual([3]);
  for (let i = 0; i < 3; i++) await slow.sink.settle();
  expect(returned).toEqual([3, 0, 1, 2]);
});

test('fan-out: delivery never rejects, whatever sinks do', async () => {
  const [one, two] = [setUp(), setUp()];
  const fanOut = new FanOut([one.outlet, two.outlet]);
  const delivered = fanOut.deliver(numbered(2));
  await one.sink.settle(new Error('refused'));
  await two.sink.settle(new Error('refused'));
  await expect(delivered).resolves.toBeUndefined();
  await expect(new FanOut([]).deliver(numbered(1))).resolves.toBeUndefined();
});

test('fan-out: queues are empty before sinks are flushed and closed; one error does not keep the others open', async () => {
  const [one, two] = [setUp(), setUp()];
  const fanOut = new FanOut([one.outlet, two.outlet]);
  await fanOut.open();
  void fanOut.deliver(numbered(2));
  const flushed = fanOut.flush();
  await one.sink.settle();
  await two.sink.settle();
  await flushed;
  one.sink.close = () => Promise.reject(new Error('one'));
  await expect(fanOut.close()).rejects.toThrow('one');
  expect(two.sink.seen).toEqual(['open', 'flush after 1', 'close after 1']);
});
