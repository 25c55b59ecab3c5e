import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import { describeError } from '../../observe/describe-error.ts';
import { MirrorError } from '../../observe/error.ts';
import { reportJson } from '../../observe/report.ts';
import { reportText } from '../../observe/report-text.ts';
import { makeRun } from './make-run.ts';
import { type DecapOptions, type DecapRun, STDOUT } from './options.ts';
import { showProgress } from './progress.ts';
import { type CommandIo, type EndingSignal, ExitStatus, exitStatusBySignal } from '../io.ts';
import { SignalQueue } from '../signal-queue.ts';

/** The first signal ends the work and finishes the files, the second ends the process where it stands. */
const SIGNALS_MAX = 2;

/**
 * `mirrortap decap`: resolves to the exit status. The report goes to standard error when packets go to standard
 * output. Rejects with a `MirrorError` for wrong usage, and where the output cannot be written; then the report of
 * what was done has been printed.
 */
export async function runDecap(options: DecapOptions, io: CommandIo): Promise<number> {
  refuseBadOutput(options);
  const decap = await makeRun(options, io);
  const signals = new SignalQueue(SIGNALS_MAX);
  let caught: EndingSignal | undefined;
  void signals.next().then((signal) => {
    caught = signal;
    return decap.stop();
  });
  const progress = showProgress(() => decap.progress());
  const { unread, errors, failure } = await decap.run();
  progress.stop();
  signals.close();

  for (const file of unread) {
    io.log.warn({ ...file }, 'Packets of this link type are not read: they count as no tunnel.');
  }
  if (failure === undefined || decap.report().input.packets > 0) printReport(decap, options, io);
  for (const error of errors) process.stderr.write(`${describeError(error)}\n`);
  if (failure !== undefined && !isReaderGone(failure)) throw failure;
  if (caught !== undefined) return exitStatusBySignal[caught];
  return errors.length === 0 ? ExitStatus.done : ExitStatus.failed;
}

function printReport(decap: DecapRun, { report: format, out, flows }: DecapOptions, io: CommandIo): void {
  const report = decap.report();
  const text = format === 'json' ? reportJson(report) : reportText(report);
  if (out === '-' || flows === '-') process.stderr.write(text);
  else io.print(text);
}

/** Whoever reads the packets from standard output may stop reading, as `head` does: that is no failure. */
function isReaderGone({ cause }: Error): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'EPIPE';
}

/** Packets are not for a terminal, and `cat x.pcap | mirrortap decap - --out - > x.pcap` would read what it writes. */
function refuseBadOutput({ out, files }: DecapOptions): void {
  if (out !== '-') return;
  if (isatty(STDOUT)) {
    const message =
      '--out - writes packets, and standard output is a terminal: send it to a file or a program.';
    throw new MirrorError('USAGE', message, { option: '--out' });
  }
  if (!files.includes('-')) return;
  const [input, output] = [fstatSync(0), fstatSync(STDOUT)];
  if (!output.isFile() || input.dev !== output.dev || input.ino !== output.ino) return;
  throw new MirrorError('USAGE', 'Standard output is the file that is read from standard input.');
}
