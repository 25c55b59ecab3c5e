/**
 * Settings as somebody gave them, before any check: a tree of plain values, each with the place it came from
 * (`mirrortap.yaml:12:3`, `environment MIRRORTAP_WORKERS`, `--set workers=2`).
 */
export type Given = GivenScalar | GivenList | GivenMap;

export interface GivenScalar {
  readonly kind: 'scalar';
  readonly source: string;
  readonly value: string | number | boolean | null;
}

export interface GivenList {
  readonly kind: 'list';
  readonly source: string;
  readonly items: readonly Given[];
}

export interface GivenMap {
  readonly kind: 'map';
  readonly source: string;
  readonly entries: ReadonlyMap<string, GivenEntry>;
}

export interface GivenEntry {
  /** Where the name stands; the value has a place of its own. */
  readonly source: string;
  readonly value: Given;
}

/** Lays `upper` over `lower`: maps are merged key by key, anything else is replaced whole. */
export function merge(lower: Given, upper: Given): Given {
  if (lower.kind !== 'map' || upper.kind !== 'map') return upper;
  const entries = new Map(lower.entries);
  for (const [name, entry] of upper.entries) {
    const below = entries.get(name);
    entries.set(name, below === undefined ? entry : { ...entry, value: merge(below.value, entry.value) });
  }
  return { kind: 'map', source: upper.source, entries };
}

/** One value at a path, as a tree to merge: every step is given by `source`. */
export function nest(path: readonly string[], value: Given): Given {
  return path.reduceRight<Given>(
    (inner, name) => ({
      kind: 'map',
      source: value.source,
      entries: new Map([[name, { source: value.source, value: inner }]]),
    }),
    value,
  );
}

/** A map without entries. */
export function nothing(source: string): GivenMap {
  return { kind: 'map', source, entries: new Map() };
}

/** True for a value that was left empty, as YAML reads `listen:` with nothing behind it. */
export function isEmpty(given: Given): boolean {
  return given.kind === 'scalar' && given.value === null;
}

/** The bare value, without places. */
export function plain(given: Given): unknown {
  if (given.kind === 'scalar') return given.value;
  if (given.kind === 'list') return given.items.map(plain);
  // fromEntries makes own properties of all names, `__proto__` too
  return Object.fromEntries([...given.entries].map(([name, entry]) => [name, plain(entry.value)]));
}

/** Where the value at a path was given, or else the nearest thing around it that was. */
export function sourceAt(given: Given, path: readonly (string | number)[]): string {
  let at = given;
  for (const step of path) {
    const next =
      at.kind === 'map'
        ? at.entries.get(String(step))?.value
        : at.kind === 'list'
          ? at.items[Number(step)]
          : undefined;
    if (next === undefined) break;
    at = next;
  }
  return at.source;
}

const SHOWN_MAX = 60;

/** What was found, for an error: texts in quotes, long values cut. */
export function show(given: Given): string {
  if (given.kind === 'map') return 'a group of settings';
  if (given.kind === 'scalar' && given.value === null) return 'empty';
  const value = plain(given);
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}
