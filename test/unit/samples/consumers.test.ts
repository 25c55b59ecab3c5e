import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kafkaSettings } from '../../../src/sinks/kafka/settings.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

const root = join(import.meta.dirname, '../../..');
const folder = join(root, 'samples/consumers');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const files = readdirSync(folder).filter((name) => name !== 'README.md');
const schema = JSON.parse(readFileSync(join(root, 'src/format/flow-record.schema.json'), 'utf8')) as Schema;
const sql = read('clickhouse.sql');

/** Topics that are written to where nobody says otherwise. */
const { packets, flows } = kafkaSettings.properties;
const packetsTopic = String((packets.properties.topic as { default?: unknown }).default);
const flowsTopic = String((flows.properties.topic as { default?: unknown }).default);

test.each(files)('%s is told of', (name) => {
  expect(read('README.md')).toContain(`\`${name}\``);
});

test('the folder is listed in samples/README.md', () => {
  expect(readFileSync(join(root, 'samples/README.md'), 'utf8')).toContain('(consumers/README.md)');
});

test.each(files.filter((name) => read(name).startsWith('#!')))('%s can be run', (name) => {
  expect(statSync(join(folder, name)).mode & 0o111).toBe(0o111);
});

test.each([
  ['topic-to-pcapng.mjs', `default: '${packetsTopic}'`],
  ['print-flows.mjs', `default: '${flowsTopic}'`],
  ['kcat.sh', `:-${packetsTopic}}`],
  ['kcat.sh', `:-${flowsTopic}}`],
  ['clickhouse.sql', `kafka_topic_list = '${flowsTopic}'`],
  ['connect-s3-flows.json', `"topics": "${flowsTopic}"`],
  ['connect-s3-packets.json', `"topics": "${packetsTopic}"`],
])('%s reads the topic that is written to: %s', (name, text) => {
  expect(read(name)).toContain(text);
});

function has(of: Schema | undefined, [name, ...rest]: readonly string[]): boolean {
  const node = of?.$ref === undefined ? of : schema.$defs?.[of.$ref.slice('#/$defs/'.length)];
  if (name === undefined) return node !== undefined;
  return node?.properties?.[name] !== undefined && has(node.properties[name], rest);
}

test('every member that the SQL takes is one of the record', () => {
  const taken = [...sql.matchAll(/JSON\w+\(record((?:, '[^']+')+)\)/g)].map(([, list = '']) =>
    [...list.matchAll(/'([^']+)'/g)]
      .map(([, name = '']) => name)
      .filter((name) => !name.startsWith('Nullable(')),
  );
  expect(taken.length).toBeGreaterThan(30);
  expect(taken.filter((path) => !has(schema, path))).toEqual([]);
});

test('the view fills every column of the table, in its order', () => {
  const columns = (/mirrortap\.flows\n\(([^]*?)\n\)/.exec(sql)?.[1] ?? '').match(/^ {4}\w+/gm);
  const view = /flows_from_topic TO mirrortap\.flows AS\nSELECT([^]*?)\nFROM/.exec(sql)?.[1] ?? '';
  const filled = view.split('\n').flatMap((line) => /(\w+),?$/.exec(line)?.[1] ?? []);
  expect(filled).toEqual(columns?.map((name) => name.trim()));
});

test.each(['connect-s3-flows.json', 'connect-s3-packets.json'])(
  '%s is the body of a POST to /connectors: a name, and settings that are texts',
  (name) => {
    const { name: connector, config } = JSON.parse(read(name)) as Record<string, Record<string, unknown>>;
    expect(connector).toMatch(/^mirrortap-/);
    expect(Object.values(config ?? {}).filter((value) => typeof value !== 'string')).toEqual([]);
    expect(config).toMatchObject({ 'connector.class': 'io.confluent.connect.s3.S3SinkConnector' });
  },
);

test('nothing stands between two pcapngs', () => {
  const { config } = JSON.parse(read('connect-s3-packets.json')) as { config: Record<string, string> };
  expect(config['format.bytearray.separator']).toBe('');
});
