/**
 * Writes packets of 4,096 lanes three times over, a new file each time, with as many open files as a worker takes:
 * `node write-many-lanes.ts DIRECTORY`. Prints what was written and lost as JSON.
 */
import { openFilesShare } from '../../../src/app/receive/open-files.ts';
import { liveFiles } from '../../../src/sinks/files/create.ts';
import { filesDropReasons } from '../../../src/sinks/files/files-sink.ts';
import { batchOf, TEST_SECONDS } from '../batches.ts';
import { capturesSettings } from '../captures-settings.ts';
import { sinkContext } from '../sink-context.ts';

const LANES = 4096;
const directory = process.argv[2] ?? '';
const context = { ...sinkContext(filesDropReasons), openFiles: openFilesShare(1) };
const sink = liveFiles(capturesSettings({ directory, rotateSeconds: 10 }), context);
await sink.open();
for (const seconds of [0, 10, 20]) {
  for (let first = 0; first < LANES; first += 512) {
    const packets = Array.from({ length: 512 }, (_, i) => ({
      lane: first + i,
      seconds: TEST_SECONDS + seconds,
    }));
    context.counters.addDelivered(packets.length);
    await sink.write(batchOf(packets));
  }
}
await sink.close();
const { written, pending } = context.counters;
process.stdout.write(
  JSON.stringify({
    written,
    pending,
    dropped: context.dropped(),
    files: context.files.length,
    openFiles: context.openFiles,
  }),
);
