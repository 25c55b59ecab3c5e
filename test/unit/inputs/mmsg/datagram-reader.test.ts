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
    setIntOption(socket.descriptor, level.SOL_SOCKET, socketOption.SO_TIMESTAMPNS, 0);
    await sendTo(sender, 'timeless', socket.port, LOOPBACK);
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
    expect(times).toEqual([[1_795_233_600, 123_500_000]]);
    expect(state[SocketState.drops]).toBe(0);
  } finally {
    sender.close();
    set.close();
  }
});

test.skipIf(!native)('datagrams that fill a batch go on in the next', async () => {
  const set = await openTestSockets();
  const sender = await senderOn(LOOPBACK);
  try {
    const socket = set.handles[0]![0]!;
    const state = new Uint32Array(socket.state);
    const sizes: number[] = [];
    const seen: number[] = [];
    const reader = new DatagramReader({
      pool: new BatchPool(BATCH_PACKETS, BATCH_BYTES),
      now: Date.now,
      emit: (batch) => {
        sizes.push(batch.end[batch.count - 1]!);
        for (let slot = 0; slot < batch.count; slot++) seen.push(batch.bytes[batch.end[slot]! - 1]!);
      },
    });
    const lengths = [60_000, 9000, 65_507, 1, 100];
    const sent = Array.from({ length: 250 }, (_, number) => number);
    for (const number of sent) {
      const payload = Buffer.alloc(lengths[number % lengths.length]!, number);
      await sendTo(sender, payload, socket.port, LOOPBACK);
      reader.read(socket, state);
    }
    reader.flush();
    expect(seen).toEqual(sent);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(BATCH_BYTES);
    expect(sizes.length).toBeGreaterThan(4);
  } finally {
    sender.close();
    set.close();
  }
});
