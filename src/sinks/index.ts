import type { ChannelMemory } from '../pipeline/channel/channel-memory.ts';
import type { FlowSinkKind } from '../pipeline/flow-sink.ts';
import type { SinkKind } from '../pipeline/sink.ts';
import { liveFiles } from './files/create.ts';
import { filesDropReasons } from './files/files-sink.ts';
import { liveFlows } from './flow-files/create.ts';
import { flowFilesDropReasons } from './flow-files/drop-reasons.ts';
import { liveInject } from './inject/create.ts';
import { injectCounters, injectDropReasons } from './inject/drop-reasons.ts';
import type { InjectSettings } from './inject/settings.ts';
import { KafkaFlowsSink } from './kafka/flows-sink.ts';
import { kafkaCounters, kafkaDropReasons } from './kafka/names.ts';
import { KafkaPacketsSink } from './kafka/packets-sink.ts';
import type { KafkaSettings } from './kafka/settings.ts';
import { livePipe } from './pipe/create.ts';
import { pipeDropReasons } from './pipe/drop-reasons.ts';
import type { PipeSettings } from './pipe/settings.ts';
import type { FilesSettings, FlowFilesSettings } from './settings.ts';
import { AssertionFailure } from '../wire/assert.ts';

/** A Kafka sink's own half in each worker; the other half is the courier (kafka/courier/). */
const kafkaPackets: SinkKind = {
  kind: 'kafka',
  remote: true,
  dropReasons: kafkaDropReasons,
  counters: kafkaCounters,
  isWanted: (settings) => (settings as unknown as KafkaSettings).packets !== null,
  channel: (settings) => (settings as unknown as KafkaSettings).queue,
  create: (_, context) => new KafkaPacketsSink({ ...context, channel: channelOf(context) }),
};

const kafkaFlows: FlowSinkKind = {
  ...kafkaPackets,
  isWanted: (settings) => (settings as unknown as KafkaSettings).flows !== null,
  create: (_, context) => new KafkaFlowsSink({ ...context, channel: channelOf(context) }),
};

const files: SinkKind = {
  kind: 'files',
  dropReasons: filesDropReasons,
  create: (settings, context) => liveFiles(settings as unknown as FilesSettings, context),
};

const flowFiles: FlowSinkKind = {
  kind: 'flow-files',
  dropReasons: flowFilesDropReasons,
  create: (settings, context) => liveFlows(settings as unknown as FlowFilesSettings, context),
};

const inject: SinkKind = {
  kind: 'inject',
  dropReasons: injectDropReasons,
  counters: injectCounters,
  create: (settings, context) => liveInject(settings as unknown as InjectSettings, context),
};

const pipe: SinkKind = {
  kind: 'pipe',
  dropReasons: pipeDropReasons,
  create: (settings, context) => livePipe(settings as unknown as PipeSettings, context),
};

/** Every kind of sink that takes packets. A new one is one line here and one in `sinkSettings`; the contract tests follow. */
export const sinkKinds: readonly SinkKind[] = [files, kafkaPackets, inject, pipe];

/** Every kind of sink that takes flow records. A new one is one line here and one in `flowSinkSettings`. */
export const flowSinkKinds: readonly FlowSinkKind[] = [flowFiles, kafkaFlows];

function channelOf({ channel }: { readonly channel?: ChannelMemory }): ChannelMemory {
  if (channel === undefined) throw new AssertionFailure('A Kafka sink was made without a channel.');
  return channel;
}
