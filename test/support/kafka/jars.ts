import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';

/** What mvn may take, and with it how old a lock can be before its holder must be gone. */
const FETCH_LIMIT_MS = 300_000;

const pom = join(import.meta.dirname, 'pom.xml');
const store = join(import.meta.dirname, '../../.kafka');

/**
 * The folder with the jars of Apache Kafka that pom.xml names. They are fetched by `mvn` the first time, by one process
 * while others wait, and stay until pom.xml changes. Rejects with what mvn said.
 */
export async function kafkaJars(): Promise<string> {
  const folder = join(store, createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12));
  mkdirSync(store, { recursive: true });
  const lock = `${folder}.lock`;
  while (!existsSync(folder)) {
    if (!take(lock)) {
      await pause(100);
      continue;
    }
    try {
      if (!existsSync(folder)) await fetchInto(folder);
    } finally {
      rmSync(lock, { force: true });
    }
  }
  return folder;
}

/** The folder appears complete or not at all. */
async function fetchInto(folder: string): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  const goal = 'dependency:copy-dependencies';
  const args = ['-q', '-B', '-f', pom, goal, '-DincludeScope=runtime', `-DoutputDirectory=${unfinished}`];
  try {
    await promisify(execFile)('mvn', args, { timeout: FETCH_LIMIT_MS });
  } catch (cause) {
    const said = (cause as { readonly stdout?: string }).stdout ?? '';
    throw new Error(`mvn could not fetch the jars of Kafka: ${said.slice(0, 2000)}`, { cause });
  }
  renameSync(unfinished, folder);
}

/** False while another process holds it. A lock that is too old is what a killed process left. */
function take(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const taken = statSync(lock, { throwIfNoEntry: false });
  if (taken !== undefined && Date.now() - taken.mtimeMs > FETCH_LIMIT_MS) rmSync(lock, { force: true });
  return false;
}
