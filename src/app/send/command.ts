import { CaptureFileInput } from '../../inputs/capture-file.ts';
import type { Log } from '../../observe/log.ts';
import { type CommandIo, type EndingSignal, ExitStatus, exitStatusBySignal } from '../io.ts';
import { planSend, type SendOptions } from './options.ts';
import { sendReportJson, sendReportText, type SendReport } from './report.ts';
import { SendRun } from './send-run.ts';

const PROGRESS_INTERVAL_MS = 1000;

/**
 * `mirrortap send`: sends, prints the report, and resolves to the exit status: 0, 130 after SIGINT, 143 after SIGTERM.
 *
 * Rejects with a `MirrorError` for wrong usage (before anything was sent), and when something failed while sending;
 * then the report has been printed. A second signal ends the process at once.
 */
export async function runSend(options: SendOptions, io: Pick<CommandIo, 'print' | 'log'>): Promise<number> {
  const plan = planSend(options);
  const run = new SendRun(plan, (from) => new CaptureFileInput({ path: from }));
  let caught: EndingSignal | undefined;
  const onSignal = (signal: EndingSignal): void => {
    if (caught !== undefined) process.exit(exitStatusBySignal[caught]);
    caught = signal;
    run.stop();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const { from, host, port, vni, rate } = plan;
  io.log.info({ from, host, port, vni, rate }, 'Sending.');
  const progress = showProgress(() => run.report());
  try {
    await run.run();
  } finally {
    progress.stop();
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    const report = run.report();
    if (report.passes > 0 || report.ledger.received > 0 || caught !== undefined) {
      warn(report, io.log);
      io.print(plan.report === 'json' ? sendReportJson(report) : sendReportText(report));
    }
  }
  return caught === undefined ? ExitStatus.done : exitStatusBySignal[caught];
}

/** On a terminal, one line that is written over each second. */
function showProgress(report: () => SendReport): { stop: () => void } {
  if (!process.stderr.isTTY) return { stop: () => {} };
  const timer = setInterval(() => {
    const { ledger, packetsPerSecond } = report();
    process.stderr.write(`\r\x1b[K${ledger.sent} packets sent, ${Math.round(packetsPerSecond)} a second`);
  }, PROGRESS_INTERVAL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      process.stderr.write('\r\x1b[K');
    },
  };
}

/** What a report says in numbers and an operator should read in words. */
function warn(report: SendReport, log: Log): void {
  const { target, fragmented, returned, ledger } = report;
  const { linkType, ...failed } = ledger.dropped;
  if (linkType !== undefined) {
    log.warn(
      { frames: linkType },
      'Frames that are not Ethernet cannot be mirrored over VXLAN and were left out.',
    );
  }
  if (Object.keys(failed).length > 0) log.warn({ ...failed }, 'Some frames could not be sent.');
  if (fragmented > 0) {
    log.warn(
      { fragmented },
      'Datagrams longer than the MTU left as IP fragments: lower --packet-length or raise the MTU.',
    );
  }
  if (returned['ECONNREFUSED'] !== undefined || failed['ECONNREFUSED'] !== undefined) {
    log.warn({ address: target.address, port: target.port }, 'Nobody listens on the target port.');
  }
}
