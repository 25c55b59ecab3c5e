import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { frame4, udpDatagram } from '../../../../samples/make/packets.ts';
import { RingInput } from '../../../../src/inputs/ring/ring-input.ts';
import { Wakefulness } from '../../../../src/inputs/ring/slumber.ts';
import type { PacketBatch } from '../../../../src/packet/batch.ts';
import { hostsOf, sendFrames } from '../../../support/cable.ts';
import { numberedPacket, turns } from '../../../support/consumer.ts';
import { FakeRing } from '../../../support/fake-ring.ts';
import { requiresRings, ringsOf } from '../../../support/kernel-rings.ts';
import { withNetwork } from '../../../support/namespaces.ts';
import type { RingWorkerStart } from '../../../support/programs/ring-worker.ts';

const able = await requiresRings();

/** The input of some rings in plain memory, and what it delivers. */
class Reading {
  readonly rings: readonly FakeRing[];
  readonly input: RingInput;
  readonly numbers: number[] = [];
  /** Gives back the batches that are on their way, in order. */
  readonly out: (() => void)[] = [];
  ended = false;
  holding = false;

  constructor(rings: readonly FakeRing[]) {
    this.rings = rings;
    this.input = new RingInput({
      rings: rings.map(({ handle }) => handle),
      view: (handle) => rings.find((ring) => ring.handle === handle)?.bytes ?? Buffer.alloc(0),
    });
  }

  async start(): Promise<void> {
    await this.input.open();
    void this.input.run((batch) => this.#take(batch)).then(() => (this.ended = true));
  }

  async until(count: number): Promise<void> {
    while (this.numbers.length < count) await nextTurn();
  }

  #take(batch: PacketBatch): Promise<void> {
    for (let slot = 0; slot < batch.count; slot++) {
      this.numbers.push(batch.bytes.readUInt32BE((batch.end[slot] ?? 0) - 4));
    }
    return this.holding ? new Promise((resolve) => this.out.push(resolve)) : Promise.resolve();
  }
}

const started: Reading[] = [];
afterEach(() => Promise.all(started.splice(0).map(({ input }) => input.close())));

async function startOn(...rings: FakeRing[]): Promise<Reading> {
  const reading = new Reading(rings);
  started.push(reading);
  await reading.start();
  return reading;
}

function put(ring: FakeRing, from: number, to: number): void {
  for (let number = from; number < to; number++) ring.put({ bytes: numberedPacket(number) });
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test('all rings are read, each in its order', async () => {
  const [first, second] = [new FakeRing(), new FakeRing()];
  const reading = await startOn(first, second);
  put(first, 0, 10);
  put(second, 100, 110);
  first.tick();
  second.tick();
  await reading.until(20);
  expect(reading.numbers.filter((number) => number < 100)).toEqual(upTo(10));
  expect(reading.numbers.filter((number) => number >= 100)).toEqual(upTo(10).map((number) => number + 100));
  await turns(2);
  expect([first.owners, second.owners]).toEqual(['kkkk', 'kkkk']);
});

test('sinks that are slow keep their blocks, and the kernel finds no room', async () => {
  const ring = new FakeRing();
  const reading = await startOn(ring);
  reading.holding = true;
  for (let number = 0; number < 4; number++) {
    put(ring, number, number + 1);
    ring.tick();
    await reading.until(number + 1);
  }
  put(ring, 4, 5);
  expect([ring.owners, ring.drops]).toEqual(['uuuu', 1]);
  reading.out[2]?.();
  await turns(2);
  expect(ring.owners).toBe('uuku');
  for (const giveBack of reading.out) giveBack();
  await turns(2);
  expect(ring.owners).toBe('kkkk');
  put(ring, 5, 6);
  ring.tick();
  await reading.until(5);
  expect(reading.numbers).toEqual([0, 1, 2, 3, 5]);
});

test('closing waits for the block that is being filled, then for what is on its way', async () => {
  const ring = new FakeRing({ retireMs: 20 });
  const reading = await startOn(ring);
  reading.holding = true;
  put(ring, 0, 3);
  const closed = reading.input.close();
  await turns(5);
  expect(reading.numbers).toEqual([]);
  setTimeout(() => ring.tick(), 15);
  await closed;
  expect([reading.numbers, reading.ended]).toEqual([[0, 1, 2], false]);
  reading.out[0]?.();
  await turns(2);
  expect([reading.ended, ring.owners]).toEqual([true, 'kkkk']);
});

test('closing ends although the sender does not', async () => {
  const ring = new FakeRing({ blocks: 64, retireMs: 1 });
  const reading = await startOn(ring);
  let next = 0;
  let sending = true;
  const send = (): void => {
    put(ring, next, ++next);
    ring.tick();
    if (sending) setImmediate(send);
  };
  send();
  await reading.input.close();
  sending = false;
  expect(reading.numbers.length).toBeGreaterThan(10);
  await turns(2);
  expect(reading.ended).toBe(true);
});

test('nothing is read after closing, and another input goes on there', async () => {
  const ring = new FakeRing();
  const first = await startOn(ring);
  put(ring, 0, 3);
  ring.tick();
  await first.until(3);
  await first.input.close();
  put(ring, 3, 5);
  ring.tick();
  await turns(20);
  expect(first.numbers).toEqual([0, 1, 2]);
  const second = await startOn(ring);
  await second.until(2);
  expect(second.numbers).toEqual([3, 4]);
});

test('one that sleeps hears its call, looks now and then without one, and ends when it is closed', async () => {
  const ring = new FakeRing();
  const reading = await startOn(ring);
  const word = new Int32Array(ring.handle.wake);
  const sleep = async (): Promise<void> => {
    while (Atomics.load(word, 0) !== Wakefulness.drowsy) await nextTurn();
    Atomics.store(word, 0, Wakefulness.asleep);
  };
  await sleep();
  put(ring, 0, 1);
  ring.tick();
  // nobody calls
  await reading.until(1);
  while (Atomics.load(word, 0) !== Wakefulness.awake) await nextTurn();
  await sleep();
  put(ring, 1, 2);
  ring.tick();
  Atomics.store(word, 0, Wakefulness.awake);
  Atomics.notify(word, 0);
  await reading.until(2);
  await sleep();
  await reading.input.close();
  await turns(2);
  expect([reading.numbers, reading.ended]).toEqual([[0, 1], true]);
});

test('a packet that came while it fell asleep keeps it awake', async () => {
  const ring = new FakeRing();
  const reading = await startOn(ring);
  const word = new Int32Array(ring.handle.wake);
  while (Atomics.load(word, 0) !== Wakefulness.drowsy) await nextTurn();
  put(ring, 0, 1);
  Atomics.store(word, 0, Wakefulness.asleep);
  while (Atomics.load(word, 0) !== Wakefulness.awake) await nextTurn();
  ring.tick();
  await reading.until(1);
  expect(reading.numbers).toEqual([0]);
});

test.skipIf(!able)('threads that die one after the other: each packet is seen once', () =>
  withNetwork('veth', async (network) => {
    const most = 1_000_000;
    const set = ringsOf(network, { ringBytes: 134_217_728 });
    const seen = new SharedArrayBuffer(4 * most);
    const rings = set.handles[0] ?? [];
    const start = (diesAfter: number): Worker => {
      const workerStart: RingWorkerStart = { rings, seen, diesAfter };
      return new Worker(new URL('../../../support/programs/ring-worker.ts', import.meta.url), {
        workerData: workerStart,
      });
    };
    const { sender, receiver } = hostsOf(network);
    const send = (from: number, to: number): void => {
      const frames = Array.from({ length: to - from }, (_, i) => {
        const payload = Buffer.alloc(100);
        payload.writeUInt32BE(from + i, 96);
        return frame4(sender, receiver, udpDatagram(1, 4789, payload));
      });
      sendFrames(network.sender, network.senderInterface, frames);
    };
    try {
      let sent = 0;
      for (const diesAfter of [1, 700, 3000, 2500]) {
        const worker = start(diesAfter);
        const died = once(worker, 'error');
        const sending = setInterval(() => send(sent, (sent += 100)), 3);
        const [error] = (await died) as Error[];
        clearInterval(sending);
        expect(error?.message).toBe('planted');
      }
      send(sent, (sent += 1000));
      const last = start(0);
      await once(last, 'online');
      last.postMessage('close');
      await once(last, 'exit');
      expect(set.kernelDrops()).toBe(0);
      const wrong = Array.from(new Int32Array(seen, 0, sent), (times, number) => ({ number, times })).filter(
        ({ times }) => times !== 1,
      );
      expect(wrong).toEqual([]);
    } finally {
      set.close();
    }
  }),
);
