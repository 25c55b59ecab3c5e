import { configChanges, reloadedConfig } from '../../config/reload.ts';
import { usesStandardOutput } from '../../config/pipe-rules.ts';
import { type Drain, drain } from '../../config/presets.ts';
import type { Config } from '../../config/settings.ts';
import { type Report, reportJson } from '../../observe/report.ts';
import { reportText } from '../../observe/report-text.ts';
import type { Appliance } from './appliance.ts';
import { type CommandIo, type EndingSignal, exitStatusBySignal, ExitStatus } from '../io.ts';
import { SignalQueue } from '../signal-queue.ts';
import { startAppliance, stopAppliance } from './running-appliance.ts';
import { waitForQuiet } from '../wait-for-quiet.ts';

export interface ReceiveOptions {
  readonly config: Config;
  /** Reads the settings again, for SIGHUP. Throws a `MirrorError`. */
  readonly reloadConfig: () => Config;
  readonly report: 'text' | 'json';
}

export function printReport(report: Report, format: 'text' | 'json', io: CommandIo): void {
  io.print(format === 'json' ? reportJson(report) : reportText(report));
}

/** The first signal begins the drain, the second ends it, the third ends the process where it stands. */
const SIGNALS_MAX = 3;

/**
 * `mirrortap receive`: runs until SIGTERM or SIGINT, drains, prints the report. Resolves to the exit status: 0,
 * or that of a second signal, which ends the drain at once. A signal after the drain ends the process where it stands.
 */
export async function runReceive(options: ReceiveOptions, io: CommandIo): Promise<number> {
  const signals = new SignalQueue(SIGNALS_MAX);
  const hangups = new Hangups();
  const running = await startAppliance(options.config, io);
  const { appliance } = running;
  let { config } = options;
  hangups.handle(() => {
    config = reload(config, options.reloadConfig, appliance, io);
  });

  await signals.next();
  appliance.beginDrain();
  const second = await drained(drain(config), appliance, signals, io);
  const last = signals.next().then((signal) => process.exit(exitStatusBySignal[signal]));
  const report = await Promise.race([stopAppliance(running), last]);
  // packets have standard output, and nothing may follow them there
  const stderr = { ...io, print: (text: string) => process.stderr.write(text) };
  printReport(report, options.report, usesStandardOutput(options.config) ? stderr : io);
  return second === undefined ? ExitStatus.done : exitStatusBySignal[second];
}

/** Settles when the drain is over, with the signal that ended it before its time. */
async function drained(
  { seconds, quietSeconds }: Drain,
  appliance: Appliance,
  signals: SignalQueue,
  io: CommandIo,
): Promise<EndingSignal | undefined> {
  io.log.info({ drainSeconds: seconds }, 'Draining: not ready any more, still receiving.');
  const over = new AbortController();
  const received = (): number => appliance.report().ledger.received;
  const second = await Promise.race([
    signals.next(),
    waitForQuiet({ seconds, quietSeconds, received, signal: over.signal }),
  ]);
  over.abort();
  return second;
}

/** SIGHUP from the beginning, which would end a process that does not expect it: one that comes early waits. */
class Hangups {
  #pending = false;
  #handle = (): void => {
    this.#pending = true;
  };

  constructor() {
    process.on('SIGHUP', () => this.#handle());
  }

  handle(work: () => void): void {
    this.#handle = work;
    if (this.#pending) work();
  }
}

/** Takes over what can change at run time and says what cannot; keeps the old settings if the new ones are wrong. */
function reload(config: Config, read: () => Config, appliance: Appliance, io: CommandIo): Config {
  let asked: Config;
  let next: Config;
  try {
    asked = read();
    next = reloadedConfig(config, asked);
  } catch (error) {
    io.log.error({ error }, 'The settings were not reloaded: the old ones stay.');
    return config;
  }
  const changes = configChanges(config, asked);
  for (const { path } of changes.filter(({ reload: can }) => !can)) {
    io.log.warn({ setting: path }, 'This setting cannot change while running: it needs a restart.');
  }
  appliance.reload(next);
  const taken = changes.filter(({ reload: can }) => can).map(({ path }) => path);
  io.log.info({ changed: taken.join(' ') }, 'The settings were reloaded.');
  return next;
}
