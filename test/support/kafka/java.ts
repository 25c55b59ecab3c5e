import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kafkaJars } from './jars.ts';

const TAIL_LINES = 30;

/** Quick to start and small: two cores run the tests, the program and up to three brokers. */
const jvm = [
  '-XX:+UseSerialGC',
  '-Xshare:auto',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
];

/** A main class of Kafka's jars in a process of its own. */
export interface JavaRun {
  readonly mainClass: string;
  readonly args: readonly string[];
  readonly heapMb: number;
  /** Where standard output and error go. */
  readonly logFile: string;
}

/** Starts it. It ends when the process that started it does, even where that one was killed. */
export async function startJava(run: JavaRun): Promise<ChildProcess> {
  const classPath = join(await kafkaJars(), '*');
  const log = openSync(run.logFile, 'a');
  try {
    const java = ['java', ...jvm, `-Xmx${run.heapMb}m`, '-cp', classPath, run.mainClass, ...run.args];
    return spawn('setpriv', ['--pdeathsig', 'KILL', ...java], { stdio: ['ignore', log, log] });
  } finally {
    closeSync(log);
  }
}

/** Runs it to its end and returns what it printed; rejects with that where it failed. */
export async function runJava(run: JavaRun): Promise<string> {
  const [status] = (await once(await startJava(run), 'exit')) as (number | null)[];
  const printed = readFileSync(run.logFile, 'utf8');
  if (status !== 0) throw new Error(`${run.mainClass} ended with ${status}:\n${tail(printed)}`);
  return printed;
}

/** The last lines of a log. */
export function tail(log: string): string {
  return log.split('\n').slice(-TAIL_LINES).join('\n');
}
