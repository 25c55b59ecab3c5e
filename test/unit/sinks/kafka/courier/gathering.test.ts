import { expect, test } from 'vitest';
import { allocateChannel, CHANNEL_BLOCK_BYTES } from '../../../../../src/pipeline/channel/channel-memory.ts';
import { ChannelReader } from '../../../../../src/pipeline/channel/channel-reader.ts';
import { ChannelWriter } from '../../../../../src/pipeline/channel/channel-writer.ts';
import { Backlog } from '../../../../../src/sinks/kafka/courier/backlog.ts';

const BLOCKS = 8;
const HOUR_MS = 3_600_000;
const goesOn = (): boolean => false;

/** A backlog without a spool, of a ring with so many full blocks. */
function backlogOf(fullBlocks: number): Backlog {
  const memory = allocateChannel(BLOCKS * CHANNEL_BLOCK_BYTES, 1e9);
  const writer = new ChannelWriter(memory);
  for (let i = 0; i < fullBlocks; i++) {
    writer.reserve(CHANNEL_BLOCK_BYTES);
    writer.commit(CHANNEL_BLOCK_BYTES, 1);
    writer.publish();
  }
  return new Backlog(new ChannelReader(memory), undefined);
}

test('without a spool portions are as large as ever while the ring fills', async () => {
  const backlog = backlogOf(BLOCKS);
  const portion = await backlog.next(3 * CHANNEL_BLOCK_BYTES, 0, goesOn);
  expect(portion?.blocks.length).toBe(3);
});

test('a ring that is full, and all taken, is not waited for', async () => {
  const backlog = backlogOf(BLOCKS);
  const portion = await backlog.next(2 * BLOCKS * CHANNEL_BLOCK_BYTES, HOUR_MS, goesOn);
  expect(portion?.blocks.length).toBe(BLOCKS);
});
