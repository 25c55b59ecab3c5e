import { systemCallFailed } from './failure.ts';
import { systemCalls } from './library.ts';

/**
 * Makes a named pipe.
 *
 * @param mode permissions, from which the umask takes away
 * @throws MirrorError `SYSTEM_CALL_FAILED` - among others where the path is taken
 */
export function makeFifo(path: string, mode: number): void {
  const { mkfifo, errno } = systemCalls();
  if (mkfifo(path, mode) < 0) throw systemCallFailed('mkfifo', errno(), path);
}
