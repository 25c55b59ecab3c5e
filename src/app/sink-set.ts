import type { Config } from '../config/settings.ts';
import type { SinkKind } from '../pipeline/sink.ts';
import { sinkKinds } from '../sinks/index.ts';
import { AssertionFailure } from '../wire/assert.ts';
import type { SinkPlan } from './shared-memory.ts';

/** The configured sinks that run, in the order of the settings. */
export function sinkPlans(config: Config): SinkPlan[] {
  return Object.entries(config.sinks)
    .filter(([, settings]) => settings.enabled)
    .map(([name, { kind }]) => ({ name, kind, dropReasons: sinkKind(kind).dropReasons }));
}

export function sinkKind(kind: string): SinkKind {
  const found = sinkKinds.find((candidate) => candidate.kind === kind);
  if (found === undefined)
    throw new AssertionFailure(`There is no sink kind "${kind}": the settings were not checked.`);
  return found;
}
