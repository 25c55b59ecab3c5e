/** A receiving thread: takes packets from its sockets all the way to its sinks. Started by `WorkerPool`. */
import { parentPort, workerData } from 'node:worker_threads';
import { boundByWorker, makeLiveInput } from '../../inputs/live-input.ts';
import { createLog } from '../../observe/logger.ts';
import { LaneDirectory } from '../../receive/lanes.ts';
import { SymmetrySampler } from '../../receive/symmetry.ts';
import { liveFlowOutlets, liveOutlets } from './live-outlets.ts';
import { PacketPath } from '../packet-path.ts';
import { PathClock } from '../path-clock.ts';
import { RoomRequests } from './room-requests.ts';
import { type FromWorker, packError, type ToWorker, type WorkerStart } from '../worker-messages.ts';

const start = workerData as WorkerStart;
const { worker, memory, config } = start;

function tell(message: FromWorker): void {
  parentPort?.postMessage(message);
}

/** Milliseconds since the epoch with fractions. */
function clockMs(): number {
  return performance.timeOrigin + performance.now();
}

async function main(): Promise<void> {
  const log = createLog({ ...start.log, fields: { worker } });
  const lanes = new LaneDirectory(memory.lanes);
  const room = new RoomRequests((sink) => tell({ type: 'makeRoom', sink }));
  const path = new PacketPath({
    config,
    memory,
    lanes,
    worker,
    packets: liveOutlets({
      start,
      lanes,
      log,
      onFile: (sink, file) => tell({ type: 'file', sink, file }),
      makeRoom: (sink) => room.make(sink),
    }),
    flows: liveFlowOutlets({
      start,
      log,
      onFlowFile: (sink, news) => tell({ type: 'flowFile', sink, news }),
    }),
    countFlows: config.analysis.flows.enabled,
    // where the VNI decides the worker, copies under two VNIs may come to two, and each is whole
    symmetry: new SymmetrySampler(memory.symmetry, worker, config.listen.steering === 'vni'),
  });
  const input = makeLiveInput(start.intake, { ...config.listen, worker, now: clockMs });

  parentPort?.on('message', (message: ToWorker) => {
    if (message.type === 'stop') void input.close();
    else if (message.type === 'roomMade') room.made(message.sink);
    else path.reload(message.config);
  });
  const clock = new PathClock(path);
  try {
    await path.open();
    await input.open();
    tell({ type: 'listening', sockets: boundByWorker(input) });
    clock.start();
    await input.run((batch) => {
      const taken = path.take(batch);
      clock.packetsCame();
      return taken;
    });
  } catch (error) {
    clock.stop();
    // a socket failed, or one of the sinks: what was taken in is kept all the same, and files are finished
    await path
      .close()
      .catch((more: unknown) => log.error({ error: more }, 'A sink of a failed worker cannot be closed.'));
    throw error;
  }
  clock.stop();
  await path.close();
  tell({ type: 'stopped' });
  parentPort?.close();
}

main().catch((error: unknown) => {
  tell({ type: 'failed', error: packError(error) });
  // a socket or timer that is still open must not keep a failed thread alive
  setImmediate(() => process.exit(1));
});
