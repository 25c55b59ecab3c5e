import type { Socket } from 'node:dgram';
import type { IntakeSet } from '../../src/inputs/intake-set.ts';
import { MmsgInput } from '../../src/inputs/mmsg/mmsg-input.ts';
import type { SocketHandle } from '../../src/inputs/mmsg/socket-handle.ts';
import type { Deliver, Input } from '../../src/pipeline/input.ts';
import { numberedPacket } from './consumer.ts';
import type { InputSource, World } from './input-sources.ts';
import { now, openSocketCount, openTestSockets, portOf } from './mmsg-sockets.ts';
import { sendTo } from './socket-traffic.ts';

/** A descriptor that is open nowhere. */
const NO_DESCRIPTOR = 99_999;

/** What the main thread and a worker do with their sockets, in one: it opens, reads and closes them. */
class OwnSockets implements Input {
  set: IntakeSet<SocketHandle> | undefined;
  readonly #ports: readonly number[];
  readonly #afterOpen: (set: IntakeSet<SocketHandle>) => Promise<readonly SocketHandle[]>;
  #input: MmsgInput | undefined;
  #closed = false;

  constructor(
    ports: readonly number[],
    afterOpen: (set: IntakeSet<SocketHandle>) => Promise<readonly SocketHandle[]>,
  ) {
    this.#ports = ports;
    this.#afterOpen = afterOpen;
  }

  async open(): Promise<void> {
    if (this.#closed) return;
    this.set = await openTestSockets({ vxlanPorts: this.#ports });
    this.#input = new MmsgInput({ sockets: await this.#afterOpen(this.set), now });
    await this.#input.open();
  }

  async run(deliver: Deliver): Promise<void> {
    try {
      await this.#input?.run(deliver);
    } finally {
      this.#closeSockets();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#input?.close();
    this.#closeSockets();
  }

  #closeSockets(): void {
    this.set?.close();
    this.set = undefined;
  }
}

function sourceOf(world: World, input: OwnSockets): InputSource {
  const before = openSocketCount();
  let sender: Socket | undefined;
  let port = 0;
  return {
    input,
    async supply(from, to) {
      sender ??= await world.socket();
      if (input.set !== undefined) port = portOf(input.set);
      for (let number = from; number < to; number++) {
        await sendTo(sender, numberedPacket(number), port, '127.0.0.1');
      }
    },
    end: () => input.close(),
    open: () => openSocketCount() - before - (sender === undefined ? 0 : 1),
  };
}

/** One socket for each port. */
export function mmsgSource(world: World, ports: readonly number[] = [0]): InputSource {
  return sourceOf(world, new OwnSockets(ports, ({ handles }) => Promise.resolve(handles[0] ?? [])));
}

/** A socket with packets, and then one that cannot be read. */
export function failingMmsgSource(world: World, packets: number): InputSource {
  const input: OwnSockets = new OwnSockets([0], async ({ handles }) => {
    await source.supply(0, packets);
    return (handles[0] ?? []).flatMap((socket) => [socket, { ...socket, descriptor: NO_DESCRIPTOR }]);
  });
  const source = sourceOf(world, input);
  return source;
}
