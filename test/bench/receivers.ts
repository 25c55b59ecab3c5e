/** The programs that take packets off the cable: mirrortap in each mode, and those it is compared with. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Report } from '../../src/observe/report.ts';
import { commandIn, type TestNetwork } from '../support/namespaces.ts';
import { capturesBelow } from './captures-below.ts';

const main = join(import.meta.dirname, '../../src/main.ts');
/** A program that is not ready after so long never will be. */
const READY_MS = 30_000;
const FILTER = 'udp port 4789';

/** What a receiver says at its end. */
export interface Received {
  /** Packets that it says are in its files. */
  readonly packets: number;
  /** Packets that it knows to be lost. */
  readonly dropped: number;
  readonly files: readonly string[];
}

export interface RunningReceiver {
  readonly pid: number;
  /** Ends it in order; resolves once its files are complete. */
  end(): Promise<Received>;
  /** Ends it at once; after `end` nothing is left to do. */
  kill(): void;
}

export interface Receiver {
  readonly name: string;
  /** The program that has to be installed; empty for mirrortap. */
  readonly program: string;
  /** Whether it is mirrortap. */
  readonly own: boolean;
  /** Starts it in the receiver's namespace; resolves when it takes packets. */
  start(network: TestNetwork, folder: string): Promise<RunningReceiver>;
}

export const modes = ['ring', 'mmsg', 'dgram'] as const;
export type Mode = (typeof modes)[number];

/** `mirrortap receive` with one worker, writing one pcapng file a VNI. */
export function mirrortap(mode: Mode): Receiver {
  return {
    name: `mirrortap ${mode}`,
    program: '',
    own: true,
    start: (network, folder) => {
      const settings = [
        `listen.mode=${mode}`,
        'workers=1',
        'http.address=127.0.0.1',
        'http.port=0',
        'sinks.captures.kind=files',
        `sinks.captures.directory=${folder}`,
      ];
      const set = settings.flatMap((setting) => ['--set', setting]);
      const options = ['--report', 'json', '--log-format', 'json'];
      const command = [process.execPath, main, 'receive', ...options, ...set];
      return start(network, command, /"msg":"Receiving\."/, 'SIGTERM', ({ stdout }) => {
        const report = JSON.parse(stdout) as Report;
        const packets = report.sinks.reduce((sum, { written }) => sum + written, 0);
        return {
          packets,
          dropped: report.ledger.received - packets + report.ledger.dropped.kernel,
          files: capturesBelow(folder),
        };
      });
    },
  };
}

/** `tcpdump -w`; `bufferKilobytes` as its option -B, its own default where left out. */
export function tcpdump(bufferKilobytes?: number): Receiver {
  const buffer = bufferKilobytes === undefined ? [] : ['-B', String(bufferKilobytes)];
  return {
    name: ['tcpdump', ...buffer].join(' '),
    program: 'tcpdump',
    own: false,
    start: (network, folder) => {
      const file = join(folder, 'tcpdump.pcap');
      // without -Z it gives up root before it makes the file, which is in a folder of root's
      const command = [
        'tcpdump',
        '-Z',
        'root',
        '-n',
        ...buffer,
        '-i',
        network.receiverInterface,
        '-w',
        file,
        FILTER,
      ];
      return start(network, command, /listening on/, 'SIGINT', ({ stderr }) => ({
        packets: numberIn(stderr, /(\d+) packets? captured/),
        dropped: numberIn(stderr, /(\d+) packets? dropped by kernel/),
        files: [file],
      }));
    },
  };
}

/** `dumpcap -w` with its default buffer. */
export function dumpcap(): Receiver {
  return {
    name: 'dumpcap',
    program: 'dumpcap',
    own: false,
    start: (network, folder) => {
      const file = join(folder, 'dumpcap.pcapng');
      const command = ['dumpcap', '-q', '-i', network.receiverInterface, '-w', file, '-f', FILTER];
      return start(network, command, /^File: /m, 'SIGINT', ({ stderr }) => ({
        packets: numberIn(stderr, /Packets received\/dropped on interface .*: (\d+)\/\d+/),
        dropped: numberIn(stderr, /Packets received\/dropped on interface .*: \d+\/(\d+)/),
        files: [file],
      }));
    },
  };
}

interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

async function start(
  network: TestNetwork,
  command: readonly string[],
  ready: RegExp,
  signal: NodeJS.Signals,
  read: (output: Output) => Received,
): Promise<RunningReceiver> {
  const [program = '', ...args] = commandIn(network.receiver, command);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = collect(child);
  const closed = once(child, 'close').then(([status]: (number | null)[]) => status);
  await untilReady(child, closed, output, ready);
  return {
    pid: child.pid ?? 0,
    end: async () => {
      child.kill(signal);
      const status = await closed;
      if (status !== 0) throw new Error(`${command[0]} ended with status ${status}:\n${output().stderr}`);
      return read(output());
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

function collect(child: ChildProcess): () => Output {
  const texts = { stdout: '', stderr: '' };
  child.stdout?.on('data', (part: Buffer) => (texts.stdout += part.toString()));
  child.stderr?.on('data', (part: Buffer) => (texts.stderr += part.toString()));
  return () => texts;
}

function untilReady(
  child: ChildProcess,
  closed: Promise<number | null | undefined>,
  output: () => Output,
  ready: RegExp,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => {
      child.kill('SIGKILL');
      reject(new Error(`${what}:\n${output().stderr}`));
    };
    const timer = setTimeout(() => fail('It was not ready in time'), READY_MS);
    const look = (): void => {
      if (!ready.test(output().stderr)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stderr?.on('data', look);
    void closed.then((status) => {
      clearTimeout(timer);
      fail(`It ended with status ${status} before it was ready`);
    });
  });
}

function numberIn(text: string, pattern: RegExp): number {
  const number = pattern.exec(text)?.[1];
  if (number === undefined) throw new Error(`It does not say ${String(pattern)}:\n${text}`);
  return Number(number);
}
