import type { Config } from '../../config/settings.ts';
import type { FlowSinkKind } from '../../pipeline/flow-sink.ts';
import type { SinkKind } from '../../pipeline/sink.ts';
import { flowSinkKinds, sinkKinds } from '../../sinks/index.ts';
import { AssertionFailure } from '../../wire/assert.ts';
import type { SinkPlan } from '../shared-memory.ts';

/** The configured sinks that run, in the order of the settings. */
export function sinkPlans(config: Config): SinkPlan[] {
  return Object.entries(config.sinks)
    .filter(([, settings]) => settings.enabled)
    .flatMap(([name, settings]) => plansOf(name, settings));
}

/** One plan for what a sink takes; two where it takes packets and flow records. */
function plansOf(sink: string, settings: Config['sinks'][string]): SinkPlan[] {
  const { kind } = settings;
  const ofPackets = sinkKinds.find((candidate) => candidate.kind === kind);
  const ofFlows = flowSinkKinds.find((candidate) => candidate.kind === kind);
  const isBoth = ofPackets !== undefined && ofFlows !== undefined;
  const entries = [
    { takes: 'packets', name: sink, entry: ofPackets },
    { takes: 'flows', name: isBoth ? `${sink}.flows` : sink, entry: ofFlows },
  ] as const;
  return entries.flatMap(({ takes, name, entry }) => {
    if (entry === undefined || entry.isWanted?.(settings) === false) return [];
    const { dropReasons, counters = [], remote = false } = entry;
    const channel = entry.channel?.(settings);
    const plan = { name, sink, kind, takes, remote, dropReasons, counters };
    return [channel === undefined ? plan : { ...plan, channel }];
  });
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
