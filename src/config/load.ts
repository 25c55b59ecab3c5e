import { crossCheck } from './checks.ts';
import { fillGroup } from './fill.ts';
import { fillSinks } from './fill-sinks.ts';
import { type Given, isEmpty, merge, nothing, show } from './given.ts';
import { nearestPath, rootNames } from './known.ts';
import { fromEnvironment, fromOptions, type SettingOption } from './overrides.ts';
import { type Problem, throwProblems, unknownSetting, wrongValue } from './problem.ts';
import { afterSinks, beforeSinks, type Config, type Frozen } from './settings.ts';
import { defaultSink } from './sink-settings.ts';
import { readSettingsFile } from './source-file.ts';
import { readYaml } from './yaml-source.ts';

/** Where settings come from; later ones win, key by key: file, environment, `set`. */
export interface ConfigSources {
  /** Path of the YAML file; with `text`, only the name that errors use. */
  readonly file?: string;
  /** The YAML text itself, where it was read already. */
  readonly text?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `path=value` as after `--set`, and options of a command that stand for settings. */
  readonly set: readonly (string | SettingOption)[];
}

/**
 * Reads, merges, checks and fills all settings. The result is what the rest of the program may trust.
 *
 * @throws MirrorError CONFIG_UNREADABLE for the file; CONFIG_INVALID, or NOT_IN_THIS_VERSION where nothing else
 *   is wrong: all problems are in its message, one a line, the first one in its context
 */
export function loadConfig(sources: ConfigSources): Config {
  const problems: Problem[] = [];
  const file = fileLayer(sources, problems);
  throwProblems(problems);
  const names = sinkNames(file);
  const layers = [
    ...fromEnvironment(sources.environment, names, problems),
    ...fromOptions(sources.set, names, problems),
  ];
  const given = layers.reduce(merge, file);
  const config = fillAll(given, problems);
  throwProblems(problems);
  crossCheck(config, given, problems);
  throwProblems(problems);
  return freeze(config);
}

/** The settings when nobody gives any. */
export function defaultConfig(): Config {
  return loadConfig({ environment: {}, set: [] });
}

function fileLayer({ file, text }: ConfigSources, problems: Problem[]): Given {
  const name = file ?? 'settings';
  const yaml = text ?? (file === undefined ? '' : readSettingsFile(file));
  const given = readYaml(yaml, { name, lines: true }, problems);
  if (given === undefined || isEmpty(given)) return nothing(name);
  if (given.kind !== 'map')
    problems.push(wrongValue(given.source, '', show(given), 'settings such as workers: 2'));
  return given;
}

/** Names that an environment variable may mean, whatever its case. */
function sinkNames(file: Given): string[] {
  const sinks = file.kind === 'map' ? file.entries.get('sinks')?.value : undefined;
  return sinks?.kind === 'map' ? [...sinks.entries.keys()] : [defaultSink.name];
}

/** The whole tree in the order of its reference. The result is a `Config` once there are no problems. */
function fillAll(given: Given, problems: Problem[]): Config {
  const root = given.kind === 'map' ? given : nothing(given.source);
  for (const [name, entry] of root.entries) {
    if (!rootNames.includes(name)) problems.push(unknownSetting(entry.source, name, nearestPath([name])));
  }
  const part = (names: readonly string[]): Given => ({
    ...root,
    entries: new Map([...root.entries].filter(([name]) => names.includes(name))),
  });
  const place = { path: '', source: root.source };
  return {
    ...fillGroup(beforeSinks, part(Object.keys(beforeSinks.properties)), place, problems),
    sinks: fillSinks(root.entries.get('sinks')?.value, root.source, problems),
    ...fillGroup(afterSinks, part(Object.keys(afterSinks.properties)), place, problems),
  };
}

function freeze<T>(value: T): Frozen<T> {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(freeze);
    Object.freeze(value);
  }
  return value as Frozen<T>;
}
