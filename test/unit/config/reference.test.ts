import { readFileSync, writeFileSync } from 'node:fs';
import type { TSchema } from 'typebox';
import { expect, test } from 'vitest';
import { referenceRows, referenceText } from '../../../src/config/reference.ts';
import { leaves } from '../../../src/config/schema.ts';
import { afterSinks, beforeSinks } from '../../../src/config/settings.ts';
import { sinkSchemas } from '../../../src/config/sink-settings.ts';
import { packetSink } from '../../../src/pipeline/settings.ts';

const docs = new URL('../../../docs/settings.md', import.meta.url);

test('docs/settings.md is what config reference prints (UPDATE_DOCS=1 writes it anew)', () => {
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(docs, referenceText());
  expect(readFileSync(docs, 'utf8')).toBe(referenceText());
});

test('every setting is listed once, one of several kinds of sinks once a kind', () => {
  const paths = (schema: TSchema, path: string[] = []): string[] =>
    leaves(schema, path).map((leaf) => `\`${leaf.path.join('.')}\``);
  const common = [...paths(packetSink, ['sinks', 'NAME']), '`sinks.NAME.kind`'];
  const ofKinds = [...sinkSchemas.values()].flatMap((schema) => paths(schema, ['sinks', 'NAME']));
  const known = [
    ...paths(beforeSinks),
    ...common,
    ...ofKinds.filter((path) => !common.includes(path)),
    ...paths(afterSinks),
  ];
  const listed = referenceRows().map(({ path }) => path);
  expect(listed.toSorted()).toEqual(known.toSorted());
});

test('a row says type, default, unit, whether it can be reloaded, and what it means', () => {
  const rows = new Map(referenceRows().map((row) => [row.path, row]));
  expect(rows.get('`admission.laneIdleSeconds`')).toEqual({
    path: '`admission.laneIdleSeconds`',
    type: 'a whole number from 1 to 31536000',
    default: '`86400`',
    unit: 's',
    reload: 'yes',
    meaning:
      'A lane without packets for so long is closed and its place is freed. While TCP flows of it are open it waits for ' +
      'them, at most analysis.flows.idleSeconds.tcp longer, and not while more than half of maxLanes are in use.',
  });
  expect(rows.get('`sinks.NAME.compress`')?.meaning).toMatch(/Compression of finished files/);
  expect(rows.get('`sinks.NAME.select.filter`')?.meaning).toContain('tcp port 443 and host 10.0.0.5');
  expect(rows.get('`http.token`')?.type).toBe('later; only no value');
  expect(rows.get('`sinks.NAME.kind`')?.default).toBe('must be given');
  expect(rows.get('`admission.expect`')?.meaning).toContain('`silentSeconds`: After so long');
});

test('no line ends in spaces', () => {
  expect(referenceText()).not.toMatch(/ \n/);
});
