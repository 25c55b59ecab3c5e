/**
 * Writes captures until it is killed: `node write-forever.ts DIRECTORY`. Prints `writing` once, and whenever it has
 * handed something over, so that a test knows how far it is.
 */
import { liveFiles } from '../../../src/sinks/files/create.ts';
import { filesDropReasons } from '../../../src/sinks/files/files-sink.ts';
import { batchOf, numberedFrame } from '../batches.ts';
import { capturesSettings } from '../captures-settings.ts';
import { sinkContext } from '../sink-context.ts';

const directory = process.argv[2] ?? '';
const context = { ...sinkContext(filesDropReasons), now: Date.now };
const sink = liveFiles(capturesSettings({ directory }), context);
await sink.open();
const packets = Array.from({ length: 997 }, (_, i) => ({
  lane: i % 5,
  frame: numberedFrame(i, 60 + (i % 1400)),
}));
for (;;) {
  await sink.write(batchOf(packets));
  await new Promise((resolve) => setImmediate(resolve));
  if (context.counters.written > 50_000) process.stdout.write('enough\n');
}
