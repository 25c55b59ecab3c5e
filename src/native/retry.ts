import { constants } from 'node:os';
import { systemCallFailed } from './failure.ts';
import { systemCalls } from './library.ts';

const { EINTR } = constants.errno;

/**
 * Makes a call until no signal interrupts it.
 *
 * @param what see `systemCallFailed`
 * @returns what the call returned, at least 0
 * @throws MirrorError `SYSTEM_CALL_FAILED`
 */
export function checked(call: string, make: () => number, what = ''): number {
  for (;;) {
    const result = make();
    if (result >= 0) return result;
    const errno = systemCalls().errno();
    if (errno !== EINTR) throw systemCallFailed(call, errno, what);
  }
}
