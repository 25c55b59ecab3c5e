import { isDeepStrictEqual } from 'node:util';
import { configLeaves, type ConfigLeaf } from './config-leaves.ts';
import { annotations } from './schema.ts';
import type { Config } from './settings.ts';

/** One setting that differs between two configurations. */
export interface ConfigChange {
  readonly path: string;
  /** True if it takes effect while the appliance runs; false if it needs a restart. */
  readonly reload: boolean;
}

/** What a reload would change, in the order of the settings. Sinks that come or go need a restart. */
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

function byPath(config: Config): Map<string, ConfigLeaf> {
  return new Map(configLeaves(config).map((leaf) => [leaf.path.join('.'), leaf]));
}
