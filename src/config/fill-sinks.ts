import { fill, fillGroup } from './fill.ts';
import { type Given, type GivenEntry, type GivenMap, isEmpty, nothing, show } from './given.ts';
import { type Problem, wrongValue } from './problem.ts';
import {
  defaultSink,
  kindSetting,
  type SinkSettings,
  sinkNameExpected,
  sinkNamePattern,
  sinkSchemas,
} from './sink-settings.ts';

const SINKS_MAX = 64;
const PATH = 'sinks';

/**
 * Checks the sinks and fills in their defaults. The default sink is there only while none is named; a name
 * without settings (`bus:`) takes a sink out.
 */
export function fillSinks(
  given: Given | undefined,
  source: string,
  problems: Problem[],
): Record<string, SinkSettings> {
  const sinks: Record<string, SinkSettings> = {};
  const group = given === undefined || isEmpty(given) ? nothing(source) : given;
  if (group.kind !== 'map') {
    problems.push(wrongValue(group.source, PATH, show(group), 'a group of sinks, each under its name'));
    return sinks;
  }
  if (group.entries.size > SINKS_MAX) {
    problems.push(wrongValue(group.source, PATH, `${group.entries.size} sinks`, `at most ${SINKS_MAX}`));
    return sinks;
  }
  const entries = group.entries.size === 0 ? withDefaultSink(source) : group.entries;
  for (const [name, entry] of entries) {
    if (!sinkNamePattern.test(name)) {
      problems.push(wrongValue(entry.source, `${PATH}.${name}`, 'not a name for a sink', sinkNameExpected));
    } else if (!isEmpty(entry.value)) {
      const sink = fillSink(name, entry, problems);
      if (sink !== undefined) sinks[name] = sink;
    }
  }
  return sinks;
}

function withDefaultSink(source: string): ReadonlyMap<string, GivenEntry> {
  return new Map([[defaultSink.name, { source, value: nothing(source) }]]);
}

function fillSink(name: string, entry: GivenEntry, problems: Problem[]): SinkSettings | undefined {
  const path = `${PATH}.${name}`;
  const given = entry.value;
  if (given.kind !== 'map') {
    problems.push(
      wrongValue(given.source, path, show(given), 'a group of settings, or nothing to take the sink out'),
    );
    return undefined;
  }
  const named = withKind(name, given);
  const before = problems.length;
  const place = { path: `${path}.kind`, source: entry.source };
  const kind = fill(kindSetting, named.entries.get('kind')?.value, place, problems);
  const schema = sinkSchemas.get(String(kind));
  if (problems.length > before || schema === undefined) return undefined;
  return fillGroup(schema, named, { path, source: entry.source }, problems) as SinkSettings;
}

/** The default sink keeps its kind while somebody changes only its other settings. */
function withKind(name: string, given: GivenMap): GivenMap {
  if (name !== defaultSink.name || given.entries.has('kind')) return given;
  const { source } = given;
  const kind: GivenEntry = { source, value: { kind: 'scalar', source, value: defaultSink.kind } };
  return { ...given, entries: new Map([...given.entries, ['kind', kind]]) };
}
