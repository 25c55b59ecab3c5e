import { expect, test } from 'vitest';
import { allocateChannel, CHANNEL_BLOCK_BYTES } from '../../../../../src/pipeline/channel/channel-memory.ts';
import { ChannelReader } from '../../../../../src/pipeline/channel/channel-reader.ts';
import { ChannelWriter } from '../../../../../src/pipeline/channel/channel-writer.ts';
import { Backlog } from '../../../../../src/sinks/kafka/courier/backlog.ts';

const BLOCKS = 16;
const ENTRY_BYTES = 64;
const PORTION_BYTES = 1_048_576;
const LINGER_MS = 600;
const PUBLISH_MS = 20;

/** A ring into which an entry comes now and then, handed over as the sink of a worker does it. */
function trickle(): { writer: ChannelWriter; reader: ChannelReader; end: () => void } {
  const memory = allocateChannel(BLOCKS * CHANNEL_BLOCK_BYTES, 1e9);
  const [writer, reader] = [new ChannelWriter(memory), new ChannelReader(memory)];
  const timer = setInterval(() => {
    const at = writer.reserve(ENTRY_BYTES);
    if (at >= 0) writer.commit(at + ENTRY_BYTES, 1);
    if (writer.isAwaited) writer.publish();
  }, PUBLISH_MS);
  return { writer, reader, end: () => clearInterval(timer) };
}

test('little that comes in a long wait takes few blocks of the ring', async () => {
  const { reader, end } = trickle();
  const backlog = new Backlog(reader, undefined);
  const portion = await backlog.next(PORTION_BYTES, LINGER_MS, () => false);
  end();
  expect(portion?.records).toBeGreaterThan(15);
  // the first, the one that was left, and those of the last moments
  expect(portion?.blocks.length).toBeLessThanOrEqual(6);
});

test('an end does not wait for what may come', async () => {
  const { writer, reader, end } = trickle();
  const backlog = new Backlog(reader, undefined);
  const portion = backlog.next(PORTION_BYTES, 60_000, () => false);
  await new Promise((resolve) => setTimeout(resolve, 100));
  end();
  writer.close();
  const records = (await portion)?.records ?? 0;
  expect(records).toBeGreaterThan(0);
  expect(await backlog.next(PORTION_BYTES, 60_000, () => false)).toBeUndefined();
});
