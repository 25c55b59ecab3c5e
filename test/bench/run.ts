/**
 * The command behind `npm run bench`: measures mirrortap against other programs, in one run on this machine.
 *
 *     npm run bench                    everything; writes docs/benchmarks.md
 *     npm run bench -- receive micro   only these, and their parts of the page
 *     npm run bench -- --quick         small loads and single runs, in minutes; writes nothing
 *     npm run bench -- --runs 5        so many alternating runs, of which the medians count
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machineFacts } from './machine.ts';
import { replacePart } from './markdown.ts';
import { flowsPart } from './flows-part.ts';
import { kafkaPart } from './kafka-part.ts';
import { type BenchOptions, decapPart, microPart, receivePart } from './parts.ts';

const page = join(import.meta.dirname, '../../docs/benchmarks.md');
const RUNS = 3;

const parts: Readonly<Record<string, (options: BenchOptions) => Promise<string>>> = {
  receive: receivePart,
  decap: decapPart,
  flows: flowsPart,
  kafka: kafkaPart,
  micro: microPart,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, runs: { type: 'string' } },
});
const { quick } = values;
const runs = Number(values.runs ?? (quick ? 1 : RUNS));
if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs is a number from 1 on, not ${values.runs}.`);
const unknown = positionals.filter((name) => !(name in parts));
if (unknown.length > 0)
  throw new Error(`There is no bench "${unknown[0]}"; there are ${Object.keys(parts).join(', ')}.`);
const wanted = positionals.length === 0 ? Object.keys(parts) : positionals;

const facts = machineFacts(['tcpdump', 'dumpcap', 'editcap', 'cp', 'suricata', 'java']);
process.stdout.write(`${facts}\n`);
for (const [name, bench] of Object.entries(parts)) {
  if (!wanted.includes(name)) continue;
  const text = await bench({
    quick,
    runs,
    progress: (line) => void process.stderr.write(`${name}: ${line}\n`),
  });
  process.stdout.write(`\n${text}\n`);
  if (!quick) writePart(name, `${text}\n\nMeasured on ${new Date().toISOString().slice(0, 10)}:\n\n${facts}`);
}

function writePart(name: string, text: string): void {
  writeFileSync(page, replacePart(readFileSync(page, 'utf8'), name, text));
}
