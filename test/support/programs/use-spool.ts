/**
 * Appends to a spool, reads and acknowledges at the same time until it is killed: `node use-spool.ts DIRECTORY FIRST`. Blocks are
 * numbered from FIRST. Prints `kept N` once N and all before it are kept, and `done N` once N and all before it are acknowledged;
 * it says what it has acknowledged before it does anything else.
 */
import { numberedBlock, numbersOf, openSpool } from '../spooling.ts';

const [, , directory = '', first = '0'] = process.argv;
const say = (line: string) => process.stdout.write(`${line}\n`);
const { spool } = await openSpool(directory, { segmentBytes: 400_000, maxBytes: 1 << 28 });
let number = Number(first);
say('open');

async function fill(): Promise<void> {
  for (;;) {
    const count = 1 + (number % 5);
    const blocks = Array.from({ length: count }, (_, i) =>
      numberedBlock(number + i, 8 + ((number * 7919) % 60_000)),
    );
    if ((await spool.append(blocks)) !== 'kept') throw new Error('not kept', { cause: spool.failure });
    number += count;
    say(`kept ${number - 1}`);
    // what waits stays bounded: the killed process leaves the same work whenever that is
    while (spool.records > 300) await new Promise((resolve) => setImmediate(resolve));
  }
}

async function empty(): Promise<void> {
  for (;;) {
    const entries = await spool.read(200_000);
    const last = entries.at(-1);
    if (last === undefined || spool.records < 100) {
      spool.rewind();
      await new Promise((resolve) => setTimeout(resolve, 1));
      continue;
    }
    say(`read ${numbersOf(entries).join(' ')}`);
    const acknowledged = spool.acknowledge(last);
    await acknowledged;
    say(`done ${numbersOf([last])[0]}`);
  }
}

await Promise.all([fill(), empty()]);
