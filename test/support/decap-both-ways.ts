import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  const stdout = openSync(join(home, 'stdout'), 'w');
  try {
    const options: DecapOptions = {
      files,
      out: asked.stream === true ? '-' : folder,
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
    const { errors, failure } = await run.run();
    const inFolder = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))] as const);
    const told = (error: unknown): string => describeError(error).replaceAll(home, '');
    return {
      files: Object.fromEntries([...inFolder, ['-', readFileSync(join(home, 'stdout'))]]),
      report: reportJson(run.report()),
      errors: errors.map(told),
      failure: failure === undefined ? undefined : told(failure),
    };
  } finally {
    closeSync(stdout);
    rmSync(home, { recursive: true });
  }
}
