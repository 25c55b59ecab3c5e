import type { TSchema } from 'typebox';
import { type Given, nest } from './given.ts';
import { locate, nearestPath } from './known.ts';
import { contradiction, type Problem, unknownSetting } from './problem.ts';
import { isText } from './schema.ts';
import { readYaml } from './yaml-source.ts';

const PREFIX = 'MIRRORTAP_';

/**
 * Variables that Kubernetes sets in every pod for a service whose name begins with mirrortap, and those of the
 * project's own tests. They are no settings; two underscores, as in MIRRORTAP_HTTP__PORT, always make a setting.
 */
const foreign =
  /^MIRRORTAP_(?:CAPTURES|MISSING|SOAK|(?:[A-Z\d]+_)*(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?))$/;

/** An option of a command that stands for a setting, such as `--vxlan-ports` for `listen.vxlanPorts`. */
export interface SettingOption {
  readonly setting: string;
  /** As `--set` would take it. */
  readonly value: string;
  /** How the user wrote it, for errors. */
  readonly source: string;
}

/** Settings from the environment, each as a tree to lay over what was given before; in the order of their names. */
export function fromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  sinkNames: Iterable<string>,
  problems: Problem[],
): Given[] {
  const layers: Given[] = [];
  const seen = new Map<string, string>();
  for (const name of Object.keys(environment).toSorted()) {
    const value = environment[name];
    const upper = name.toUpperCase();
    if (value === undefined || !upper.startsWith(PREFIX) || foreign.test(upper)) continue;
    const source = `environment ${name}`;
    const path = name.slice(PREFIX.length).toLowerCase().split('__');
    const twin = seen.get(upper);
    if (twin !== undefined)
      problems.push(contradiction(source, path.join('.'), `${twin} says the same setting`));
    seen.set(upper, name);
    const located = locate(path, true, sinkNames);
    if (located === undefined) problems.push(unknownSetting(source, path.join('.'), nearestVariable(path)));
    else layers.push(...layer(located.path, located.schema, value, source, problems));
  }
  return layers;
}

/** The nearest setting and its variable; one underscore where two belong is the slip that is made most. */
function nearestVariable(path: readonly string[]): string | undefined {
  const near = nearestPath(path) ?? nearestPath(path.flatMap((name) => name.split('_')));
  return near === undefined
    ? undefined
    : `${near}, that is ${PREFIX}${near.toUpperCase().replaceAll('.', '__')}`;
}

/** Settings from `--set path=value` and from options that stand for settings, in the order they were given. */
export function fromOptions(
  options: readonly (string | SettingOption)[],
  sinkNames: Iterable<string>,
  problems: Problem[],
): Given[] {
  return options.flatMap((option) => {
    const parsed = typeof option === 'string' ? parseSet(option, problems) : option;
    if (parsed === undefined) return [];
    const path = parsed.setting.split('.');
    const located = locate(path, false, sinkNames);
    if (located !== undefined)
      return layer(located.path, located.schema, parsed.value, parsed.source, problems);
    problems.push(unknownSetting(parsed.source, parsed.setting, nearestPath(path)));
    return [];
  });
}

function parseSet(text: string, problems: Problem[]): SettingOption | undefined {
  const equals = text.indexOf('=');
  if (equals < 1) {
    const expected = 'path=value, such as listen.mode=dgram';
    problems.push(contradiction(`--set ${text}`, '', `expected ${expected}`, text, expected));
    return undefined;
  }
  return {
    setting: text.slice(0, equals),
    value: text.slice(equals + 1),
    source: `--set ${text.slice(0, equals)}`,
  };
}

/** One value as a tree: a text is taken as it is, anything else is read as YAML. */
function layer(
  path: readonly string[],
  schema: TSchema | undefined,
  value: string,
  source: string,
  problems: Problem[],
): Given[] {
  if (schema !== undefined && isText(schema)) return [nest(path, { kind: 'scalar', source, value })];
  const before = problems.length;
  const given = readYaml(value, { name: source, lines: false }, problems);
  if (problems.length > before) return [];
  return [nest(path, given ?? { kind: 'scalar', source, value: null })];
}
