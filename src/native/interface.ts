import { systemCallFailed } from './failure.ts';
import { systemCalls } from './library.ts';

/**
 * The kernel's number of a network interface.
 *
 * @returns 1 or more
 * @throws MirrorError `SYSTEM_CALL_FAILED` with ENODEV where there is none of this name
 */
export function interfaceIndex(name: string): number {
  const { if_nametoindex: nameToIndex, errno } = systemCalls();
  const index = nameToIndex(name);
  if (index === 0) throw systemCallFailed('if_nametoindex', errno(), name);
  return index;
}
