import { type ErrorCode, MirrorError } from '../../observe/error.ts';
import { errnoOf, isDiskFull } from './disk.ts';

/**
 * What an operator is told of a file that could not be written: `DISK_FULL`, or `code`.
 *
 * @param path relative to the output folder; empty for a stream
 */
export function operatorError(
  path: string,
  cause: unknown,
  code: ErrorCode = 'CAPTURE_WRITE_FAILED',
): MirrorError {
  if (cause instanceof MirrorError) return cause;
  const context = { ...(path === '' ? {} : { path }), error: errnoOf(cause) };
  if (isDiskFull(cause)) {
    return new MirrorError('DISK_FULL', `There is no room left to write ${path || 'the output'}.`, context, {
      cause,
    });
  }
  const message = `${path || 'The output'} cannot be written: ${errnoOf(cause)}.`;
  return new MirrorError(code, message, context, { cause });
}
