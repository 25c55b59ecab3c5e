import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { OneWorkerDecap } from '../../src/app/decap/one-worker.ts';
import type { DecapOptions, DecapRun } from '../../src/app/decap/options.ts';
import { type DecapSize, SeveralWorkersDecap } from '../../src/app/decap/several-workers.ts';
import { loadConfig } from '../../src/config/load.ts';
import { describeError } from '../../src/observe/describe-error.ts';
import { reportJson } from '../../src/observe/report.ts';

/** What of a decap can be seen from outside. */
export interface DecapSeen {
  /** Bytes by file name; `-` for standard output. */
  readonly files: Readonly<Record<string, Buffer>>;
  readonly report: string;
  readonly unread: readonly string[];
  readonly errors: readonly string[];
  readonly failure: string | undefined;
}

export interface DecapAsked {
  readonly format?: 'pcapng' | 'pcap';
  readonly stream?: boolean;
  readonly force?: boolean;
  /** `path=value`, as after `--set`. */
  readonly set?: readonly string[];
  /** Called with the output folder before the work begins. */
  readonly prepare?: (folder: string) => void;
  /** Called when the work has begun. */
  readonly during?: (run: DecapRun) => void;
  /** Where standard output goes instead of a file. */
  readonly stdout?: string;
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Runs a decap on one thread, or on as many as `size` says, and shows what came of it. */
export async function seenOfDecap(
  files: readonly string[],
  asked: DecapAsked,
  size: DecapSize | 'one',
): Promise<DecapSeen> {
  const home = mkdtempSync(join(tmpdir(), 'mirrortap-'));
  const folder = join(home, 'out');
  mkdirSync(folder);
  asked.prepare?.(folder);
  const stdout = openSync(asked.stdout ?? join(home, 'stdout'), 'w');
  try {
    const options: DecapOptions = {
      files,
      out: asked.stream === true ? '-' : folder,
      output: { order: 'arrival', repair: 'none', duplicates: 'keep' },
      flows: undefined,
      force: asked.force === true,
      format: asked.format ?? 'pcapng',
      workers: 1,
      report: 'json',
      config: loadConfig({ environment: {}, set: [...(asked.set ?? [])] }),
    };
    const run: DecapRun =
      size === 'one'
        ? new OneWorkerDecap(options, { log: silent }, stdout)
        : new SeveralWorkersDecap(options, size, stdout);
    const running = run.run();
    asked.during?.(run);
    const { unread, errors, failure } = await running;
    const names = statSync(folder).isDirectory() ? readdirSync(folder) : [];
    const inFolder = names.map((name) => [name, readFileSync(join(folder, name))] as const);
    const told = (error: unknown): string => describeError(error).replaceAll(home, '');
    const streamed = asked.stdout === undefined ? readFileSync(join(home, 'stdout')) : Buffer.alloc(0);
    return {
      files: Object.fromEntries([...inFolder, ['-', streamed]]),
      report: reportJson(run.report()),
      unread: unread.map(({ path, linkType }) => `${basename(path)}: ${linkType}`),
      errors: errors.map(told),
      failure: failure === undefined ? undefined : told(failure),
    };
  } finally {
    closeSync(stdout);
    rmSync(home, { recursive: true });
  }
}
