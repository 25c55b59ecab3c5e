import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { MirrorError } from '../../../../../src/observe/error.ts';
import { Encoders, type EncodersOptions } from '../../../../../src/sinks/kafka/courier/encoders.ts';
import { type EncoderMaker, flowEncoder } from '../../../../../src/sinks/kafka/courier/make-encoder.ts';
import type { RecordEncoder } from '../../../../../src/sinks/kafka/records/record-encoder.ts';
import { defaultKafka } from '../../../../support/kafka/kafka-settings.ts';
import { startRegistry } from '../../../../support/schema-registry.ts';
import { logInto } from '../../../../support/sink-context.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const RETRY_MS = 5;
const failed = (text: string): MirrorError => new MirrorError('SCHEMA_REGISTRY_FAILED', text);

/** Encoders whose maker does as told, what they log, and the time that they know of. */
function bench(makeEncoder: EncoderMaker, more: Partial<EncodersOptions> = {}) {
  const lines: string[] = [];
  const clock = { ms: 0 };
  const encoders = new Encoders({
    connection: { batchBytes: () => 900_000 },
    makeEncoder,
    retryMaxMs: RETRY_MS,
    sink: 'bus',
    log: logInto(lines),
    now: () => clock.ms,
    ...more,
  });
  return { encoders, lines, clock };
}

const madeFor = (batchBytes: number): RecordEncoder => ({ batchBytes }) as unknown as RecordEncoder;

test('a maker that fails is asked again; each reason is said once a minute, and the end of it too', async () => {
  let tries = 0;
  const { encoders, lines, clock } = bench((batchBytes) => {
    tries++;
    if (tries === 6) clock.ms = 60_000;
    if (tries <= 3) return Promise.reject(failed('it is away'));
    return tries <= 6 ? Promise.reject(failed('it refuses')) : Promise.resolve(madeFor(batchBytes));
  });
  expect(await encoders.encoder([])).toMatchObject({ batchBytes: 900_000 });
  expect(lines.map((line) => line.split(':')[0])).toEqual(['error', 'error', 'error', 'info']);
});

test('topics that take less get an encoder of their own, topics that take more the one that is there', async () => {
  const limits: Readonly<Record<string, number>> = { small: 1000, large: 5000 };
  const connection = {
    batchBytes: (names: Iterable<string>) =>
      Math.min(9000, ...[...names].map((name) => limits[name] ?? 9000)),
  };
  const { encoders } = bench((batchBytes) => Promise.resolve(madeFor(batchBytes)), { connection });
  const asked = [[], ['large'], ['small'], ['large'], ['small', 'large']];
  const sizes: unknown[] = [];
  for (const names of asked) sizes.push(await encoders.encoder(names));
  expect(sizes).toMatchObject([9000, 5000, 1000, 1000, 1000].map((batchBytes) => ({ batchBytes })));
});

test('what is no failure of the world is thrown', async () => {
  const { encoders } = bench(() => Promise.reject(new TypeError('ours')));
  await expect(encoders.encoder([])).rejects.toThrow('ours');
});

test('an end cuts short the wait between two tries', async () => {
  const { encoders } = bench(() => Promise.reject(failed('it is away')), { retryMaxMs: 3_600_000 });
  const wait = encoders.encoder([]);
  setTimeout(() => encoders.end(), 150);
  expect(await wait).toBeUndefined();
  expect(await encoders.encoder([])).toBeUndefined();
});

test('an end cuts short the wait for a registry that accepts and does not answer', async () => {
  const silent: Server = createServer();
  const asked = new Promise<void>((resolve) => {
    silent.on('connection', (socket) => {
      ends.push(() => socket.destroy());
      socket.on('error', () => {});
      socket.once('data', () => resolve());
    });
  });
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
  ends.push(() => silent.close());
  const { flows } = defaultKafka({});
  const registry = { ...flows!.registry, url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}` };
  const make = flowEncoder({ ...flows!, encoding: 'avro', registry });
  const { encoders, lines } = bench(make, { retryMaxMs: 3_600_000 });
  const wait = encoders.encoder([]);
  await asked;
  encoders.end();
  expect(await wait).toBeUndefined();
  expect(lines).toEqual([]);
});

test('a registry is asked once for all encoders of a line', async () => {
  const registry = await startRegistry();
  ends.push(() => registry.close());
  const { flows } = defaultKafka({});
  const make = flowEncoder({
    ...flows!,
    encoding: 'avro',
    registry: { ...flows!.registry, url: registry.url },
  });
  const { signal } = new AbortController();
  await make(900_000, signal);
  await make(1000, signal);
  expect(registry.requests).toHaveLength(1);
});
