import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ProducerEvents } from '../../../src/native/kafka-events.ts';
import { RdKafkaOptionError } from '../../../src/native/kafka-opening.ts';
import { KafkaProducer } from '../../../src/native/kafka-producer.ts';
import * as facts from '../../../src/native/rdkafka-layout.ts';
import type { Layout } from '../../../src/native/layout.ts';
import { cFacts, cLayout } from '../../support/c-facts.ts';
import { requiresRdKafka } from '../../support/native.ts';
import { missing, requires } from '../../support/requires.ts';

const hasLibrary = await requiresRdKafka();

function requiresHeader(): boolean {
  if (existsSync('/usr/include/librdkafka/rdkafka.h')) return requires('gcc');
  const what = 'numbers and structures of librdkafka against its header file';
  missing({ what, remedy: 'apt-get install --yes librdkafka-dev', weight: 'offered' });
  return false;
}

describe.runIf(requiresHeader())('as the header file has it', () => {
  const { rdKafkaNumber, rdKafkaError, ...layouts } = facts;
  const header = ['librdkafka/rdkafka.h'];

  test.each(Object.entries(layouts as Record<string, Layout>))('%s', (_name, layout) => {
    expect(layout).toEqual(cLayout(layout));
  });
  test.each([
    ['numbers', rdKafkaNumber],
    ['errors', rdKafkaError],
  ])('%s', (_name, group) => {
    expect(Object.fromEntries(cFacts(header, Object.keys(group)))).toEqual(group);
  });
});

const nothing = (): void => undefined;
const deaf: ProducerEvents = {
  reported: nothing,
  settled: nothing,
  failed: nothing,
  logged: nothing,
  tokenWanted: nothing,
};

describe.runIf(hasLibrary)('a producer', () => {
  test.each([
    { option: 'no.such.option', value: '1', text: /No such configuration property/ },
    { option: 'linger.ms', value: 'soon', text: /Invalid value/ },
  ])('refuses the option $option: $value', ({ option, value, text }) => {
    const open = (): KafkaProducer => new KafkaProducer(new Map([[option, value]]), deaf);
    expect(open).toThrow(RdKafkaOptionError);
    expect(open).toThrow(text);
  });

  test('tells each record that it gives up by what it was given with', async () => {
    const reported: [number, number][] = [];
    const options = new Map([['bootstrap.servers', '127.0.0.1:9']]);
    const producer = new KafkaProducer(options, {
      ...deaf,
      reported: (opaque, error) => reported.push([opaque, error]),
    });
    const record = { key: Buffer.alloc(0), value: Buffer.from('value'), timestampMs: 1, headers: new Map() };
    const opaques = [1, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
    for (const opaque of opaques) {
      producer.aim('topic', 0, opaque);
      expect(producer.produce(record)).toBe(0);
    }
    producer.purge();
    await expect.poll(() => reported.length).toBe(opaques.length);
    expect(reported.map(([opaque]) => opaque).toSorted((a, b) => a - b)).toEqual(opaques);
    expect(new Set(reported.map(([, error]) => error))).toEqual(
      new Set([facts.rdKafkaError.RD_KAFKA_RESP_ERR__PURGE_QUEUE]),
    );
    await producer.close();
  });
});

const program = join(import.meta.dirname, '../../support/programs/rdkafka-ends.ts');

test
  .runIf(hasLibrary)
  .each([
    'close',
    'close and terminate',
    'terminate',
    'terminate twice',
    'exit of the process',
    'exit of the thread',
  ])('a worker thread and its process end well by %s', async (end) => {
  const child = spawn(process.execPath, [program, end], { stdio: 'inherit' });
  const [status, signal] = (await once(child, 'exit')) as [number | null, string | null];
  expect({ status, signal }).toEqual({ status: 3, signal: null });
});
