import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PacketBatch } from '../../src/packet/batch.ts';
import type { Input } from '../../src/pipeline/input.ts';

/** A packet as an input delivered it; a copy. */
export interface Delivered {
  readonly bytes: Buffer;
  readonly wireLen: number;
  readonly linkType: number;
  /** Arrival, nanoseconds since the epoch. */
  readonly timeNs: bigint;
}

/** Runs an input and keeps what it delivers. */
export class Collector {
  readonly packets: Delivered[] = [];
  readonly batchSizes: number[] = [];
  readonly ended: Promise<void>;

  constructor(input: Input) {
    this.ended = input.run((batch) => {
      this.batchSizes.push(batch.count);
      this.packets.push(...deliveredOf(batch));
      return Promise.resolve();
    });
  }

  /** Settles once so many packets came. */
  async until(count: number): Promise<void> {
    while (this.packets.length < count) await nextTurn();
  }
}

function deliveredOf(batch: PacketBatch): Delivered[] {
  return Array.from({ length: batch.count }, (_, slot) => ({
    bytes: Buffer.from(batch.bytes.subarray(batch.at[slot], batch.end[slot])),
    wireLen: batch.wireLen[slot] ?? -1,
    linkType: batch.linkType[slot] ?? -1,
    timeNs: BigInt(batch.seconds[slot] ?? 0) * 1_000_000_000n + BigInt(batch.nanoseconds[slot] ?? 0),
  }));
}

/** A socket of Node to send from. */
export async function senderOn(address: string): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}

/** Settles when the datagram has left: on loopback it has arrived then. */
export function sendTo(
  socket: Socket,
  bytes: Uint8Array | string,
  port: number,
  address: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(bytes, port, address, (error) => (error === null ? resolve() : reject(error)));
  });
}
