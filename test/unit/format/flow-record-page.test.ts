import { readFileSync } from 'node:fs';
import { Compile } from 'typebox/schema';
import { NAMES_MAX as KEPT_MAX } from '../../../src/receive/flows/name-arena.ts';
import { expect, test } from 'vitest';
import { NAME_CHARS_MAX, NAMES_MAX } from '../../../src/format/flow-json-names.ts';
import { flowEndReasonNames, initiatorNames } from '../../../src/packet/flow-record.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema | false;
  readonly required?: readonly string[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const page = read('docs/flow-records.md');
const schema = JSON.parse(read('src/format/flow-record.schema.json')) as Schema;
const example: unknown = JSON.parse(/```json\n([^]*?)```/.exec(page)?.[1] ?? '');

/** Every member that has a value of its own, by its path. */
function paths(of: Schema, path: readonly string[] = []): string[] {
  const resolved = of.$ref === undefined ? of : (schema.$defs?.[of.$ref.slice('#/$defs/'.length)] ?? of);
  const items = resolved.items === undefined || resolved.items === false ? undefined : resolved.items;
  const members = resolved.properties ?? items?.properties;
  if (members === undefined) return [path.join('.')];
  return Object.entries(members).flatMap(([name, member]) => paths(member, [...path, name]));
}

/** Names in the first column of the table of members. */
const listed = page
  .slice(page.indexOf('| member |'), page.indexOf('At most '))
  .split('\n')
  .slice(2)
  .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));

test('the record that is explained is a right one', () => {
  const [, errors] = Compile(schema).Errors(example);
  expect(errors).toEqual([]);
});

test('every member is explained, and no other', () => {
  const known = paths(schema);
  const same = /^mirrortap\.tcp\.destination\.(?!flags)/;
  expect(listed.filter((name) => !known.includes(name))).toEqual(['mirrortap.tcp.destination.…']);
  expect(known.filter((name) => !listed.includes(name) && !same.test(name))).toEqual([]);
});

test('end reasons, initiators and limits are those of the program', () => {
  for (const name of [...flowEndReasonNames, ...initiatorNames]) expect(page).toContain(`\n| \`${name}\` | `);
  expect(page).toContain(`At most ${KEPT_MAX} names of a flow are kept`);
  expect(page).toContain(`one of more than ${NAME_CHARS_MAX} characters is not`);
  expect(KEPT_MAX).toBeLessThanOrEqual(NAMES_MAX);
});

test('it says what is not found', () => {
  expect(page.replaceAll('\n', ' ')).toContain(
    'copies that a load balancer sends to different appliances are not found',
  );
});
