import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/settings.ts';
import { CaptureFileInput } from '../inputs/capture-file.ts';
import { MirrorError } from '../observe/error.ts';
import { freePort } from './free-port.ts';
import { type CommandIo, ExitStatus } from './io.ts';
import { LabView } from './lab-view.ts';
import { printReport } from './receive/command.ts';
import { type RunningAppliance, startAppliance, stopAppliance } from './receive/running-appliance.ts';
import { planSend, type SendPlan } from './send/options.ts';
import { SendRun } from './send/send-run.ts';
import { SignalQueue } from './signal-queue.ts';
import { waitForQuiet } from './wait-for-quiet.ts';

export interface LabOptions {
  /** Where the capture files go. */
  readonly directory: string;
  /** Ends by itself after so long; undefined: until a signal. */
  readonly seconds: number | undefined;
  readonly report: 'text' | 'json';
}

const ADDRESS = '127.0.0.1';
const SHOW_INTERVAL_MS = 1000;
/** The first signal stops the lab in order, the second where it stands. */
const SIGNALS_MAX = 2;
/** Timers of the runtime know no longer time. */
const TIMER_MAX_MS = 2 ** 31 - 1;
/** After the senders stopped, what is on its way gets so long without packets to arrive, and no longer than the other. */
const SETTLE = { quietSeconds: 0.3, seconds: 3 } as const;

/**
 * `mirrortap lab`: an appliance, and a sender that mirrors a sample capture to it on three sessions, together on
 * loopback. Shows what arrives until a signal or for `seconds`, then prints the report.
 */
export async function runLab(options: LabOptions, io: CommandIo): Promise<number> {
  const signals = new SignalQueue(SIGNALS_MAX);
  const config = await labConfig(options.directory);
  const running = await startAppliance(config, io);
  const senders = plans(config).map((plan) => new SendRun(plan, (path) => new CaptureFileInput({ path })));
  const sending = senders.map((sender) =>
    sender.run().catch((error: unknown) => io.log.error({ error }, 'A sender of the lab stopped.')),
  );
  const { port } = config.http;
  io.log.info(
    { health: `http://${ADDRESS}:${port}/readyz`, metrics: `http://${ADDRESS}:${port}/metrics` },
    'The lab runs.',
  );

  const show = showLanes(running, resolve(options.directory));
  await Promise.race([signals.next(), ...(options.seconds === undefined ? [] : [elapsed(options.seconds)])]);
  for (const sender of senders) sender.stop();
  await Promise.all(sending);
  await waitForQuiet({ ...SETTLE, received: () => running.appliance.report().ledger.received });
  show.stop();
  const report = await stopAppliance(running);
  printReport(report, options.report, io);
  return ExitStatus.done;
}

/** The sample of the project: beside the sources in a checkout, inside the package where it is installed. */
function samplePath(): string {
  for (const place of ['../samples/traffic.pcapng', '../../samples/traffic.pcapng']) {
    const path = fileURLToPath(new URL(place, import.meta.url));
    if (existsSync(path)) return path;
  }
  throw new MirrorError('CAPTURE_UNREADABLE', 'The sample capture of the lab is missing.', {
    file: 'samples/traffic.pcapng',
  });
}

/** Three mirror sessions: whole frames, frames cut to 128 bytes, and one through a Gateway Load Balancer. */
function plans({ listen }: Config): SendPlan[] {
  const [vxlanPort, genevePort] = [listen.vxlanPorts[0], listen.genevePorts[0]];
  const common = { from: samplePath(), loop: '0', rate: 'realtime' };
  const direct = { ...common, to: `${ADDRESS}:${vxlanPort}` };
  return [
    planSend({ ...direct, vni: '7' }),
    planSend({ ...direct, vni: '42', packetLength: '128' }),
    {
      ...planSend({ ...common, to: `${ADDRESS}:${genevePort}`, vni: '4242', gwlb: true }),
      // the appliance knows VXLAN by its ports, inside GENEVE too
      ...(vxlanPort === undefined ? {} : { vxlanPort }),
    },
  ];
}

async function labConfig(directory: string): Promise<Config> {
  const ports = {
    vxlan: await freePort('udp', ADDRESS, 4789),
    geneve: await freePort('udp', ADDRESS, 6081),
    http: await freePort('tcp', ADDRESS, 8080),
  };
  return loadConfig({
    file: 'the settings of the lab',
    text: '',
    environment: {},
    set: [
      `listen.address=${ADDRESS}`,
      `listen.vxlanPorts=[${ports.vxlan}]`,
      `listen.genevePorts=[${ports.geneve}]`,
      `http.address=${ADDRESS}`,
      `http.port=${ports.http}`,
      `sinks.captures.kind=files`,
      `sinks.captures.directory=${directory}`,
      `sinks.flows.kind=flow-files`,
      `sinks.flows.directory=${join(directory, 'flows')}`,
    ],
  });
}

function elapsed(seconds: number): Promise<void> {
  return new Promise((resolved) => setTimeout(resolved, Math.min(seconds * 1000, TIMER_MAX_MS)).unref());
}

/** Shows the table every second: in place on a terminal, else one after the other. */
function showLanes({ appliance }: RunningAppliance, directory: string): { stop: () => void } {
  const view = new LabView(directory);
  let shown = 0;
  const timer = setInterval(() => {
    const lines = view.lines(appliance.report(), performance.now());
    const up = process.stderr.isTTY && shown > 0 ? `\x1b[${shown}A\x1b[J` : '';
    process.stderr.write(`${up}${lines.join('\n')}\n`);
    shown = lines.length;
  }, SHOW_INTERVAL_MS);
  return { stop: () => clearInterval(timer) };
}
