import { isDeepStrictEqual } from 'node:util';
import { crossCheck } from './checks.ts';
import { type ConfigLeaf, configLeaves } from './config-leaves.ts';
import { nothing } from './given.ts';
import { type Problem, throwProblems } from './problem.ts';
import { annotations } from './schema.ts';
import type { Config } from './settings.ts';

/** One setting that differs between two configurations. */
export interface ConfigChange {
  readonly path: string;
  /** True if it takes effect while the appliance runs; false if it needs a restart. */
  readonly reload: boolean;
}

/** Every difference, in the order of the settings. A sink that comes or goes needs a restart. */
export function configChanges(oldConfig: Config, newConfig: Config): ConfigChange[] {
  const before = byPath(oldConfig);
  const after = byPath(newConfig);
  const changes: ConfigChange[] = [];
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const [from, to] = [before.get(path), after.get(path)];
    if (isDeepStrictEqual(from?.value, to?.value)) continue;
    const known = from !== undefined && to !== undefined;
    changes.push({ path, reload: known && annotations(to.schema).reload === true });
  }
  return changes;
}

/**
 * The settings that run, with the new values of those that can change while they do: what a reload leads to.
 *
 * @throws MirrorError CONFIG_INVALID where the settings that can change do not go with those that stay
 */
export function reloadedConfig(oldConfig: Config, newConfig: Config): Config {
  const after = byPath(newConfig);
  const config: Config = structuredClone(oldConfig);
  for (const { path, reload } of configChanges(oldConfig, newConfig)) {
    const leaf = after.get(path);
    if (reload && leaf !== undefined) put(config, leaf);
  }
  const problems: Problem[] = [];
  crossCheck(config, nothing('reload'), problems);
  throwProblems(problems);
  return config;
}

function byPath(config: Config): Map<string, ConfigLeaf> {
  return new Map(configLeaves(config).map((leaf) => [leaf.path.join('.'), leaf]));
}

/** Puts one value into a copy that nobody else holds. */
function put(config: Config, { path, value }: ConfigLeaf): void {
  let group: unknown = config;
  for (const name of path.slice(0, -1)) group = Reflect.get(Object(group), name);
  Reflect.set(Object(group), path.at(-1) ?? '', value);
}
