import { clockStatus } from './constants.ts';
import { timex } from './layout.ts';
import { systemCalls } from './library.ts';
import { checked } from './retry.ts';

/**
 * Says whether some program keeps the system's clock in step with others, as far as the kernel was told: chrony, ntpd
 * and systemd-timesyncd tell it.
 *
 * @throws MirrorError `SYSTEM_CALL_FAILED`
 */
export function clockIsSynchronised(): boolean {
  const { adjtimex } = systemCalls();
  // all zero: nothing is to be changed
  const state = Buffer.alloc(timex.bytes);
  checked('adjtimex', () => adjtimex(state));
  return (state.readInt32LE(timex.at.status) & clockStatus.STA_UNSYNC) === 0;
}
