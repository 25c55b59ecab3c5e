import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { MirrorError } from '../observe/error.ts';
import type { PacketBatch } from '../packet/batch.ts';
import { LinkType } from '../packet/link-type.ts';
import type { Deliver, Input } from '../pipeline/input.ts';
import { BatchPool } from './batch-pool.ts';
import { HEADER_MAX_LEN, SocketHeader } from './socket-header.ts';

const BATCH_PACKETS = 1024;
const BATCH_BYTES = 524_288;
/** A packet waits no longer than this for others to travel with. */
const BATCH_WAIT_MS = 4;

export interface DgramOptions {
  /** Address to bind: IPv4, or IPv6, where `::` takes both families. */
  readonly address: string;
  readonly ports: readonly number[];
  /** What is asked of the kernel for each socket; it may grant less. */
  readonly receiveBufferBytes: number;
  /** Arrival time, milliseconds since the epoch with fractions. */
  readonly now: () => number;
}

/** One bound socket, as the log and the metrics tell it. */
export interface BoundSocket {
  readonly port: number;
  /** What the kernel granted; Linux doubles what it takes for its own bookkeeping. */
  readonly receiveBufferBytes: number;
}

/**
 * Receives datagrams with Node's own sockets, one a port. Works everywhere, costs most: one system call and
 * one allocation a datagram. Arrival is when the process saw the datagram, not when the kernel did.
 *
 * Several workers bind the same ports (SO_REUSEPORT); the kernel spreads datagrams by their outer addresses
 * and ports.
 */
export class DgramInput implements Input {
  readonly #options: DgramOptions;
  readonly #sockets: Socket[] = [];
  readonly #header = new SocketHeader();
  readonly #pool = new BatchPool(BATCH_PACKETS, BATCH_BYTES);
  #batch: PacketBatch = this.#pool.take();
  #fill = 0;
  #timer: NodeJS.Timeout | undefined;
  #deliver: Deliver | undefined;
  #inFlight = 0;
  #closing = false;
  #finished: () => void = () => {};
  #failed: (error: MirrorError) => void = () => {};

  constructor(options: DgramOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    for (const port of this.#options.ports) this.#sockets.push(await this.#bind(port));
  }

  /** The sockets as they were bound; after `open`. */
  bound(): BoundSocket[] {
    return this.#sockets.map((socket) => ({
      port: socket.address().port,
      receiveBufferBytes: socket.getRecvBufferSize(),
    }));
  }

  run(deliver: Deliver): Promise<void> {
    this.#deliver = deliver;
    const ended = new Promise<void>((resolve, reject) => {
      this.#finished = resolve;
      this.#failed = reject;
    });
    for (const socket of this.#sockets) {
      const { port } = socket.address();
      socket.on('message', (payload, sender) => this.#take(payload, sender, port));
      socket.on('error', (cause) => this.#failed(bindError(this.#options.address, port, cause)));
    }
    return ended;
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    for (const socket of this.#sockets) {
      socket.close();
      await once(socket, 'close');
    }
    this.#flush();
    if (this.#inFlight === 0) this.#finished();
  }

  async #bind(port: number): Promise<Socket> {
    const { address, receiveBufferBytes } = this.#options;
    const socket = createSocket({
      type: isIPv6(address) ? 'udp6' : 'udp4',
      reusePort: true,
      recvBufferSize: receiveBufferBytes,
    });
    try {
      socket.bind({ port, address });
      await once(socket, 'listening');
    } catch (cause) {
      throw bindError(address, port, cause);
    }
    return socket;
  }

  #take(payload: Buffer, sender: RemoteInfo, port: number): void {
    if (this.#batch.count === BATCH_PACKETS || this.#fill + HEADER_MAX_LEN + payload.length > BATCH_BYTES) {
      this.#flush();
    }
    const batch = this.#batch;
    const slot = batch.count++;
    const at = this.#fill;
    const payloadAt = this.#header.write(batch.bytes, at, sender.address, sender.port, port, payload.length);
    payload.copy(batch.bytes, payloadAt);
    const end = payloadAt + payload.length;
    batch.at[slot] = at;
    batch.end[slot] = end;
    batch.wireLen[slot] = end - at;
    batch.linkType[slot] = LinkType.raw;
    const nowMs = this.#options.now();
    const seconds = Math.floor(nowMs / 1000);
    batch.seconds[slot] = seconds;
    batch.nanoseconds[slot] = Math.floor((nowMs - seconds * 1000) * 1e6);
    this.#fill = end;
    this.#timer ??= setTimeout(() => this.#flush(), BATCH_WAIT_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#batch.count === 0 || this.#deliver === undefined) return;
    const batch = this.#batch;
    this.#batch = this.#pool.take();
    this.#fill = 0;
    this.#inFlight++;
    void this.#deliver(batch).then(() => {
      this.#pool.give(batch);
      this.#inFlight--;
      if (this.#closing && this.#inFlight === 0) this.#finished();
    });
  }
}

function bindError(address: string, port: number, cause: unknown): MirrorError {
  return new MirrorError(
    'UDP_BIND_FAILED',
    `Cannot receive UDP on ${address} port ${port}.`,
    { address, port },
    { cause },
  );
}
