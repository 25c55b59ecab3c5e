import { readdirSync, readlinkSync } from 'node:fs';
import { DgramInput } from '../../src/inputs/dgram.ts';
import type { IntakeSet } from '../../src/inputs/intake-set.ts';
import { MmsgInput } from '../../src/inputs/mmsg/mmsg-input.ts';
import { openSockets } from '../../src/inputs/mmsg/open-sockets.ts';
import type { PortGroupOptions } from '../../src/inputs/mmsg/port-group.ts';
import type { SocketHandle } from '../../src/inputs/mmsg/socket-handle.ts';

/** Milliseconds since the epoch with fractions. */
export const now = (): number => performance.timeOrigin + performance.now();

/** One worker on one port of loopback that is free, unless `options` say otherwise. */
export function openTestSockets(options: Partial<PortGroupOptions> = {}): Promise<IntakeSet<SocketHandle>> {
  return openSockets({
    workers: 1,
    address: '127.0.0.1',
    vxlanPorts: [0],
    genevePorts: [],
    receiveBufferBytes: 8_388_608,
    steering: 'flow',
    ...options,
  });
}

/** An opened input on the sockets of one worker. */
export async function openTestInput(set: IntakeSet<SocketHandle>, worker = 0): Promise<MmsgInput> {
  const input = new MmsgInput({ sockets: set.handles[worker] ?? [], now });
  await input.open();
  return input;
}

/** Port of the first socket. */
export function portOf(set: IntakeSet<SocketHandle>): number {
  return set.bound()[0]?.port ?? 0;
}

/** Sockets of this process that are open, of any kind. */
export function openSocketCount(): number {
  const folder = '/proc/self/fd';
  return readdirSync(folder).filter((descriptor) => {
    try {
      return readlinkSync(`${folder}/${descriptor}`).startsWith('socket:');
    } catch {
      // the descriptor that listed the folder is gone by now
      return false;
    }
  }).length;
}

/** An opened input of Node's own sockets, with the same conditions. */
export async function openDgram(address: string): Promise<{ input: DgramInput; port: number }> {
  const input = new DgramInput({ worker: 0, address, ports: [0], receiveBufferBytes: 8_388_608, now });
  await input.open();
  return { input, port: input.bound()[0]?.port ?? 0 };
}
