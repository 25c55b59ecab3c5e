import { constants } from 'node:os';
import { MirrorError } from '../observe/error.ts';
import { remedyFor } from './remedies.ts';

const names = new Map<number, string>();
for (const [name, number] of Object.entries(constants.errno)) {
  // of two names of one number, the first is the one that Node itself tells
  if (!names.has(number)) names.set(number, name);
}

/** Name of an error number, as in `EPERM`; the number itself where it has none. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}

/**
 * A system call that the kernel refused.
 *
 * @param call name of the call, as in `setsockopt`
 * @param errno its error number
 * @param what what it was about: an option, an interface, bytes; empty where the call says it all
 */
export function systemCallFailed(call: string, errno: number, what = ''): MirrorError {
  const name = errnoName(errno);
  const remedy = remedyFor(call, name, what);
  const about = what === '' ? call : `${call} (${what})`;
  const context = { call, errno: name, ...(what !== '' && { what }) };
  const message = `The system refused ${about}: ${name}.${remedy === undefined ? '' : ` ${remedy}`}`;
  return new MirrorError('SYSTEM_CALL_FAILED', message, context);
}
