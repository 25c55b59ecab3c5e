/** Nanoseconds and heap of single steps, each measured in a process of its own under the flags of `src/main.ts`. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MicroSample } from './micro-case.ts';
import type { MicroCase } from './micro-cases.ts';

const program = join(import.meta.dirname, 'micro-case.ts');
const main = join(import.meta.dirname, '../../src/main.ts');
/** Room for what all packets could leave, so that nothing is collected before it is counted. */
const heap = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];

export interface MicroResult extends MicroSample {
  readonly case: MicroCase;
  readonly innerBytes: number;
}

/** The flags that `src/main.ts` gives the engine: what is compiled differs without them. */
export function engineFlags(): string[] {
  const flags = [...readFileSync(main, 'utf8').matchAll(/setFlagsFromString\('(--[^']+)'\)/g)].map(
    ([, flag = '']) => flag,
  );
  if (flags.length === 0) throw new Error('src/main.ts sets no flags of the engine.');
  return flags;
}

export interface MicroBenchOptions {
  readonly cases: readonly MicroCase[];
  readonly innerBytes: readonly number[];
  readonly quick: boolean;
  readonly progress: (text: string) => void;
}

export function benchMicro({ cases, innerBytes, quick, progress }: MicroBenchOptions): MicroResult[] {
  const env = { ...process.env, ENGINE_FLAGS: engineFlags().join(' ') };
  return cases.flatMap((one) =>
    innerBytes.map((bytes) => {
      const args = [...heap, program, one.name, String(bytes), quick ? 'quick' : 'full'];
      const sample = JSON.parse(
        execFileSync(process.execPath, args, { encoding: 'utf8', env }),
      ) as MicroSample;
      progress(
        `${one.name}, ${bytes} bytes: ${sample.packetNs.toFixed(1)} ns, ${sample.packetBytes.toFixed(2)} bytes`,
      );
      return { ...sample, case: one, innerBytes: bytes };
    }),
  );
}
