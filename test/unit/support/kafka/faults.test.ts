import { once } from 'node:events';
import { createConnection } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KafkaBroker } from '../../../support/kafka/broker.ts';
import { type Breakage, BrokenBroker } from '../../../support/kafka/broken-brokers.ts';
import { readTopic } from '../../../support/kafka/kcat.ts';
import { INIT_PRODUCER_ID, KafkaProxy, METADATA, PRODUCE } from '../../../support/kafka/proxy.ts';
import { requiresOwnKafka } from '../../../support/kafka/wanted.ts';

describe('brokers that are none', () => {
  const request = Buffer.from('00000010001200010000002a0000000000000000', 'hex');

  test.each<{ how: Breakage; says: (answer: Buffer) => boolean }>([
    { how: 'garbage', says: (answer) => answer.length === 256 },
    { how: 'huge', says: (answer) => answer.readInt32BE(0) === 2 ** 31 - 1 },
    { how: 'negative', says: (answer) => answer.readInt32BE(0) === -2 },
    { how: 'wrong-answer', says: (answer) => answer.readInt32BE(0) === 252 && answer.readInt32BE(4) === 42 },
    { how: 'closing', says: (answer) => answer.length === 0 },
    { how: 'hanging-up', says: (answer) => answer.length === 0 },
  ])('one that is $how', async ({ how, says }) => {
    await using broker = await BrokenBroker.start(how);
    const socket = createConnection(broker.port, '127.0.0.1');
    socket.write(request);
    socket.once('data', () => socket.end());
    const answer = await buffer(socket).catch(() => Buffer.alloc(0));
    expect(says(answer)).toBe(true);
    expect(broker.connections).toBe(1);
  });

  test('one that is silent takes everything, and its clients wait', async () => {
    await using broker = await BrokenBroker.start('silent');
    const brokers = [broker.bootstrap];
    const limits = { retry: { retries: 0 }, requestTimeout: 300, logLevel: logLevel.NOTHING };
    const producer = new Kafka({ brokers, ...limits }).producer();
    await expect(producer.connect()).rejects.toThrow(/timed out/);
    expect(broker.receivedBytes).toBeGreaterThan(0);
  });
});

describe.skipIf(!requiresOwnKafka())('a proxy before a broker', () => {
  let proxy: KafkaProxy;
  let broker: KafkaBroker;
  beforeAll(async () => {
    proxy = await KafkaProxy.start();
    broker = await KafkaBroker.start({ proxyPort: proxy.port });
    proxy.leadsTo(broker.port('PROXIED'));
  });
  afterAll(async () => {
    await broker.discard();
    await proxy.close();
  });

  const connected = async (idempotent = false, retries = 10): Promise<Producer> => {
    const client = new Kafka({ brokers: [proxy.bootstrap], retry: { retries }, logLevel: logLevel.NOTHING });
    const createPartitioner = Partitioners.DefaultPartitioner;
    const producer = client.producer({ createPartitioner, idempotent, retry: { retries } });
    await producer.connect();
    return producer;
  };
  const valuesOf = async (topic: string): Promise<readonly (string | undefined)[]> =>
    (await readTopic(broker, topic)).map(({ value }) => value?.toString());

  test.each([
    { idempotent: false, values: ['one', 'one'] },
    { idempotent: true, values: ['one'] },
  ])('an answer is lost, and an idempotent producer ($idempotent) has one record', async (row) => {
    const topic = `lost-${row.idempotent}`;
    await broker.admin.createTopic(topic);
    const asked = proxy.requests.get(INIT_PRODUCER_ID) ?? 0;
    const producer = await connected(row.idempotent);
    const [lost, produced] = [proxy.lostAnswers, proxy.requests.get(PRODUCE) ?? 0];
    proxy.loseAnswers(PRODUCE, 1);
    await producer.send({ topic, messages: [{ value: 'one' }] });
    await producer.disconnect();
    expect(proxy.lostAnswers - lost).toBe(1);
    expect((proxy.requests.get(PRODUCE) ?? 0) - produced).toBe(2);
    expect((proxy.requests.get(INIT_PRODUCER_ID) ?? 0) > asked).toBe(row.idempotent);
    expect(await valuesOf(topic)).toEqual(row.values);
  });

  test('clients learn the address of the proxy, are cut off, and come back', async () => {
    await broker.admin.createTopic('cut');
    const producer = await connected(false, 1);
    await producer.send({ topic: 'cut', messages: [{ value: 'before' }] });
    expect(proxy.requests.get(METADATA)).toBeGreaterThan(0);
    await proxy.cut();
    const refused = createConnection(proxy.port, '127.0.0.1');
    await expect(once(refused, 'connect')).rejects.toThrow('ECONNREFUSED');
    await expect(producer.send({ topic: 'cut', messages: [{ value: 'lost' }] })).rejects.toThrow();
    await proxy.restore();
    await producer.disconnect();
    const second = await connected();
    await second.send({ topic: 'cut', messages: [{ value: 'after' }] });
    proxy.reset();
    await second.send({ topic: 'cut', messages: [{ value: 'again' }] });
    await second.disconnect();
    expect(await valuesOf('cut')).toEqual(['before', 'after', 'again']);
  });

  test('answers are late', async () => {
    await broker.admin.createTopic('late');
    const producer = await connected();
    proxy.delayMs = 400;
    const startMs = performance.now();
    await producer.send({ topic: 'late', messages: [{ value: 'one' }] });
    proxy.delayMs = 0;
    expect(performance.now() - startMs).toBeGreaterThan(390);
    await producer.disconnect();
  });

  test('a broker that is suspended accepts and does not answer, until it is resumed', async () => {
    await broker.admin.createTopic('suspended');
    const producer = await connected();
    broker.suspend();
    const socket = createConnection(broker.port('PLAINTEXT'), '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
    let isSent = false;
    const sending = producer.send({ topic: 'suspended', messages: [{ value: 'one' }] }).then(() => {
      isSent = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(isSent).toBe(false);
    broker.resume();
    await sending;
    await producer.disconnect();
    expect(await valuesOf('suspended')).toEqual(['one']);
  });
});
