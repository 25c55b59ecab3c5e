import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { commandIn } from './namespaces.ts';

/** An interface that frames are written to, in a namespace, and where a program reads them. */
export interface MirrorInterface {
  readonly written: string;
  readonly read: string;
}

/** Runs `ip` in a namespace. */
export function ipIn(namespace: string, ...lines: readonly string[]): void {
  execFileSync('ip', ['-netns', namespace, '-batch', '-'], {
    input: `${lines.join('\n')}\n`,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Makes one; it goes with its namespace. A dummy is read where it is written to, a veth at its other end. */
export function makeMirror(
  namespace: string,
  kind: 'veth' | 'dummy',
  name = 'mirror0',
  mtuBytes = 9001,
): MirrorInterface {
  const read = kind === 'veth' ? `${name}r` : name;
  const names = [...new Set([name, read])];
  ipIn(
    namespace,
    kind === 'veth'
      ? `link add ${name} mtu ${mtuBytes} type veth peer name ${read} mtu ${mtuBytes}`
      : `link add ${name} mtu ${mtuBytes} type dummy`,
    // no addresses of its own making: nothing but what is written to it is there
    ...names.map((one) => `link set ${one} addrgenmode none up`),
  );
  return { written: name, read };
}

/** A program that reads an interface, or waits to. */
export interface Reader {
  /** Ends it as Ctrl-C does, and settles when it has. */
  stop(): Promise<void>;
}

/**
 * Starts a program in a namespace and settles once it says that it reads.
 *
 * @param says what it prints then, to either output
 */
export async function startReader(
  namespace: string,
  command: readonly string[],
  says: RegExp,
): Promise<Reader> {
  const [program = '', ...args] = commandIn(namespace, command);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  // a test that fails half-way must not leave it running
  onTestFinished(() => void child.kill('SIGKILL'));
  const closed = once(child, 'close');
  await untilSaid(child, says);
  return {
    stop: async () => {
      child.kill('SIGINT');
      await closed;
    },
  };
}

async function untilSaid(child: ChildProcess, says: RegExp): Promise<void> {
  let text = '';
  await new Promise<void>((resolve, reject) => {
    for (const output of [child.stdout, child.stderr]) {
      output?.on('data', (part: Buffer) => {
        text += part.toString();
        if (says.test(text)) resolve();
      });
    }
    child.once('close', () => reject(new Error(`It ended before it read:\n${text}`)));
  });
}

/** tcpdump that writes what comes in at an interface, or goes out, to a file. */
export function startTcpdump(namespace: string, interfaceName: string, file: string): Promise<Reader> {
  const options = [
    '-i',
    interfaceName,
    '-s',
    // in immediate mode each packet takes a place of this size in tcpdump's buffer: a burst of thousands has to fit
    '9216',
    '-B',
    '65536',
    '--immediate-mode',
    '-U',
    '-Z',
    'root',
    '-w',
    file,
  ];
  return startReader(namespace, ['tcpdump', ...options], /listening on/);
}

/** Frames of a pcap of this machine, as far as it is written. */
function framesOfPcap(file: string): Buffer[] {
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  const frames: Buffer[] = [];
  for (let at = 24; at + 16 <= bytes.length; ) {
    const end = at + 16 + bytes.readUInt32LE(at + 8);
    if (end > bytes.length) break;
    frames.push(bytes.subarray(at + 16, end));
    at = end;
  }
  return frames;
}

/** Settles once tcpdump has written so many frames, and gives it time for one too many. */
export async function untilFrames(file: string, count: number): Promise<Buffer[]> {
  for (let tries = 0; framesOfPcap(file).length < count; tries++) {
    if (tries === 1500) throw new Error(`tcpdump saw ${framesOfPcap(file).length} frames of ${count}.`);
    await sleep(20);
  }
  await sleep(200);
  return framesOfPcap(file);
}
