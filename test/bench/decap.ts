/** `decap` with one and two workers against `editcap -C 50`, `tcpdump -r -w` and `cp`, on captures in the page cache. */
import { closeSync, mkdirSync, mkdtempSync, openSync, readSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LargeCapture, writeLargeCapture } from '../support/large-capture.ts';
import { packetsInFiles } from './capinfos.ts';
import { capturesBelow } from './captures-below.ts';
import { type Timing, timeCommand } from './timed-command.ts';

const main = join(import.meta.dirname, '../../src/main.ts');
/** Bytes of Ethernet, IPv4, UDP and VXLAN, which `editcap -C` takes off; and of inner Ethernet, IPv4 and UDP. */
const OUTER_LEN = 50;
const INNER_LEN = 42;
const VNIS = 16;
/** The capture and one copy take at most this part of what is free. */
const FREE_PART = 0.25;
/** What is read to be in the page cache is read in pieces of this size. */
const PIECE_BYTES = 64 * 1024 * 1024;

/** One of the programs that are compared. */
export interface Contender {
  readonly name: string;
  /** The program that has to be installed; empty for mirrortap. */
  readonly program: string;
  readonly command: (input: string, folder: string) => readonly string[];
}

export function decapContender(workers: number): Contender {
  return {
    name: `mirrortap decap, ${workers} ${workers === 1 ? 'worker' : 'workers'}`,
    program: '',
    command: (input, folder) => {
      const options = ['--workers', String(workers), '--log-level', 'warn', '--out', join(folder, 'lanes')];
      return [process.execPath, main, 'decap', input, ...options];
    },
  };
}

export const peers: readonly Contender[] = [
  {
    name: `editcap -C ${OUTER_LEN}`,
    program: 'editcap',
    command: (input, folder) => ['editcap', '-C', String(OUTER_LEN), input, join(folder, 'out.pcapng')],
  },
  {
    name: 'tcpdump -r -w',
    program: 'tcpdump',
    command: (input, folder) => ['tcpdump', '-Z', 'root', '-r', input, '-w', join(folder, 'out.pcap')],
  },
  { name: 'cp', program: 'cp', command: (input, folder) => ['cp', input, join(folder, 'out.pcap')] },
];

export interface DecapBenchOptions {
  readonly innerBytes: readonly number[];
  readonly contenders: readonly Contender[];
  /** Size of each capture, or less where the disk has less room. */
  readonly captureBytes: number;
  readonly runs: number;
  readonly progress: (text: string) => void;
}

/** All samples of one capture, by contender. */
export interface DecapResult {
  readonly innerBytes: number;
  readonly capture: LargeCapture;
  readonly samples: ReadonlyMap<Contender, readonly Timing[]>;
}

/** Runs the contenders one after the other, round by round. */
export async function benchDecap(options: DecapBenchOptions): Promise<DecapResult[]> {
  const results: DecapResult[] = [];
  for (const innerBytes of options.innerBytes) {
    const folder = mkdtempSync(join(tmpdir(), 'mirrortap-bench-'));
    try {
      results.push(await benchCapture(options, innerBytes, folder));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return results;
}

async function benchCapture(
  { contenders, captureBytes, runs, progress }: DecapBenchOptions,
  innerBytes: number,
  folder: string,
): Promise<DecapResult> {
  const input = join(folder, 'input.pcap');
  const { bavail, bsize } = statfsSync(folder);
  const bytes = Math.min(captureBytes, FREE_PART * bavail * bsize);
  const capture = writeLargeCapture(input, bytes, VNIS, [innerBytes - INNER_LEN]);
  const samples = new Map<Contender, Timing[]>(contenders.map((contender) => [contender, []]));
  for (let run = 0; run < runs; run++) {
    for (const [contender, list] of samples) {
      const output = join(folder, 'output');
      mkdirSync(output);
      warm(input);
      const timing = await timeCommand(contender.command(input, output));
      if (run === 0) checkPackets(contender, capture.packets, packetsInFiles(capturesBelow(output)));
      rmSync(output, { recursive: true });
      list.push(timing);
      progress(`${innerBytes} bytes, ${contender.name}: ${timing.seconds.toFixed(2)} s`);
    }
  }
  return { innerBytes, capture, samples };
}

/** Reads the whole file, so that all find it in the page cache. */
export function warm(path: string): void {
  const file = openSync(path, 'r');
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  try {
    while (readSync(file, piece) > 0);
  } finally {
    closeSync(file);
  }
}

function checkPackets({ name }: Contender, wanted: number, found: number | undefined): void {
  if (found === undefined || found === wanted) return;
  throw new Error(`${name} wrote ${found} packets of ${wanted}.`);
}
