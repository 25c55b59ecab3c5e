import { type TSchema } from 'typebox';
import { leaves } from './schema.ts';
import { afterSinks, beforeSinks, type Config } from './settings.ts';
import { sinkSchemas } from './sink-settings.ts';

/** One setting of a configuration, with its value. */
export interface ConfigLeaf {
  readonly path: readonly string[];
  readonly schema: TSchema;
  readonly value: unknown;
}

/** Every setting of a configuration, in the order in which it is printed. */
export function configLeaves(config: Config): ConfigLeaf[] {
  const sinks = Object.entries(config.sinks).flatMap(([name, sink]) => {
    const schema = sinkSchemas.get(sink.kind);
    return schema === undefined ? [] : leaves(schema, ['sinks', name]);
  });
  return [...leaves(beforeSinks), ...sinks, ...leaves(afterSinks)].map(({ path, schema }) => ({
    path,
    schema,
    value: valueAt(config, path),
  }));
}

function valueAt(config: Config, path: readonly string[]): unknown {
  let value: unknown = config;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}
