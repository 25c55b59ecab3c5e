import { MirrorError } from '../../../observe/error.ts';
import { errnoOf, isDiskFull } from '../../files/disk.ts';

/** Why the folder of a spool cannot be used. */
export function unusable(directory: string, cause: unknown): MirrorError {
  if (cause instanceof MirrorError) return cause;
  const error = errnoOf(cause);
  const message = `The spool ${directory} cannot be used${error === '' ? '' : `: ${error}`}.`;
  return new MirrorError('SPOOL_UNUSABLE', message, { directory, error }, { cause });
}

/** What went wrong with a spool that was in use: `DISK_FULL` or `SPOOL_FAILED`. */
export function spoolFailure(directory: string, cause: unknown): MirrorError {
  if (cause instanceof MirrorError) return cause;
  const error = errnoOf(cause);
  const context = { directory, error };
  if (isDiskFull(cause)) {
    const message = `There is no room left on the disk of the spool ${directory}.`;
    return new MirrorError('DISK_FULL', message, context, { cause });
  }
  const message = `The spool ${directory} cannot be written or read: ${error || String(cause)}.`;
  return new MirrorError('SPOOL_FAILED', message, context, { cause });
}
