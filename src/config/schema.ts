import { type TObject, type TSchema, Type } from 'typebox';

/**
 * What we write beside a setting's type, in the same declaration:
 *
 *   description  one sentence or two: what it means
 *   default      the value where nobody gives one; without it the setting must be given
 *   unit         of a number: bytes, s, µs, packets …
 *   reload       true: takes effect on SIGHUP; false: needs a restart
 *   later        true: a later version builds it, and this one takes only what turns it off, which is what the
 *                type says
 *   expected     what a right value is, where the type does not say it well
 *   secret       true: never printed
 *   off          of a group: true: null turns it off, and is its value then
 *   examples     values worth showing
 */
export interface Annotations {
  readonly description?: string;
  readonly default?: unknown;
  readonly unit?: string;
  readonly reload?: boolean;
  readonly later?: true;
  readonly expected?: string;
  readonly secret?: boolean;
  readonly off?: boolean;
  readonly examples?: readonly unknown[];
}

/** The limits that JSON Schema puts on a value, as far as our settings use them. */
interface Limits {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
}

/** Stands for the value of a secret wherever it would be shown. */
export const MASK = '(hidden)';

/** One setting that has a value of its own: not a group of others. */
export interface Leaf {
  readonly path: readonly string[];
  readonly schema: TSchema;
}

export function annotations(schema: TSchema): Annotations {
  return schema;
}

export function limits(schema: TSchema): Limits {
  return schema;
}

/** The settings of a group, in the order in which they are declared. */
export function members(schema: TObject): readonly (readonly [name: string, schema: TSchema])[] {
  return Object.entries(schema.properties);
}

/** Every setting below a schema, depth first, in the order in which they are declared. */
export function leaves(schema: TSchema, path: readonly string[] = []): Leaf[] {
  if (!Type.IsObject(schema)) return [{ path, schema }];
  return members(schema).flatMap(([name, member]) => leaves(member, [...path, name]));
}

/** A setting whose value on a command line is taken as it is, without being read as YAML. */
export function isText(schema: TSchema): boolean {
  if (Type.IsString(schema)) return true;
  if (Type.IsLiteral(schema)) return typeof schema.const === 'string';
  if (Type.IsUnion(schema)) return schema.anyOf.every(isText);
  return Type.IsEnum(schema) && !isSwitch(schema) && schema.enum.every((value) => typeof value === 'string');
}

/** `on` and `off` among other words: may be given as true and false. */
export function isSwitch(schema: TSchema): boolean {
  return Type.IsEnum(schema) && schema.enum.some((value) => value === 'off' || value === 'on');
}

/** What a right value is, for people: `a whole number from 1 to 65535`, `auto or dgram`. */
export function describe(schema: TSchema): string {
  const { expected } = annotations(schema);
  if (expected !== undefined) return expected;
  if (Type.IsObject(schema)) return 'a group of settings';
  if (Type.IsEnum(schema)) return either(schema.enum.map(word));
  if (Type.IsLiteral(schema)) return word(schema.const);
  if (Type.IsUnion(schema)) return either(schema.anyOf.map(describe));
  if (Type.IsArray(schema)) return list(schema.items);
  if (Type.IsInteger(schema)) return `a whole number${range(schema)}`;
  if (Type.IsNumber(schema)) return `a number${range(schema)}`;
  if (Type.IsBoolean(schema)) return 'true or false';
  if (Type.IsNull(schema)) return 'no value';
  return 'text';
}

function list(items: TSchema): string {
  if (Type.IsNever(items)) return '[]';
  return Type.IsObject(items)
    ? `a list of groups { ${Object.keys(items.properties).join(', ')} }`
    : `a list, each item ${describe(items)}`;
}

function range(schema: TSchema): string {
  const { minimum, maximum } = limits(schema);
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return maximum === undefined ? '' : ` of at most ${maximum}`;
}

function word(value: unknown): string {
  return value === '' ? '""' : String(value);
}

/** `a`, `a or b`, `a, b or c`. */
export function either(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}
