import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { liveFiles } from '../../src/sinks/files/create.ts';
import { filesDropReasons } from '../../src/sinks/files/files-sink.ts';
import type { FilesSettings } from '../../src/sinks/settings.ts';
import type { FinishedFile } from '../../src/pipeline/finished-file.ts';
import { batchOf, numberedFrame, type TestPacket } from './batches.ts';
import { capturesSettings } from './captures-settings.ts';
import { sinkContext } from './sink-context.ts';

export interface WrittenCaptures {
  readonly directory: string;
  readonly worker?: number;
  readonly settings?: Partial<FilesSettings>;
  readonly packets: readonly TestPacket[];
  /** Name of the folder beside `directory` that they grow in before they are left. */
  readonly growing?: string;
}

/** Writes captures as a worker does and closes them: what its sink told of each. */
export async function writeCaptures({
  directory,
  worker = 0,
  settings = {},
  packets,
}: WrittenCaptures): Promise<FinishedFile[]> {
  const context = sinkContext(filesDropReasons, worker);
  const sink = liveFiles(capturesSettings({ directory, ...settings }), context, { tickMs: 0 });
  await sink.open();
  await sink.write(batchOf(packets));
  await sink.close();
  return context.files;
}

/** Leaves captures as a worker does that is killed once all is on the disk: the paths of the `.part` files. */
export async function leaveCaptures(written: WrittenCaptures): Promise<string[]> {
  const { directory, worker = 0, settings = {}, packets } = written;
  const context = sinkContext(filesDropReasons, worker);
  const growing = join(directory, '..', written.growing ?? 'growing');
  mkdirSync(growing);
  const sink = liveFiles(capturesSettings({ directory: growing, ...settings }), context, { tickMs: 0 });
  await sink.open();
  await sink.write(batchOf(packets));
  await sink.flush();
  const paths = readdirSync(growing, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.part'),
  );
  for (const path of paths) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    copyFileSync(join(growing, path), join(directory, path));
  }
  await sink.close();
  return paths.sort();
}

/** Packets of different sizes, a second apart, in turn for `lanes` lanes. */
export function variedPackets(count: number, lanes = 1, startSeconds?: number): TestPacket[] {
  return Array.from({ length: count }, (_, i) => ({
    lane: i % lanes,
    frame: numberedFrame(i, 60 + ((i * 7) % 90)),
    ...(startSeconds === undefined ? {} : { seconds: startSeconds + i, nanoseconds: i }),
  }));
}
