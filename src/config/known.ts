import { type TSchema, Type } from 'typebox';
import { leaves } from './schema.ts';
import { afterSinks, beforeSinks } from './settings.ts';
import { sinkSchemas } from './sink-settings.ts';
import { suggest } from './suggest.ts';

/** The names at the root, in the order in which they are printed. */
export const rootNames: readonly string[] = [
  ...Object.keys(beforeSinks.properties),
  'sinks',
  ...Object.keys(afterSinks.properties),
];

/** The names a sink's setting may have, whatever its kind. */
const sinkMembers: ReadonlyMap<string, TSchema> = new Map(
  [...sinkSchemas.values()].flatMap((schema) => Object.entries(schema.properties)),
);

const groups: readonly TSchema[] = [beforeSinks, afterSinks];

/** Every path outside `sinks`, by its last name, for a setting that was put in the wrong group. */
const pathsByLastName: ReadonlyMap<string, string> = new Map(
  groups.flatMap((schema) => leaves(schema).map(({ path }) => [path.at(-1) ?? '', path.join('.')] as const)),
);

/** The known path nearest to one that is not known; `undefined` where nothing is near. */
export function nearestPath(path: readonly string[]): string | undefined {
  const [root = '', ...rest] = path;
  const nearRoot = nearest(root, rootNames);
  // what is wrong further down depends on the kind of sink
  if (nearRoot === 'sinks') return root === nearRoot ? undefined : [nearRoot, ...rest].join('.');
  const group = groups.find(
    (schema) => nearRoot !== undefined && member(schema, nearRoot, false) !== undefined,
  );
  const straight = group === undefined ? undefined : descendNear(group, path);
  if (straight !== undefined) return straight.join('.');
  const last = nearest(path.at(-1) ?? '', pathsByLastName.keys());
  return last === undefined ? undefined : pathsByLastName.get(last);
}

function descendNear(from: TSchema, path: readonly string[]): string[] | undefined {
  let schema = from;
  const proper: string[] = [];
  for (const name of path) {
    const near = Type.IsObject(schema) ? nearest(name, Object.keys(schema.properties)) : undefined;
    const next = near === undefined ? undefined : member(schema, near, false);
    if (next === undefined) return undefined;
    [, schema] = next;
    proper.push(next[0]);
  }
  return proper;
}

function nearest(name: string, known: Iterable<string>): string | undefined {
  const names = [...known];
  return names.includes(name) ? name : suggest(name, names);
}

/** What stands at a path: `schema` is missing where only the setting itself can tell, as in a sink of unknown kind. */
export interface Located {
  /** The path in its proper spelling. */
  readonly path: readonly string[];
  readonly schema: TSchema | undefined;
}

/**
 * Finds the setting at a path that came without its surroundings.
 *
 * @param anyCase names are matched whatever their case, as environment variables need it
 * @param sinkNames the sinks that are known already; another one is taken as it is
 * @returns `undefined` where a name in the path is not known
 */
export function locate(
  path: readonly string[],
  anyCase: boolean,
  sinkNames: Iterable<string>,
): Located | undefined {
  const [root = '', ...rest] = path;
  if (same(root, 'sinks', anyCase)) return locateSink(rest, anyCase, sinkNames);
  const group = groups.find((schema) => member(schema, root, anyCase) !== undefined);
  return group === undefined ? undefined : descend(group, path, anyCase);
}

function locateSink(path: readonly string[], anyCase: boolean, sinkNames: Iterable<string>): Located {
  const [given, first, ...rest] = path;
  if (given === undefined) return { path: ['sinks'], schema: undefined };
  const name = [...sinkNames].find((known) => same(known, given, anyCase)) ?? given;
  if (first === undefined) return { path: ['sinks', name], schema: undefined };
  const setting = [...sinkMembers.keys()].find((known) => same(known, first, anyCase));
  const schema = setting === undefined ? undefined : sinkMembers.get(setting);
  const below = schema === undefined ? undefined : descend(schema, rest, anyCase);
  return {
    path: ['sinks', name, setting ?? first, ...(below?.path ?? rest)],
    schema: below?.schema,
  };
}

function descend(from: TSchema, path: readonly string[], anyCase: boolean): Located | undefined {
  let schema = from;
  const proper: string[] = [];
  for (const name of path) {
    const next = member(schema, name, anyCase);
    if (next === undefined) return undefined;
    [, schema] = next;
    proper.push(next[0]);
  }
  return { path: proper, schema };
}

function member(schema: TSchema, name: string, anyCase: boolean): readonly [string, TSchema] | undefined {
  if (!Type.IsObject(schema)) return undefined;
  return Object.entries(schema.properties).find(([known]) => same(known, name, anyCase));
}

function same(known: string, given: string, anyCase: boolean): boolean {
  return anyCase ? known.toLowerCase() === given.toLowerCase() : known === given;
}
