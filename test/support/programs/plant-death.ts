/**
 * Loaded into every thread (`node --import`): once the file that DEATH_FILE names is there, one worker thread takes
 * it away and dies of an error that nobody expected.
 */
import { existsSync, renameSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const LOOK_MS = 5;
const path = process.env['DEATH_FILE'];

if (!isMainThread && path !== undefined) {
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
