import { configChanges, reloadedConfig } from '../config/reload.ts';
import { drain } from '../config/presets.ts';
import type { Config } from '../config/settings.ts';
import { type Report, reportJson } from '../observe/report.ts';
import { reportText } from '../observe/report-text.ts';
import type { Appliance } from './appliance.ts';
import { type CommandIo, exitStatusBySignal, ExitStatus } from './io.ts';
import { SignalQueue } from './signal-queue.ts';
import { startAppliance, stopAppliance } from './running-appliance.ts';
import { waitForQuiet } from './wait-for-quiet.ts';

export interface ReceiveOptions {
  readonly config: Config;
  /** Reads the settings again, for SIGHUP. Throws a `MirrorError`. */
  readonly reloadConfig: () => Config;
  readonly report: 'text' | 'json';
}

export function printReport(report: Report, format: 'text' | 'json', io: CommandIo): void {
  io.print(format === 'json' ? reportJson(report) : reportText(report));
}

/**
 * `mirrortap receive`: runs until SIGTERM or SIGINT, drains, prints the report. Resolves to the exit status: 0,
 * or that of a second signal, which ends the drain at once. A third one ends the process where it stands.
 */
export async function runReceive(options: ReceiveOptions, io: CommandIo): Promise<number> {
  let config = options.config;
  const signals = new SignalQueue();
  const running = await startAppliance(config, io);
  const { appliance } = running;
  const onHangup = (): void => {
    config = reload(config, options.reloadConfig, appliance, io);
  };
  process.on('SIGHUP', onHangup);

  await signals.next();
  appliance.beginDrain();
  const { seconds, quietSeconds } = drain(config);
  io.log.info({ drainSeconds: seconds }, 'Draining: not ready any more, still receiving.');
  const next = signals.next();
  const drained = new AbortController();
  const second = await Promise.race([
    next,
    waitForQuiet({
      seconds,
      quietSeconds,
      received: () => appliance.report().ledger.received,
      signal: drained.signal,
    }),
  ]);
  drained.abort();
  const last = (second === undefined ? next : signals.next()).then((signal) =>
    process.exit(exitStatusBySignal[signal]),
  );
  const report = await Promise.race([stopAppliance(running), last]);
  process.off('SIGHUP', onHangup);
  signals.close();
  printReport(report, options.report, io);
  return second === undefined ? ExitStatus.done : exitStatusBySignal[second];
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
