import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { IntakeSet } from '../../src/inputs/intake-set.ts';
import { openRings } from '../../src/inputs/ring/open-rings.ts';
import type { RingHandle } from '../../src/inputs/ring/ring-handle.ts';
import { RingInput } from '../../src/inputs/ring/ring-input.ts';
import type { Deliver, Input } from '../../src/pipeline/input.ts';
import { numberedPacket } from './consumer.ts';
import type { InputSource, World } from './input-sources.ts';
import { openSocketCount } from './mmsg-sockets.ts';
import { sendTo } from './socket-traffic.ts';

/** What the main thread and a worker do with a packet ring, in one: it opens, reads and closes it. */
class OwnRing implements Input {
  readonly #port: () => Promise<number>;
  #set: IntakeSet<RingHandle> | undefined;
  #input: RingInput | undefined;
  #running = false;
  #closed = false;

  constructor(port: () => Promise<number>) {
    this.#port = port;
  }

  async open(): Promise<void> {
    if (this.#closed) return;
    const set = await openRings({
      workers: 1,
      address: '127.0.0.1',
      vxlanPorts: [await this.#port()],
      genevePorts: [],
      interface: 'lo',
      ringBytes: 16_777_216,
      retireMs: 8,
      steering: 'flow',
    });
    this.#set = set;
    this.#input = new RingInput({ rings: set.handles[0] ?? [] });
    await this.#input.open();
  }

  async run(deliver: Deliver): Promise<void> {
    this.#running = true;
    try {
      await this.#input?.run(deliver);
    } finally {
      this.#closeRing();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#input?.close();
    // one that runs has batches on their way, which lie in the ring
    if (!this.#running) this.#closeRing();
  }

  #closeRing(): void {
    this.#set?.close();
    this.#set = undefined;
  }
}

/** A port of loopback that nobody has. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** A packet ring on loopback, for a port that is free unless one is given. */
export function ringSource(world: World, givenPort?: number): InputSource {
  const before = openSocketCount();
  let sender: Socket | undefined;
  let port = 0;
  const input = new OwnRing(async () => (port = givenPort ?? (await freePort())));
  return {
    input,
    async supply(from, to) {
      sender ??= await world.socket();
      for (let number = from; number < to; number++) {
        await sendTo(sender, numberedPacket(number), port, '127.0.0.1');
      }
    },
    end: () => input.close(),
    // a ring has another socket beside it, which holds the port
    open: () => (openSocketCount() - before - (sender === undefined ? 0 : 1)) / 2,
  };
}
