import type { Config } from '../config/settings.ts';
import type { FlowSinkKind } from '../pipeline/flow-sink.ts';
import type { SinkKind } from '../pipeline/sink.ts';
import { flowSinkKinds, sinkKinds } from '../sinks/index.ts';
import { AssertionFailure } from '../wire/assert.ts';
import type { SinkPlan } from './shared-memory.ts';

/** The configured sinks that run, in the order of the settings. */
export function sinkPlans(config: Config): SinkPlan[] {
  return Object.entries(config.sinks)
    .filter(([, settings]) => settings.enabled)
    .map(([name, { kind }]) => sinkPlan(name, kind));
}

function sinkPlan(name: string, kind: string): SinkPlan {
  const flows = flowSinkKinds.find((candidate) => candidate.kind === kind);
  const takes = flows === undefined ? 'packets' : 'flows';
  const { dropReasons, counters = [] } = flows ?? sinkKind(kind);
  return { name, kind, takes, dropReasons, counters };
}

export function sinkKind(kind: string): SinkKind {
  return known(sinkKinds, kind);
}

export function flowSinkKind(kind: string): FlowSinkKind {
  return known(flowSinkKinds, kind);
}

function known<Kind extends { readonly kind: string }>(kinds: readonly Kind[], kind: string): Kind {
  const found = kinds.find((candidate) => candidate.kind === kind);
  if (found === undefined)
    throw new AssertionFailure(`There is no sink kind "${kind}": the settings were not checked.`);
  return found;
}
