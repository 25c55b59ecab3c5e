import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeFlow, FLOW_JSON_MAX_BYTES } from '../../../../src/format/flow-json.ts';
import type { FlowRecord } from '../../../../src/packet/flow-record.ts';
import { AvroFlows, flowSubject } from '../../../../src/sinks/kafka/avro.ts';
import { anyRecord, flowRecord, largestRecord } from '../../../support/flow-records.ts';
import { startRegistry, type TestRegistry } from '../../../support/schema-registry.ts';

let registry: TestRegistry;
let flows: AvroFlows;
let decoder: SchemaRegistry;
beforeAll(async () => {
  registry = await startRegistry(0x01020304);
  flows = await AvroFlows.open(settings(registry.url), 'mirrortap.flows-value', undefined);
  decoder = new SchemaRegistry({ host: registry.url });
});
afterAll(() => registry.close());

const settings = (url: string) => ({ url, username: '', passwordFile: '', passwordEnv: '' });

function json(record: FlowRecord): Buffer {
  const out = Buffer.alloc(FLOW_JSON_MAX_BYTES);
  return out.subarray(0, encodeFlow(record, 'host', out, 0));
}

type Json = Record<string, unknown>;

/** The JSON object as the page says that Avro has it. */
function mapped(text: Buffer): Json {
  const {
    '@timestamp': timestamp,
    event,
    mirrortap,
    ...rest
  } = JSON.parse(text.toString()) as Record<string, Json>;
  const micros = (time: unknown) => {
    const [, seconds = '', digits = ''] = /^(.*)\.(\d{6})\d{3}Z$/.exec(String(time)) ?? [];
    return Number(BigInt(Date.parse(`${seconds}Z`)) * 1000n + BigInt(digits));
  };
  return values({
    ...rest,
    timestamp: micros(timestamp),
    event: { ...event, start: micros(event?.['start']), end: micros(event?.['end']) },
    mirrortap: { ...mirrortap, flow_start: micros(mirrortap?.['flow_start']) },
  }) as Json;
}

function values(value: unknown): unknown {
  if (typeof value === 'number') return Math.min(value, 2 ** 53 - 2);
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(values);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, values(member)]));
}

/** What the other library reads, without the members that are null. */
async function decoded(value: Buffer): Promise<Json> {
  const text = JSON.stringify(await decoder.decode(value));
  return JSON.parse(text, (_key, member: unknown) => (member === null ? undefined : member)) as Json;
}

test('any record is decoded by another library to the same object', async () => {
  await fc.assert(
    fc.asyncProperty(anyRecord, async (record) => {
      const text = json(record);
      expect(await decoded(flows.encode(text))).toEqual(mapped(text));
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['the usual record', () => flowRecord()],
  ['the largest record', largestRecord],
])('%s', async (_name, make) => {
  const text = json(make());
  expect(await decoded(flows.encode(text))).toEqual(mapped(text));
});

test('a value is 0, the schema id big-endian, and a body that is a fraction of the JSON', () => {
  const text = json(flowRecord());
  const value = flows.encode(text);
  expect(value.subarray(0, 5)).toEqual(Buffer.from([0, 1, 2, 3, 4]));
  expect(value.length).toBeLessThan(text.length / 2);
});

test('values do not share memory', () => {
  const first = flows.encode(json(flowRecord({ sequence: 1 })));
  const copy = Buffer.from(first);
  flows.encode(json(flowRecord({ sequence: 2 })));
  expect(first).toEqual(copy);
});

test('times are cut to microseconds', async () => {
  const record = flowRecord({ lastSeconds: 1_767_225_602, lastNanoseconds: 204_040_999 });
  expect(await decoded(flows.encode(json(record)))).toMatchObject({ timestamp: 1_767_225_602_204_040 });
});

test('a duration of more than 104 days is the largest number that every library reads', async () => {
  const record = flowRecord({ firstSeconds: 0, lastSeconds: 0xffff_ffff });
  expect(await decoded(flows.encode(json(record)))).toMatchObject({
    event: { duration: 9_007_199_254_740_990 },
    network: { type: 'ipv4' },
  });
});

describe('flowSubject', () => {
  test.each([
    ['mirrortap.flows', 'mirrortap.flows-value'],
    ['flows-{vni}', 'flows-vni-value'],
  ])('of %s is %s', (topic, subject) => {
    expect(flowSubject(topic)).toBe(subject);
  });
});

test('the schema is registered once, and again without effect', async () => {
  await AvroFlows.open(settings(registry.url), 'mirrortap.flows-value', undefined);
  expect(registry.schemas.size).toBe(1);
});
