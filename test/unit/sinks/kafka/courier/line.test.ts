import { setTimeout as diskTime } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FullReason } from '../../../../../src/pipeline/channel/channel-memory.ts';
import { KafkaError } from '../../../../../src/sinks/kafka/client.ts';
import { Spool } from '../../../../../src/sinks/kafka/spool/spool.ts';
import { defaultKafka } from '../../../../support/kafka/kafka-settings.ts';
import { type Behaviour, FakeClient } from '../../../../support/kafka/fake-client.ts';
import { LineBench, TOPIC } from '../../../../support/kafka/line-bench.ts';
import { Seeded } from '../../../../support/seeded.ts';
import { withFolder } from '../../../../support/tshark.ts';

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets time pass until this is done; looks after the spool meanwhile, as the courier does. */
async function until(work: Promise<unknown>, bench: LineBench, mostMs = 600_000): Promise<void> {
  const state = { done: false };
  const finished = work.finally(() => {
    state.done = true;
  });
  finished.catch(() => {});
  for (let ms = 0; !state.done && ms < mostMs; ms += 10) {
    void bench.backlog.look();
    await vi.advanceTimersByTimeAsync(10);
    await diskTime(1);
  }
  await finished;
}

async function pass(ms: number, bench: LineBench, stepMs = 10): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    void bench.backlog.look();
    await vi.advanceTimersByTimeAsync(stepMs);
    await diskTime(1);
  }
}

const openSpool = (directory: string, maxBytes = 64 * 2 ** 20, maxSeconds = 0): Promise<{ spool: Spool }> =>
  Spool.open({
    directory,
    maxBytes,
    maxSeconds,
    segmentBytes: 2 ** 20,
    fsync: 'never',
    fsyncMs: 1000,
    now: Date.now,
  });

test('what is put in arrives in order, and is counted when it has', async () => {
  const bench = new LineBench({});
  const run = bench.line.run();
  bench.put(500);
  await pass(200, bench);
  bench.put(100);
  bench.writer.close();
  await until(run, bench);
  expect(bench.taken()).toEqual(bench.expected());
  expect([bench.counters.written, bench.dropped()]).toEqual([600, {}]);
  expect(bench.reader.filled).toBe(0);
  expect(bench.client.mostUnderWay).toBe(1);
});

test('several requests are under way where that is asked for', async () => {
  const bench = new LineBench({ blocks: 16, settings: { inFlightRequests: 4, idempotence: false } });
  bench.client.latencyMs = 50;
  const run = bench.line.run();
  for (let i = 0; i < 12; i++) bench.put(200);
  bench.writer.close();
  await until(run, bench);
  expect(bench.taken()).toEqual(bench.expected());
  expect(bench.client.mostUnderWay).toBe(4);
});

test.each([1, 2, 3, 4, 5, 6])(
  'brokers that go and come, lose answers and fail at random (seed %i): all arrives once and in order',
  (seed) =>
    withFolder(async (folder) => {
      const random = new Seeded(seed);
      const { spool } = await openSpool(folder);
      const bench = new LineBench({ spool });
      const { client } = bench;
      const failures: Behaviour[] = [
        'lost',
        { reason: 'timeout', message: 'no answer' },
        { reason: 'unavailable', message: 'NOT_ENOUGH_REPLICAS' },
      ];
      client.behave = () => (random.below(4) === 0 ? failures[random.below(3)]! : 'take');
      client.isUp = seed % 2 === 0;
      const run = bench.line.run();
      for (let step = 0; step < 80; step++) {
        if (random.below(8) === 0) client.isUp = !client.isUp;
        bench.put(random.below(120));
        await pass(random.below(300), bench);
      }
      expect(bench.dropped()).toEqual({});
      client.isUp = true;
      bench.writer.close();
      await until(run, bench);
      expect(bench.accepted).toHaveLength(bench.counters.written);
      expect(bench.taken()).toEqual(bench.expected());
      expect([bench.reader.filled, spool.isEmpty, spool.records]).toEqual([0, true, 0]);
      await spool.close();
    }),
  60_000,
);

test('a spool that is full stops the ring, which says why; what was accepted arrives', () =>
  withFolder(async (folder) => {
    const { spool } = await openSpool(folder, 2 * 2 ** 20);
    const bench = new LineBench({ spool });
    bench.client.isUp = false;
    const run = bench.line.run();
    let refused = 0;
    for (let i = 0; i < 40; i++) {
      refused += 100 - bench.put(100);
      await pass(20, bench);
    }
    expect(refused).toBeGreaterThan(0);
    expect(bench.writer.fullReason).toBe(FullReason.spool);
    bench.client.isUp = true;
    bench.writer.close();
    await until(run, bench);
    expect(bench.taken()).toEqual(bench.expected());
    expect(bench.writer.fullReason).toBe(FullReason.queue);
    await spool.close();
  }));

test('records that are too large are found, dropped and counted; their neighbours arrive', async () => {
  const bench = new LineBench({});
  const isLarge = (value: Buffer): boolean => value.readUInt32LE(0) % 50 === 7;
  bench.client.behave = ({ records }) =>
    records.some(({ value }) => isLarge(value))
      ? { reason: 'tooLarge', message: 'MESSAGE_TOO_LARGE' }
      : 'take';
  const run = bench.line.run();
  bench.put(300);
  bench.writer.close();
  await until(run, bench);
  const fitting = bench.accepted.filter((number) => number % 50 !== 7);
  expect(bench.taken()).toEqual(bench.expected(fitting));
  expect(bench.dropped()).toEqual({ tooLarge: 6 });
  expect(bench.counters.written).toBe(294);
  expect(bench.lines.join('\n')).toContain('error: Kafka refused records');
});

test.each(['noTopic', 'notAuthorised'] as const)(
  '%s is waited for, for a minute: then records are dropped, and taken once it is put right',
  async (reason) => {
    const bench = new LineBench({});
    bench.client.behave = () => ({ reason, message: 'refused' });
    const run = bench.line.run();
    bench.put(30);
    await pass(55_000, bench, 500);
    expect(bench.dropped()).toEqual({});
    await pass(20_000, bench, 500);
    expect(bench.dropped()).toEqual({ [reason]: 30 });
    expect(bench.counters.failingReason).toBe(reason);
    bench.put(30);
    await pass(1000, bench);
    expect(bench.dropped()).toEqual({ [reason]: 60 });
    bench.client.behave = () => 'take';
    bench.put(30);
    bench.writer.close();
    await until(run, bench);
    expect(bench.taken()).toEqual(bench.expected(bench.accepted.slice(60)));
    expect([bench.counters.written, bench.counters.failingReason]).toEqual([30, undefined]);
  },
);

test('a topic that is not there yet is waited for: its records go to the partitions that it then has', async () => {
  const client = new FakeClient();
  client.topics.set('another', { partitions: 1, maxMessageBytes: undefined });
  const bench = new LineBench({ client });
  const run = bench.line.run();
  bench.put(30);
  await pass(20_000, bench, 500);
  expect([bench.taken().flat(), bench.dropped()]).toEqual([[], {}]);
  client.topics.set(TOPIC, { partitions: 3, maxMessageBytes: undefined });
  await pass(20_000, bench, 500);
  bench.put(30);
  bench.writer.close();
  await until(run, bench);
  expect(bench.taken()).toEqual(bench.expected());
});

test('a topic that never comes is waited for, for a minute', async () => {
  const client = new FakeClient();
  client.topics.set('another', { partitions: 1, maxMessageBytes: undefined });
  client.behave = () => ({ reason: 'noTopic', message: 'refused' });
  const bench = new LineBench({ client });
  const run = bench.line.run();
  bench.put(30);
  await pass(55_000, bench, 500);
  expect(bench.dropped()).toEqual({});
  await pass(20_000, bench, 500);
  expect(bench.dropped()).toEqual({ noTopic: 30 });
  bench.writer.close();
  await until(run, bench);
});

test('a topic that this user may not even see is waited for, for a minute, as one that is missing', async () => {
  const client = new FakeClient();
  const refusal = { reason: 'notAuthorised', message: 'TOPIC_AUTHORIZATION_FAILED' } as const;
  client.topic = () => Promise.reject(new KafkaError(refusal));
  client.behave = () => refusal;
  const bench = new LineBench({ client });
  const run = bench.line.run();
  bench.put(30);
  await pass(55_000, bench, 500);
  expect(bench.dropped()).toEqual({});
  await pass(20_000, bench, 500);
  expect(bench.dropped()).toEqual({ notAuthorised: 30 });
  bench.writer.close();
  await until(run, bench);
  expect(bench.lines.filter((line) => line.startsWith('error'))).toHaveLength(1);
});

test('a topic that was made and that brokers have not heard of yet is looked for again', async () => {
  const client = new FakeClient();
  client.topics.set('another', { partitions: 1, maxMessageBytes: undefined });
  let asked = 0;
  client.createTopic = () => Promise.resolve();
  client.topic = () =>
    Promise.resolve(++asked < 5 ? undefined : { partitions: 3, maxMessageBytes: undefined });
  const settings = { createTopics: { enabled: true, partitions: 3, replication: 1 } };
  const bench = new LineBench({ client, settings });
  const run = bench.line.run();
  bench.put(30);
  bench.writer.close();
  await until(run, bench);
  expect(bench.taken()).toEqual(bench.expected());
  expect(bench.lines.filter((line) => line.startsWith('warn'))).toEqual([]);
});

test('an end while brokers are away: what is left is in the spool, and arrives with the next run', () =>
  withFolder(async (folder) => {
    const first = await openSpool(folder);
    const bench = new LineBench({ spool: first.spool });
    const run = bench.line.run();
    bench.put(100);
    await pass(500, bench);
    expect(bench.counters.written).toBe(100);
    bench.client.isUp = false;
    for (let i = 0; i < 5; i++) {
      bench.put(150);
      await pass(100, bench);
    }
    bench.writer.close();
    bench.line.end();
    bench.connection.end();
    await until(run, bench);
    expect([bench.dropped(), first.spool.records]).toEqual([{}, bench.accepted.length - 100]);
    expect(bench.accepted.length).toBeGreaterThan(500);
    await first.spool.close();

    const again = await openSpool(folder);
    const next = new LineBench({ spool: again.spool, client: bench.client });
    bench.client.isUp = true;
    const second = next.line.run();
    next.writer.close();
    await until(second, next);
    expect(next.taken()).toEqual(bench.expected());
    expect(again.spool.isEmpty).toBe(true);
    await again.spool.close();
  }));

test('an end without a spool drops what is left, and counts it', async () => {
  const bench = new LineBench({});
  bench.client.isUp = false;
  const run = bench.line.run();
  bench.put(300);
  await pass(1000, bench);
  bench.writer.close();
  bench.line.end();
  bench.connection.end();
  await until(run, bench);
  expect(bench.dropped()).toEqual({ notSent: 300 });
  expect(bench.reader.filled).toBe(0);
});

test('what has waited too long in the spool is dropped while brokers are away, and what is younger arrives', () =>
  withFolder(async (folder) => {
    const { spool } = await openSpool(folder, undefined, 60);
    const ofSpool = { ...defaultKafka().spool, maxSeconds: 60 };
    const bench = new LineBench({ spool, settings: { spool: ofSpool, retryMaxMs: 2000 } });
    setInterval(() => {
      void spool.expire().then((records) => bench.counters.addDropped('spoolExpired', records));
    }, 1000);
    const run = bench.line.run();
    bench.put(30);
    await pass(200, bench);
    bench.client.isUp = false;
    for (let i = 0; i < 6; i++) {
      bench.put(150);
      await pass(100, bench);
    }
    const old = bench.accepted.length;
    expect(spool.records).toBeGreaterThan(500);
    await pass(50_000, bench, 500);
    for (let i = 0; i < 6; i++) {
      bench.put(150);
      await pass(100, bench);
    }
    expect(bench.dropped()).toEqual({});
    await pass(30_000, bench, 500);
    const expired = bench.dropped()['spoolExpired'] ?? 0;
    expect(expired).toBeGreaterThan(500);
    expect(expired).toBeLessThanOrEqual(old - 30);
    bench.client.isUp = true;
    bench.writer.close();
    await until(run, bench);
    expect(bench.counters.written + expired).toBe(bench.accepted.length);
    const arrived = bench.taken().flat().length;
    expect(arrived).toBe(bench.counters.written);
    expect(spool.isEmpty).toBe(true);
    await spool.close();
  }));

test.each([
  ['in memory', false],
  ['in a spool that has no room', true],
])('an end without room: what one partition has taken is not counted as lost too (%s)', (_, hasSpool) =>
  withFolder(async (folder) => {
    const spool = hasSpool ? (await openSpool(folder, 1)).spool : undefined;
    const bench = new LineBench(spool === undefined ? {} : { spool });
    bench.client.behave = ({ partition }) =>
      partition === 0 ? { reason: 'unavailable', message: 'NOT_ENOUGH_REPLICAS' } : 'take';
    const run = bench.line.run();
    bench.put(300);
    await pass(1000, bench);
    const { written } = bench.counters;
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(300);
    bench.writer.close();
    bench.line.end();
    bench.connection.end();
    await until(run, bench);
    expect(bench.dropped()).toEqual({ notSent: 300 - written });
    await spool?.close();
  }),
);

test('a topic that is missing is created where that is allowed, as it was asked for', async () => {
  const client = new FakeClient();
  client.topics.set('other', { partitions: 1, maxMessageBytes: undefined });
  const bench = new LineBench({
    client,
    settings: { createTopics: { enabled: true, partitions: 3, replication: 1 } },
  });
  const run = bench.line.run();
  bench.put(10);
  bench.writer.close();
  await until(run, bench);
  expect([client.created, bench.counters.written]).toEqual([[TOPIC], 10]);
  expect(bench.lines.join('\n')).toContain('info: The topic was created.');
});

test('batches are as small as the topic asks for', async () => {
  const client = new FakeClient();
  client.topics.set(TOPIC, { partitions: 1, maxMessageBytes: 6000 });
  const sizes = new Set<number>();
  client.behave = ({ records }) => {
    sizes.add(records.length);
    return 'take';
  };
  const bench = new LineBench({ client });
  const run = bench.line.run();
  bench.put(40);
  bench.writer.close();
  await until(run, bench);
  expect(Math.max(...sizes)).toBe(4);
  expect(bench.lines.join('\n')).toContain('warn: The topic takes smaller batches');
});
