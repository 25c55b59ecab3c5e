import avro from 'avsc';
import { FLOW_JSON_MAX_BYTES } from '../../format/flow-json.ts';
import schema from '../../format/flow-record.avsc.json' with { type: 'json' };
import { assert } from '../../wire/assert.ts';
import { registerSchema } from './schema-registry.ts';
import type { KafkaFlowsSettings } from './topic-settings.ts';

/**
 * What stands before the Avro body in the wire format of schema registries (Confluent, "Wire format"):
 *
 *     0  u8   0
 *     1  u32  schema id, big-endian
 */
const HEAD_BYTES = 5;
const ID = 1;

/** Largest number that Avro libraries in JavaScript read: avsc takes integers below 2^53 - 1. */
const NUMBER_MAX = Number.MAX_SAFE_INTEGER - 1;
/** `2026-01-01T00:00:02.204`: what `Date` reads of a time; three digits of microseconds follow. */
const MILLISECONDS_END = 23;
const MICROSECONDS_END = 26;

interface Times {
  readonly '@timestamp': string;
  timestamp?: number;
  readonly event: { start: string | number; end: string | number };
  readonly mirrortap: { flow_start: string | number };
}

/**
 * Flow records as Avro, in a schema registry's wire format. The schema is `format/flow-record.avsc.json`: the members of the
 * JSON record under their own names, but
 *
 * - `@timestamp` is `timestamp`, since Avro's names have no `@`;
 * - the four times are microseconds since the epoch (`timestamp-micros`), cut, not rounded;
 * - what is left out in JSON is null;
 * - a number past 2^53 - 2 is that: a duration of more than 104 days;
 * - half a surrogate pair, which JSON escapes, is U+FFFD.
 */
export class AvroFlows {
  readonly #type: avro.Type;
  readonly #scratch: Buffer;

  /**
   * Registers the schema.
   *
   * Rejects with a MirrorError SCHEMA_REGISTRY_FAILED.
   *
   * @param subject as a rule `flowSubject` of the topic
   * @param ended gives up waiting for the registry
   */
  static async open(
    settings: KafkaFlowsSettings['registry'],
    subject: string,
    password: string | undefined,
    ended?: AbortSignal,
  ): Promise<AvroFlows> {
    const { url, username } = settings;
    const access = { url, username, password };
    return new AvroFlows(await registerSchema(access, subject, JSON.stringify(schema), { ended }));
  }

  private constructor(schemaId: number) {
    this.#type = avro.Type.forSchema(schema as avro.Schema);
    // a text takes at most as many bytes as in JSON; what JSON leaves out takes one
    this.#scratch = Buffer.alloc(HEAD_BYTES + 2 * FLOW_JSON_MAX_BYTES);
    this.#scratch.writeUInt32BE(schemaId, ID);
  }

  /** The record that `json` is, with or without its newline. What is returned is the caller's. */
  encode(json: Buffer): Buffer {
    const text = json.toString();
    let record = JSON.parse(text) as Times;
    // avsc would write half a surrogate pair as what is no UTF-8
    if (text.includes('\\ud')) record = fitting(record) as Times;
    record.timestamp = microseconds(record['@timestamp']);
    record.event.start = microseconds(record.event.start as string);
    record.event.end = microseconds(record.event.end as string);
    record.mirrortap.flow_start = microseconds(record.mirrortap.flow_start as string);
    const end = this.#put(record);
    assert(end > 0, 'A record is no larger as Avro than as JSON.');
    return Buffer.from(this.#scratch.subarray(0, end));
  }

  /** Looking at every number beforehand would cost more than to try again where one is too large. */
  #put(record: Times): number {
    try {
      return this.#type.encode(record, this.#scratch, HEAD_BYTES);
    } catch {
      return this.#type.encode(fitting(record), this.#scratch, HEAD_BYTES);
    }
  }
}

/** Subject of a topic's values, as the clients of registries look for it. `{vni}` becomes `vni`: one subject for all. */
export function flowSubject(topic: string): string {
  return `${topic.replaceAll('{vni}', 'vni')}-value`;
}

function microseconds(time: string): number {
  const milliseconds = Date.parse(`${time.slice(0, MILLISECONDS_END)}Z`);
  return milliseconds * 1000 + Number(time.slice(MILLISECONDS_END, MICROSECONDS_END));
}

/** The same value with numbers and texts that Avro can have. */
function fitting(value: unknown): unknown {
  if (typeof value === 'number') return Math.min(value, NUMBER_MAX);
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(fitting);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fitting(member)]));
}
