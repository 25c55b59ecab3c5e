/**
 * Loaded into every thread (`node --import`): once the file that ASSERTION_FILE names is there, one receiving thread takes
 * it away and fails in the middle of a batch, as if the receiver had met what cannot be.
 */
import { existsSync, renameSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { Admission } from '../../../src/receive/admission.ts';
import { AssertionFailure } from '../../../src/wire/assert.ts';

const LOOK_MS = 5;
/** Other threads are there, too. */
const receives = typeof workerData === 'object' && workerData !== null && 'intake' in workerData;
/** Packets that are still received before it fails: not the first of a batch. */
const PACKETS_BEFORE = 5;
const path = process.env['ASSERTION_FILE'];

if (receives && path !== undefined) {
  const timer = setInterval(() => {
    if (!existsSync(path) || !taken(path)) return;
    clearInterval(timer);
    plant();
  }, LOOK_MS);
  timer.unref();
}

function plant(): void {
  const { judgeSender } = Object.getOwnPropertyDescriptors(Admission.prototype);
  let left = PACKETS_BEFORE;
  Admission.prototype.judgeSender = function judge(this: Admission, ...packet) {
    if (left-- === 0) throw new AssertionFailure('planted');
    return judgeSender.value?.apply(this, packet) ?? 0;
  };
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
