import { hostname } from 'node:os';
import { effectiveOutput } from '../../config/presets.ts';
import type { Config } from '../../config/settings.ts';
import type { WorkerIntake } from '../../inputs/intake.ts';
import type { Log } from '../../observe/log.ts';
import type { LaneReader } from '../../packet/lane.ts';
import type { FinishedFile } from '../../pipeline/finished-file.ts';
import type { FlowFileNews } from '../../pipeline/flow-sink.ts';
import { Outlet, type QueueLimits } from '../../pipeline/outlet.ts';
import { CutFrames } from '../../receive/cut-frames.ts';
import { AssertionFailure } from '../../wire/assert.ts';
import { openFilesShare } from './open-files.ts';
import { sinkCountersOf } from '../shared-memory.ts';
import type { FlowOutlet, PacketOutlet } from '../packet-path.ts';
import { selectSink } from '../selected-sink.ts';
import { shapeSink } from '../shaped-sink.ts';
import { flowSinkKind, sinkKind } from './sink-set.ts';
import type { WorkerStart } from '../worker-messages.ts';

/** What waits for one sink of one worker at most. Past it packets are dropped for that sink, and counted. */
const QUEUE_LIMITS: QueueLimits = { batches: 64, bytes: 33_554_432 };
const SAY_INTERVAL_MS = 60_000;

export interface LiveOutletOptions {
  readonly start: WorkerStart;
  readonly lanes: LaneReader;
  readonly log: Log;
  readonly onFile: (sink: string, file: FinishedFile) => void;
  readonly makeRoom: (sink: string) => Promise<void>;
}

/** One outlet for each packet sink that runs, in the order of the settings: a full one drops, receiving goes on. */
export function liveOutlets({ start, lanes, log, ...told }: LiveOutletOptions): PacketOutlet[] {
  const { worker, memory, config, intake } = start;
  const limits = queueLimits(intake);
  const openFiles = openFilesShare(memory.workers * memory.sinkPlans.length);
  return memory.sinkPlans.flatMap(({ name, sink: configured, takes }, index) => {
    if (takes !== 'packets') return [];
    const settings = settingsOf(config, configured ?? name);
    const channel = memory.channels[worker]?.[index];
    const { order, repair, duplicates } = effectiveOutput(settings, config.behind);
    const counters = sinkCountersOf(memory, worker, index);
    const onFile = (file: FinishedFile): void => told.onFile(name, file);
    const makeRoom = (): Promise<void> => told.makeRoom(name);
    const ordered = order === 'flow';
    const context = {
      name,
      worker,
      lanes,
      counters,
      log,
      now: Date.now,
      onFile,
      makeRoom,
      openFiles,
      ordered,
      completer: new CutFrames(),
      restarted: start.isRestart === true,
      ...(channel === undefined ? {} : { channel }),
    };
    const made = sinkKind(settings.kind).create(settings, context);
    const shaped = shapeSink(made, { repair, duplicates, lanes }, counters);
    const sink = selectSink(shaped, settings.select, lanes, counters);
    const outlet = new Outlet(sink, counters, {
      policy: 'drop',
      limits,
      now: Date.now,
      onError: saidOnceAMinute((error, batches) =>
        log.error({ sink: name, batches, error }, 'A sink refused packets.'),
      ),
    });
    return [{ outlet, order, duplicates }];
  });
}

export interface LiveFlowOutletOptions extends Pick<LiveOutletOptions, 'start' | 'log'> {
  readonly onFlowFile: (sink: string, news: FlowFileNews) => void;
}

/** The flow sinks that run, in the order of the settings. */
export function liveFlowOutlets({ start, log, onFlowFile }: LiveFlowOutletOptions): FlowOutlet[] {
  const { worker, memory, config } = start;
  return memory.sinkPlans.flatMap(({ name, sink, takes }, index) => {
    if (takes !== 'flows') return [];
    const settings = settingsOf(config, sink ?? name);
    const counters = sinkCountersOf(memory, worker, index);
    const channel = memory.channels[worker]?.[index];
    const context = {
      name,
      worker,
      counters,
      log,
      now: Date.now,
      observer: hostname(),
      onFile: (news: FlowFileNews) => onFlowFile(name, news),
      ...(channel === undefined ? {} : { channel }),
    };
    return [{ sink: flowSinkKind(settings.kind).create(settings, context), counters }];
  });
}

function settingsOf(config: Config, name: string): Config['sinks'][string] {
  const settings = config.sinks[name];
  if (settings === undefined) throw new AssertionFailure(`The sink "${name}" has no settings.`);
  return settings;
}

/**
 * Batches of a ring lie in it until every sink has given them back. Were one sink to hold more than half of it, the
 * kernel would soon drop packets for all of them. A batch keeps the blocks that its packets need, and one more, and a
 * small frame takes up to three times its bytes there.
 */
function queueLimits(intake: WorkerIntake): QueueLimits {
  if (intake.mode !== 'ring') return QUEUE_LIMITS;
  const blocks = Math.min(...intake.handles.map((ring) => ring.blocks));
  const bytes = Math.min(...intake.handles.map((ring) => ring.blocks * ring.blockBytes));
  return {
    batches: Math.max(1, Math.min(QUEUE_LIMITS.batches, Math.floor(blocks / 2))),
    bytes: Math.min(QUEUE_LIMITS.bytes, bytes / 4),
  };
}

/** A sink may refuse hundreds of batches a second: they are counted, and said with their number now and then. */
function saidOnceAMinute(say: (error: unknown, batches: number) => void): (error: unknown) => void {
  let batches = 0;
  let saidMs = -Infinity;
  return (error) => {
    batches++;
    if (Date.now() - saidMs < SAY_INTERVAL_MS) return;
    saidMs = Date.now();
    say(error, batches);
    batches = 0;
  };
}
