/** A courier thread: takes what one worker put into the channels of one sink to where it is going. Started by `CourierPool`. */
import { hostname } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { createLog } from '../../observe/logger.ts';
import { InnerFrameReader } from '../../receive/inner-frame-reader.ts';
import { type CourierSource, KafkaCourier } from '../../sinks/kafka/courier/courier.ts';
import type { KafkaSettings } from '../../sinks/kafka/settings.ts';
import { AssertionFailure } from '../../wire/assert.ts';
import { sha1Base64 } from '../name-hashes.ts';
import { courierCountersOf } from '../shared-memory.ts';
import { packError } from '../worker-messages.ts';
import type { CourierStart, FromCourier, ToCourier } from './messages.ts';

const start = workerData as CourierStart;
const { worker, sink, memory, config } = start;

function tell(message: FromCourier): void {
  parentPort?.postMessage(message);
}

function fail(error: unknown): void {
  tell({ type: 'failed', error: packError(error) });
  // a connection or timer that is still open must not keep a failed thread alive
  setImmediate(() => process.exit(1));
}

/** What the sink takes, with the channel and the counters of each. */
function sources(): CourierSource[] {
  return memory.sinkPlans.flatMap((plan, index) => {
    const channel = memory.channels[worker]?.[index];
    if ((plan.sink ?? plan.name) !== sink || channel === undefined) return [];
    return [{ takes: plan.takes, channel, counters: courierCountersOf(memory, worker, index) }];
  });
}

async function main(): Promise<void> {
  const settings = config.sinks[sink];
  if (settings?.kind !== 'kafka') throw new AssertionFailure(`The sink "${sink}" has no courier.`);
  const courier = new KafkaCourier({
    sink,
    settings: settings as unknown as KafkaSettings,
    worker,
    isAgain: start.isAgain,
    workers: memory.workers,
    sources: sources(),
    observer: hostname(),
    frames: new InnerFrameReader(),
    sha1Base64,
    log: createLog({ ...start.log, fields: { worker } }),
    now: Date.now,
  });
  const started = courier.start();
  parentPort?.on('message', ({ type }: ToCourier) => {
    if (type !== 'stop') return;
    // one that has not begun yet has to: what is in the channels is its to send, or to put away
    started
      .then(() => courier.stop())
      .then(() => {
        tell({ type: 'stopped' });
        parentPort?.close();
      }, fail);
  });
  await started;
  tell({ type: 'begun' });
  courier.done.catch(fail);
}

main().catch(fail);
