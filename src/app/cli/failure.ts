import { CommanderError } from 'commander';
import { describeError } from '../../observe/describe-error.ts';
import { MirrorError } from '../../observe/error.ts';
import { ExitStatus } from '../io.ts';

/** Codes that mean: what was asked for is wrong, not what happened. */
const USAGE_CODES: readonly string[] = [
  'USAGE',
  'CONFIG_INVALID',
  'CONFIG_UNREADABLE',
  'NOT_IN_THIS_VERSION',
];

/** Says on standard error why the command failed, and which exit status the process will have. */
export function failWith(error: unknown): void {
  process.exitCode = exitStatusOf(error);
  // the parser has said it already
  if (!(error instanceof CommanderError)) process.stderr.write(`${describeError(error)}\n`);
}

function exitStatusOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitStatus.done : ExitStatus.usage;
  if (error instanceof MirrorError && USAGE_CODES.includes(error.code)) return ExitStatus.usage;
  return ExitStatus.failed;
}
