import { type Static, type TObject, type TSchema, Type } from 'typebox';
import { Check } from 'typebox/schema';
import { type Given, type GivenList, type GivenMap, isEmpty, plain, show } from './given.ts';
import { nearestPath } from './known.ts';
import { notInThisVersion, type Problem, unknownSetting, wrongValue } from './problem.ts';
import { annotations, describe, isSwitch, limits, MASK, members } from './schema.ts';
import { suggest } from './suggest.ts';

/** Where a value belongs, and where to point at when nobody gave it. */
export interface Place {
  /** Path such as `admission.expect[0]`; empty for the root. */
  readonly path: string;
  /** The place of what is around it. */
  readonly source: string;
}

/**
 * Checks a group of settings and puts defaults where nothing was given.
 *
 * @returns every member in the order of its declaration; not to be used once there are problems
 */
export function fillGroup<Schema extends TObject>(
  schema: Schema,
  given: Given | undefined,
  place: Place,
  problems: Problem[],
): Static<Schema> {
  const group = given === undefined || isEmpty(given) ? undefined : given;
  const filled: Record<string, unknown> = {};
  if (group !== undefined && group.kind !== 'map') {
    problems.push(wrongValue(group.source, place.path, show(group), describe(schema)));
    return filled as Static<Schema>;
  }
  if (group !== undefined) refuseUnknown(schema, group, place.path, problems);
  const source = group?.source ?? place.source;
  for (const [name, member] of members(schema)) {
    const below = { path: join(place.path, name), source };
    filled[name] = fill(member, group?.entries.get(name)?.value, below, problems);
  }
  return filled as Static<Schema>;
}

function refuseUnknown(schema: TObject, group: GivenMap, path: string, problems: Problem[]): void {
  const known = Object.keys(schema.properties);
  for (const [name, entry] of group.entries) {
    if (known.includes(name)) continue;
    const wrong = join(path, name);
    const sibling = suggest(name, known);
    const near = sibling === undefined ? nearestPath(wrong.split('.')) : join(path, sibling);
    problems.push(unknownSetting(entry.source, wrong, near));
  }
}

/** Checks one value or fills in its default. */
export function fill(schema: TSchema, given: Given | undefined, place: Place, problems: Problem[]): unknown {
  if (Type.IsObject(schema)) {
    const isOff = annotations(schema).off === true && given !== undefined && isEmpty(given);
    return isOff ? null : fillGroup(schema, given, place, problems);
  }
  const { later, default: fallback, secret } = annotations(schema);
  if (given === undefined) {
    if (fallback !== undefined) return structuredClone(fallback);
    problems.push(wrongValue(place.source, place.path, 'missing', describe(schema)));
    return undefined;
  }
  const value = normalise(schema, plain(given));
  if (Check(schema, value)) return value;
  const found = secret === true ? MASK : show(given);
  if (later === true) {
    problems.push(notInThisVersion(given.source, place.path, found, describe(schema)));
  } else if (given.kind !== 'list' || !refuseItems(schema, given, place, problems)) {
    problems.push(wrongValue(given.source, place.path, found, describe(schema) + such(schema)));
  }
  return value;
}

/** An example of a list, which many people write as one value. */
function such(schema: TSchema): string {
  const { examples = [] } = annotations(schema);
  return Type.IsArray(schema) && examples.length > 0 ? `, such as ${JSON.stringify(examples[0])}` : '';
}

/** Points at the items of a list that are wrong, or says what is wrong with all of it; false if neither. */
function refuseItems(schema: TSchema, given: GivenList, place: Place, problems: Problem[]): boolean {
  const list = Type.IsUnion(schema) ? schema.anyOf.find((option) => Type.IsArray(option)) : schema;
  if (list === undefined || !Type.IsArray(list)) return false;
  const before = problems.length;
  for (const [index, item] of given.items.entries()) {
    fill(list.items, item, { path: `${place.path}[${index}]`, source: given.source }, problems);
  }
  if (problems.length > before) return true;
  const { maxItems, minItems, uniqueItems } = limits(list);
  const count = given.items.length;
  const few = minItems !== undefined && count < minItems ? `at least ${minItems}` : undefined;
  const many = maxItems !== undefined && count > maxItems ? `at most ${maxItems}` : undefined;
  const expected = few ?? many ?? (uniqueItems === true ? 'each item once' : describe(list));
  problems.push(wrongValue(given.source, place.path, `a list of ${count}`, expected));
  return true;
}

/** Takes true and false for `on` and `off`, and the other way round. */
function normalise(schema: TSchema, value: unknown): unknown {
  if (typeof value === 'boolean' && isSwitch(schema)) return value ? 'on' : 'off';
  const boolean = Type.IsBoolean(schema) || (Type.IsLiteral(schema) && typeof schema.const === 'boolean');
  if (boolean && (value === 'on' || value === 'off')) return value === 'on';
  return value;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
