/**
 * Prints what reading datagrams with recvmmsg leaves on the heap, in bytes a packet, for 100,000 datagrams over
 * loopback. Run with `--expose-gc` and a young generation in which all of it would find room.
 */
import { BatchPool } from '../../../src/inputs/batch-pool.ts';
import {
  BATCH_BYTES,
  BATCH_PACKETS,
  DatagramReader,
  MESSAGES,
} from '../../../src/inputs/mmsg/datagram-reader.ts';
import { socketAddressOf } from '../../../src/inputs/socket-address.ts';
import { family, socketType } from '../../../src/native/constants.ts';
import { loadNative } from '../../../src/native/library.ts';
import { MessageVector, sendMessages } from '../../../src/native/messages.ts';
import { closeDescriptor, openSocket } from '../../../src/native/socket.ts';
import { now, openTestSockets } from '../mmsg-sockets.ts';

const PACKETS = 100_000;
const WARM_UP = 20_000;
const PAYLOAD_BYTES = 136;

const missing = await loadNative();
if (missing !== undefined) throw new Error(missing);
const set = await openTestSockets();
const [socket] = set.handles[0] ?? [];
if (socket === undefined) throw new Error('There is no socket.');
const state = new Uint32Array(socket.state);
const pool = new BatchPool(BATCH_PACKETS, BATCH_BYTES);
let packets = 0;
const reader = new DatagramReader({
  pool,
  now,
  emit: (batch) => {
    packets += batch.count;
    pool.give(batch);
  },
});
const sender = openSocket(family.AF_INET, socketType.SOCK_DGRAM, 0);
const datagrams = new MessageVector(MESSAGES, PAYLOAD_BYTES, 0, 16);
datagrams.setDestination(socketAddressOf({ version: 4, bytes: Uint8Array.of(127, 0, 0, 1) }, socket.port));
for (let i = 0; i < MESSAGES; i++) datagrams.setLength(i, PAYLOAD_BYTES);

/** What sending leaves, without reading; then the same with reading. */
function pass(count: number, reading: boolean): number {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let done = 0; done < count; done += MESSAGES) {
    sendMessages(sender, datagrams, 0, MESSAGES);
    if (!reading) continue;
    while (reader.read(socket!, state) > 0);
    reader.flush();
  }
  return (process.memoryUsage().heapUsed - before) / count;
}

pass(WARM_UP, true);
const bytes = pass(PACKETS, true) - pass(PACKETS, false);
if (packets < PACKETS) throw new Error(`Only ${packets} packets came.`);
closeDescriptor(sender);
set.close();
process.stdout.write(String(bytes));
