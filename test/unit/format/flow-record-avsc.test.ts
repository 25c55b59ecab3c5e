import { readFileSync } from 'node:fs';
import avro from 'avsc';
import { expect, test } from 'vitest';

interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema | false;
  readonly required?: readonly string[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
}
type AvroSchema = string | readonly AvroSchema[] | AvroType;
interface AvroType {
  readonly type: string;
  readonly name?: string;
  readonly logicalType?: string;
  readonly items?: AvroSchema;
  readonly fields?: readonly AvroField[];
}
interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  readonly default?: unknown;
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../src/format/${name}`, import.meta.url), 'utf8'));
const json = read('flow-record.schema.json') as JsonSchema;
const schema = read('flow-record.avsc.json') as AvroType;

/** Each member's path with the Avro type of its values, `?` where it may be missing. */
function jsonMembers(of: JsonSchema, path: string, optional = ''): string[] {
  const name = of.$ref?.slice('#/$defs/'.length);
  if (name === 'time') return [`${path}: timestamp-micros${optional}`];
  const node = name === undefined ? of : (json.$defs?.[name] ?? of);
  if (node.properties !== undefined) {
    const { properties, required = [] } = node;
    const members = Object.entries(properties).flatMap(([key, member]) =>
      jsonMembers(
        member,
        `${path}/${key === '@timestamp' ? 'timestamp' : key}`,
        required.includes(key) ? '' : '?',
      ),
    );
    return [`${path}: record${optional}`, ...members];
  }
  if (node.type === 'array' || Array.isArray(node.enum?.[0])) {
    const items = node.items === undefined || node.items === false ? { type: 'string' } : node.items;
    return [`${path}: array${optional}`, ...jsonMembers(items, `${path}/*`)];
  }
  return [`${path}: ${scalar(node)}${optional}`];
}

function scalar(node: JsonSchema): string {
  if (node.type === 'boolean' || node.const === true) return 'boolean';
  if (node.type !== 'integer') return 'string';
  return (node.maximum ?? Infinity) < 2 ** 31 ? 'int' : 'long';
}

const named = new Map<string, AvroType>();

function avroMembers(of: AvroSchema, path: string, optional = ''): string[] {
  if (Array.isArray(of)) {
    const [none, type = ''] = of as AvroSchema[];
    expect(none).toBe('null');
    return avroMembers(type, path, '?');
  }
  const node = typeof of === 'string' ? (named.get(of) ?? { type: of }) : (of as AvroType);
  if (node.name !== undefined) named.set(`mirrortap.${node.name}`, node);
  if (node.fields !== undefined) {
    const members = node.fields.flatMap(({ name, type }) => avroMembers(type, `${path}/${name}`));
    return [`${path}: record${optional}`, ...members];
  }
  if (node.items !== undefined) return [`${path}: array${optional}`, ...avroMembers(node.items, `${path}/*`)];
  return [`${path}: ${node.logicalType ?? node.type}${optional}`];
}

function fields(of: AvroSchema): AvroField[] {
  if (Array.isArray(of)) return (of as readonly AvroSchema[]).flatMap(fields);
  if (typeof of === 'string') return [];
  const node = of as AvroType;
  const own = node.fields ?? [];
  return [...own, ...own.flatMap(({ type }) => fields(type)), ...(node.items ? fields(node.items) : [])];
}

test('JSON schema and Avro schema have the same members, of the same types, in the same order', () => {
  const members = jsonMembers(json, '');
  expect(members.length).toBeGreaterThan(90);
  expect(avroMembers(schema, '')).toEqual(members);
});

test('what may be missing is null unless said otherwise, so that schemas with and without it read each other', () => {
  const optional = fields(schema).filter(({ type }) => Array.isArray(type));
  expect(optional.length).toBeGreaterThan(30);
  expect(optional.filter((field) => field.default !== null)).toEqual([]);
});

test('a later schema with one more optional field reads records of this one, and the other way round', () => {
  const later = {
    ...schema,
    fields: [...(schema.fields ?? []), { name: 'later', type: ['null', 'string'], default: null }],
  };
  const now = avro.Type.forSchema(schema as avro.Schema);
  const then = avro.Type.forSchema(later as avro.Schema);
  const record = now.random() as object;
  const readLater = then.fromBuffer(now.toBuffer(record), then.createResolver(now)) as object;
  expect(readLater).toMatchObject({ later: null });
  const readNow = now.fromBuffer(then.toBuffer({ ...record, later: 'x' }), now.createResolver(then));
  expect(now.compare(readNow, record)).toBe(0);
});
