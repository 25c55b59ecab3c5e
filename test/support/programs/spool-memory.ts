/** Puts 384 MiB into a spool and takes them out again: `node spool-memory.ts DIRECTORY`. Prints how many bytes its memory grew. */
import { numberedBlock, openSpool } from '../spooling.ts';

const MIB = 1024 * 1024;
const { spool } = await openSpool(process.argv[2] ?? '', { segmentBytes: 16 * MIB });
const block = numberedBlock(1, MIB / 4);
const before = process.memoryUsage.rss();
let most = before;
const look = () => {
  most = Math.max(most, process.memoryUsage.rss());
};
for (let i = 0; i < 384; i++) {
  if ((await spool.append([block, block, block, block])) !== 'kept') throw new Error('not kept');
  look();
}
for (;;) {
  const entries = await spool.read(4 * MIB);
  const last = entries.at(-1);
  if (last === undefined) break;
  await spool.acknowledge(last);
  look();
}
if (!spool.isEmpty) throw new Error('not empty');
await spool.close();
process.stdout.write(`${most - before}\n`);
