import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Report } from '../../src/observe/report.ts';
import { type Finished, type Running, startCommand } from './command.ts';

/** A `mirrortap receive` of its own ports on loopback that is ready. */
export interface RunningReceive extends Running {
  readonly vxlanPort: number;
  readonly genevePort: number;
  /** `http://127.0.0.1:PORT` of its HTTP server. */
  readonly url: string;
  /** What it has logged so far. */
  readonly logged: () => string;
  /** Sends SIGTERM and resolves to how it ended. */
  readonly end: () => Promise<{ finished: Finished; report: Report }>;
}

const HTTP_LINE = /"port":(\d+),"msg":"HTTP answers/;

/**
 * Starts the appliance with files in `directory` and resolves when `/readyz` says 200.
 *
 * @param more `path=value` settings, the file of settings, the port that VXLAN has to be on, or more environment
 */
export async function startReceive(
  directory: string,
  ...more: readonly (
    | string
    | { readonly file: string }
    | { readonly vxlanPort: number }
    | { readonly environment: NodeJS.ProcessEnv }
  )[]
): Promise<RunningReceive> {
  const wanted = more.filter((one) => typeof one === 'string');
  const files = more.flatMap((one) => (typeof one === 'object' && 'file' in one ? ['-c', one.file] : []));
  const fixed = more.flatMap((one) => (typeof one === 'object' && 'vxlanPort' in one ? [one.vxlanPort] : []));
  const environment = Object.assign(
    {},
    ...more.map((one) => (typeof one === 'object' && 'environment' in one ? one.environment : {})),
  ) as NodeJS.ProcessEnv;
  const [vxlanPort, genevePort] = [fixed[0] ?? (await freeUdpPort()), await freeUdpPort()];
  const settings = [
    'listen.address=127.0.0.1',
    `listen.vxlanPorts=[${vxlanPort}]`,
    `listen.genevePorts=[${genevePort}]`,
    'http.address=127.0.0.1',
    'http.port=0',
    'sinks.captures.kind=files',
    `sinks.captures.directory=${directory}`,
    ...wanted,
  ];
  const options = ['--report', 'json', '--log-format', 'json'];
  const set = settings.flatMap((text) => ['--set', text]);
  const running = startCommand(['receive', ...options, ...files, ...set], undefined, environment);
  let log = '';
  running.child.stderr?.on('data', (part: Buffer) => {
    log += part.toString();
  });
  const url = await Promise.race([untilReady(() => log), ended(running, () => log)]);
  return {
    ...running,
    vxlanPort,
    genevePort,
    url,
    logged: () => log,
    end: async () => {
      running.child.kill('SIGTERM');
      const finished = await running.finished;
      return { finished, report: JSON.parse(finished.stdout) as Report };
    },
  };
}

/** A UDP port on loopback that nobody has right now. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

async function untilReady(log: () => string): Promise<string> {
  for (;;) {
    const port = HTTP_LINE.exec(log())?.[1];
    const url = `http://127.0.0.1:${port}`;
    const ready = port !== undefined && (await fetch(`${url}/readyz`).catch(() => undefined));
    if (ready && ready.status === 200) return url;
    await pause(50);
  }
}

async function ended(running: Running, log: () => string): Promise<never> {
  const { status } = await running.finished;
  throw new Error(`receive ended with ${status} before it was ready:\n${log()}`);
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Looks again and again until something is so, for at most 20 s. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await isSo()) return;
    await pause(50);
  }
  throw new Error(`Waited in vain until ${what}.`);
}
