import { existsSync } from 'node:fs';
import { clockIsSynchronised } from '../native/clock.ts';
import { loadNative } from '../native/library.ts';
import { MirrorError } from '../observe/error.ts';

/** Made by systemd-timesyncd once it has set the clock (systemd-timesyncd.service(8)). */
const SYSTEMD_MARK = '/run/systemd/timesync/synchronized';

/** Says whether the clock is kept in step with others; `undefined` where the system does not tell. */
export async function hostClockIsSynchronised(mark = SYSTEMD_MARK): Promise<boolean | undefined> {
  if (existsSync(mark)) return true;
  if ((await loadNative()) !== undefined) return undefined;
  try {
    return clockIsSynchronised();
  } catch (error) {
    if (error instanceof MirrorError) return undefined;
    throw error;
  }
}
