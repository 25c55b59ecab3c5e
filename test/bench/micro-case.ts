/**
 * Measures one case in a process of its own, where no other code has shaped what the engine makes of it:
 * `node --expose-gc … micro-case.ts NAME BYTES [quick]`. Prints a line of JSON, a `MicroSample`. The young generation has to be
 * large enough for what `HEAP_PASSES` could leave, so that nothing is collected between the two readings.
 */
import { setFlagsFromString } from 'node:v8';
import { median } from './statistics.ts';

/** Nanoseconds of a packet, and bytes that it leaves on the heap. */
export interface MicroSample {
  readonly packetNs: number;
  readonly packetBytes: number;
  /** Of no interest but that it was computed. */
  readonly sum: number;
}

const LENGTHS = {
  full: { warmUpMs: 700, roundMs: 60, rounds: 15 },
  quick: { warmUpMs: 300, roundMs: 20, rounds: 3 },
} as const;
/** 205,000 packets. */
const HEAP_PASSES = 400;

// as src/main.ts does, before anything is compiled
for (const flag of (process.env['ENGINE_FLAGS'] ?? '').split(' ')) if (flag !== '') setFlagsFromString(flag);
const { BLOCK_PACKETS, microCases, plantedCase } = await import('./micro-cases.ts');

const [name = '', bytes = '', length = 'full'] = process.argv.slice(2);
const chosen = [...microCases, plantedCase].find((one) => one.name === name);
if (chosen === undefined) throw new Error(`There is no case "${name}".`);
const pass = chosen.make(Number(bytes));
process.stdout.write(JSON.stringify(measure(LENGTHS[length as keyof typeof LENGTHS])));

function measure({ warmUpMs, roundMs, rounds }: (typeof LENGTHS)[keyof typeof LENGTHS]): MicroSample {
  let { sum } = repeat(warmUpMs);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { tookMs, passes, sum: more } = repeat(roundMs);
    times.push((tookMs * 1e6) / (passes * BLOCK_PACKETS));
    sum += more;
  }
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < HEAP_PASSES; i++) sum += pass();
  const left = process.memoryUsage().heapUsed - before;
  return { packetNs: median(times), packetBytes: left / (HEAP_PASSES * BLOCK_PACKETS), sum };
}

/** Makes passes for so long. */
function repeat(milliseconds: number): { tookMs: number; passes: number; sum: number } {
  const startMs = performance.now();
  let [passes, sum, tookMs] = [0, 0, 0];
  do {
    sum += pass();
    passes++;
    tookMs = performance.now() - startMs;
  } while (tookMs < milliseconds);
  return { tookMs, passes, sum };
}
