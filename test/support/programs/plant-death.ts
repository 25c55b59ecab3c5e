/**
 * Loaded into every thread (`node --import`): once the file that DEATH_FILE names is there, one receiving thread takes
 * it away and dies of an error that nobody expected; once that of COURIER_DEATH_FILE is there, one courier.
 */
import { existsSync, renameSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

const LOOK_MS = 5;
/** Other threads are there, too. */
const isStarted = typeof workerData === 'object' && workerData !== null;
const receives = isStarted && 'intake' in workerData;
const sends = isStarted && 'sink' in workerData;
const path = process.env[receives ? 'DEATH_FILE' : 'COURIER_DEATH_FILE'];

if ((receives || sends) && path !== undefined) {
  setInterval(() => {
    if (existsSync(path) && taken(path)) throw new Error('planted');
  }, LOOK_MS).unref();
}

/** Of all threads only one can rename it. */
function taken(file: string): boolean {
  try {
    renameSync(file, `${file}.taken`);
    return true;
  } catch {
    return false;
  }
}
