import type { SinkContext } from '../../pipeline/sink.ts';
import { assert } from '../../wire/assert.ts';
import { InjectSink } from './inject-sink.ts';
import { type Network, PacketNetwork } from './network.ts';
import type { InjectSettings } from './settings.ts';

/** The sink of `receive` that writes to network interfaces. */
export function liveInject(
  settings: InjectSettings,
  context: SinkContext,
  network: Network = new PacketNetwork(),
): InjectSink {
  const { completer: frames } = context;
  assert(frames !== undefined, 'app hands in what completes frames');
  return new InjectSink(context, { settings, network, frames });
}
