import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BatchPool } from '../../../../src/inputs/batch-pool.ts';
import { BATCH_BYTES, BATCH_PACKETS, DatagramReader } from '../../../../src/inputs/mmsg/datagram-reader.ts';
import { SocketState } from '../../../../src/inputs/mmsg/socket-handle.ts';
import { level, socketOption } from '../../../../src/native/constants.ts';
import { setIntOption } from '../../../../src/native/socket.ts';
import { openTestSockets } from '../../../support/mmsg-sockets.ts';
import { requiresNative } from '../../../support/native.ts';
import { requiresRoot } from '../../../support/requires.ts';
import { senderOn, sendTo } from '../../../support/socket-traffic.ts';

const native = await requiresNative();
const LOOPBACK = '127.0.0.1';
/** Room for what all packets could leave, so that nothing is collected before it is counted. */
const heap = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];

test.skipIf(!native)('100,000 datagrams are read without an object for each', () => {
  const program = join(import.meta.dirname, '../../../support/programs/socket-path.ts');
  const bytesPerPacket = Number(execFileSync(process.execPath, [...heap, program], { encoding: 'utf8' }));
  // the smallest object takes 16 bytes; a call may leave some
  expect(bytesPerPacket).toBeLessThan(4);
});

test.skipIf(!native)('what the kernel does not tell is the clock of the process, and no drops', async () => {
  const set = await openTestSockets();
  const sender = await senderOn(LOOPBACK);
  try {
    const socket = set.handles[0]![0]!;
    await sendTo(sender, 'timed', socket.port, LOOPBACK);
    const times: [number, number][] = [];
    const reader = new DatagramReader({
      pool: new BatchPool(BATCH_PACKETS, BATCH_BYTES),
      now: () => 1_795_233_600_123.5,
      emit: (batch) => times.push([batch.seconds[0]!, batch.nanoseconds[0]!]),
    });
    const state = new Uint32Array(socket.state);
    expect(reader.read(socket, state)).toBe(1);
    expect(times).toEqual([]);
    reader.flush();
    reader.flush();
    expect(times).toHaveLength(1);
    expect(times.pop()).not.toEqual([1_795_233_600, 123_500_000]);

    setIntOption(socket.descriptor, level.SOL_SOCKET, socketOption.SO_TIMESTAMPNS, 0);
    await sendTo(sender, 'timeless', socket.port, LOOPBACK);
    expect(reader.read(socket, state)).toBe(1);
    reader.flush();
    expect(times).toEqual([[1_795_233_600, 123_500_000]]);
    expect(state[SocketState.drops]).toBe(0);
  } finally {
    sender.close();
    set.close();
  }
});

/** What a reader makes of datagrams that are told apart by their last byte, `together` of them a call. */
async function readAll(
  lengths: readonly number[],
  together: number,
): Promise<{ seen: number[]; batches: { count: number; bytes: number }[] }> {
  const set = await openTestSockets();
  const sender = await senderOn(LOOPBACK);
  try {
    const socket = set.handles[0]![0]!;
    const state = new Uint32Array(socket.state);
    const batches: { count: number; bytes: number }[] = [];
    const seen: number[] = [];
    const reader = new DatagramReader({
      pool: new BatchPool(BATCH_PACKETS, BATCH_BYTES),
      now: Date.now,
      emit: (batch) => {
        batches.push({ count: batch.count, bytes: batch.end[batch.count - 1]! });
        for (let slot = 0; slot < batch.count; slot++) seen.push(batch.bytes[batch.end[slot]! - 1]!);
      },
    });
    for (const [number, length] of lengths.entries()) {
      await sendTo(sender, Buffer.alloc(length, number), socket.port, LOOPBACK);
      if (number % together === together - 1) reader.read(socket, state);
    }
    reader.flush();
    return { seen, batches };
  } finally {
    sender.close();
    set.close();
  }
}

test.skipIf(!native).each([
  { name: 'by their bytes', lengths: [60_000, 9000, 65_507, 1, 100], count: 250, together: 1 },
  { name: 'by their number', lengths: [10], count: 2560, together: 64 },
])('datagrams that fill a batch $name go on in the next', async ({ lengths, count, together }) => {
  const sent = Array.from({ length: count }, (_, number) => lengths[number % lengths.length]!);
  const { seen, batches } = await readAll(sent, together);
  expect(seen).toEqual(sent.map((_, number) => number & 0xff));
  expect(Math.max(...batches.map(({ bytes }) => bytes))).toBeLessThanOrEqual(BATCH_BYTES);
  expect(Math.max(...batches.map((batch) => batch.count))).toBeLessThanOrEqual(BATCH_PACKETS);
  expect(batches.length).toBeGreaterThan(2);
});

// without root the receive buffer is too small for them
test.skipIf(!native || !requiresRoot())(
  'datagrams of one call that no batch has room for take two',
  async () => {
    const { seen, batches } = await readAll(new Array<number>(20).fill(65_507), 20);
    expect(seen).toEqual(Array.from({ length: 20 }, (_, number) => number));
    expect(batches.map(({ count }) => count)).toEqual([11, 9]);
  },
);
