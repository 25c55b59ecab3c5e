/** A receiving thread: takes packets from its sockets all the way to its sinks. Started by `WorkerPool`. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Config } from '../config/settings.ts';
import { boundByWorker, makeLiveInput } from '../inputs/live-input.ts';
import { createLog } from '../observe/logger.ts';
import { FanOut } from '../pipeline/fan-out.ts';
import { Admission } from '../receive/admission.ts';
import { admissionRules } from '../receive/admission-rules.ts';
import { LaneDirectory } from '../receive/lanes.ts';
import { tunnelPorts } from '../receive/outer.ts';
import { Receiver } from '../receive/receiver.ts';
import { SymmetrySampler } from '../receive/symmetry.ts';
import { liveOutlets } from './live-outlets.ts';
import { RoomRequests } from './room-requests.ts';
import { tallyOf } from './shared-memory.ts';
import { type FromWorker, packError, type ToWorker, type WorkerStart } from './worker-messages.ts';

const start = workerData as WorkerStart;
const { worker, memory, config } = start;

function tell(message: FromWorker): void {
  parentPort?.postMessage(message);
}

function makeReceiver(lanes: LaneDirectory): Receiver {
  return new Receiver({
    ports: tunnelPorts(config.listen.vxlanPorts, config.listen.genevePorts),
    admission: admissionOf(config),
    lanes,
    worker,
    tally: tallyOf(memory, worker),
    verifyChecksums: config.analysis.checksums.verify,
    // where the VNI decides the worker, copies under two VNIs may come to two, and each is whole
    symmetry: new SymmetrySampler(memory.symmetry, worker, config.listen.steering === 'vni'),
  });
}

function admissionOf(settings: Config): Admission {
  return new Admission(admissionRules(settings.admission));
}

/** Milliseconds since the epoch with fractions. */
function clockMs(): number {
  return performance.timeOrigin + performance.now();
}

async function main(): Promise<void> {
  const log = createLog({ ...start.log, fields: { worker } });
  const lanes = new LaneDirectory(memory.lanes);
  const receiver = makeReceiver(lanes);
  const room = new RoomRequests((sink) => tell({ type: 'makeRoom', sink }));
  const outlets = liveOutlets({
    start,
    lanes,
    log,
    onFile: (sink, file) => tell({ type: 'file', sink, file }),
    makeRoom: (sink) => room.make(sink),
  });
  const fanOut = new FanOut(outlets);
  const input = makeLiveInput(start.intake, { ...config.listen, worker, now: clockMs });

  parentPort?.on('message', (message: ToWorker) => {
    if (message.type === 'stop') void input.close();
    else if (message.type === 'roomMade') room.made(message.sink);
    else receiver.setAdmission(admissionOf(message.config));
  });
  try {
    await fanOut.open();
    await input.open();
    tell({ type: 'listening', sockets: boundByWorker(input) });
    await input.run((batch) => {
      receiver.process(batch);
      return fanOut.deliver(batch);
    });
  } catch (error) {
    // a socket failed, or one of the sinks: what was taken in is kept all the same, and files are finished
    await fanOut
      .close()
      .catch((more: unknown) => log.error({ error: more }, 'A sink of a failed worker cannot be closed.'));
    throw error;
  }
  await fanOut.close();
  tell({ type: 'stopped' });
  parentPort?.close();
}

main().catch((error: unknown) => {
  tell({ type: 'failed', error: packError(error) });
  // a socket or timer that is still open must not keep a failed thread alive
  setImmediate(() => process.exit(1));
});
