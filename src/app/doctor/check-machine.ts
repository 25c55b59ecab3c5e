import type { Config } from '../../config/settings.ts';
import { workerCount } from '../../config/presets.ts';
import type { KafkaSettings } from '../../sinks/kafka/settings.ts';
import { OPEN_FILES_MAX } from '../../sinks/files/part-file.ts';
import { type Facts, failed } from './facts.ts';
import { type Finding, note, ok, problem } from './finding.ts';

/** What a worker needs besides its rings, at most. */
const WORKER_BYTES = 150e6;
/** What the thread that sends for a worker and a Kafka sink needs besides its rings, at most. */
const COURIER_BYTES = 200e6;
/** Files that the process has open besides captures and sockets: libraries, logs, threads' own. */
const OTHER_FILES = 128;
/** Oldest Node that runs it: `engines` of package.json. */
const NODE_MIN = { major: 24, minor: 6 } as const;

/** Whether rings and workers fit the memory. */
export function checkMemory(facts: Facts, config: Config): Finding[] {
  const workers = workerCount(config, facts.cores);
  const ringBytes = ringBytesOf(facts, config);
  const workerBytes = workers * (WORKER_BYTES + kafkaBytesOf(config));
  const neededBytes = ringBytes + workerBytes;
  const message =
    `${workers} ${workers === 1 ? 'worker needs' : 'workers need'} up to ${megabytes(neededBytes)}, ` +
    `${megabytes(ringBytes)} of it for rings; ` +
    `${megabytes(facts.availableBytes)} are available`;
  const remedy = 'Set fewer workers or a smaller listen.ring.bytes, or add memory.';
  // the memory of rings is the kernel's, and counts for no container
  const limitBytes = facts.memoryLimitBytes ?? Infinity;
  if (limitBytes < workerBytes) {
    const limit = `${message}, and the process may use ${megabytes(limitBytes)}.`;
    return [problem('memory', limit, `${remedy} Or raise the limit of the container or service.`)];
  }
  if (neededBytes > facts.availableBytes) return [problem('memory', `${message}.`, remedy)];
  if (neededBytes > facts.availableBytes / 2) return [note('memory', `${message}.`, remedy)];
  return [ok('memory', `${message}.`)];
}

/** What Kafka sinks take beside each worker: a thread, and a ring for each topic. */
function kafkaBytesOf({ sinks }: Config): number {
  let bytes = 0;
  for (const { kind, enabled, ...settings } of Object.values(sinks)) {
    if (kind !== 'kafka' || !enabled) continue;
    const { packets, flows, queue } = settings as unknown as KafkaSettings;
    bytes += COURIER_BYTES + [packets, flows].filter((topic) => topic !== null).length * queue.bytes;
  }
  return bytes;
}

/** What a worker has is divided among its interfaces. */
function ringBytesOf({ intake, cores }: Facts, config: Config): number {
  if (failed(intake) || intake.mode !== 'ring') return 0;
  return workerCount(config, cores) * config.listen.ring.bytes;
}

/** Whether the workers leave a core to the rest. */
export function checkWorkers({ cores }: Facts, config: Config): Finding[] {
  const workers = workerCount(config, cores);
  const message = `${workers} ${workers === 1 ? 'worker' : 'workers'} on ${cores} ${cores === 1 ? 'core' : 'cores'}.`;
  if (workers < cores) return [ok('workers', message)];
  const remedy = 'Use a larger machine, or fewer workers: writing files and the metrics need a core too.';
  return [note('workers', message, remedy)];
}

/** Whether as many files can be open as the sinks want to keep open. */
export function checkOpenFiles({ openFilesMax, cores }: Facts, config: Config): Finding[] {
  const name = 'open-files';
  if (openFilesMax === undefined) {
    return [note(name, 'The system does not tell how many files may be open.', 'See ulimit -n.')];
  }
  const workers = workerCount(config, cores);
  const sinks = Object.values(config.sinks).filter(({ kind, enabled }) => kind === 'files' && enabled).length;
  const { vxlanPorts, genevePorts } = config.listen;
  const sockets = workers * (vxlanPorts.length + genevePorts.length);
  const wanted =
    OTHER_FILES + sockets + workers * sinks * Math.min(OPEN_FILES_MAX, config.admission.maxLanes);
  const message = `${openFilesMax} files may be open; up to ${wanted} would be, with so many lanes.`;
  if (openFilesMax >= wanted) return [ok(name, message)];
  const remedy = `Raise the limit (ulimit -n ${wanted}, LimitNOFILE=${wanted}); below it files are closed and opened again.`;
  if (openFilesMax < OTHER_FILES + sockets) return [problem(name, message, remedy)];
  return [note(name, message, remedy)];
}

/** Whether time stamps can be compared with those of others. */
export function checkClock({ clockIsSynchronised: isSynchronised }: Facts): Finding[] {
  if (isSynchronised === true) return [ok('clock', 'The clock is kept in step with others.')];
  const remedy =
    'Run chrony (with rtcsync) or systemd-timesyncd; on EC2 the time server is 169.254.169.123, or fd00:ec2::123.';
  const message =
    isSynchronised === false
      ? 'Nothing keeps the clock in step, as far as the kernel knows: time stamps may drift.'
      : 'The system does not tell whether the clock is kept in step with others.';
  return [note('clock', message, remedy)];
}

/** Whether Node is new enough. */
export function checkNodeVersion({ nodeVersion }: Facts): Finding[] {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const wanted = `${NODE_MIN.major}.${NODE_MIN.minor}`;
  if (major > NODE_MIN.major || (major === NODE_MIN.major && minor >= NODE_MIN.minor)) {
    return [ok('node-version', `Node ${nodeVersion} runs it.`)];
  }
  return [
    problem(
      'node-version',
      `Node ${nodeVersion} is older than ${wanted}.`,
      `Install Node ${wanted} or newer.`,
    ),
  ];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
