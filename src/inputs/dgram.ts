import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { MirrorError } from '../observe/error.ts';
import type { PacketBatch } from '../packet/batch.ts';
import { LinkType } from '../packet/link-type.ts';
import type { Deliver, Input } from '../pipeline/input.ts';
import { BatchPool } from './batch-pool.ts';
import { bindFailed } from './bind-failed.ts';
import { Deliveries } from './deliveries.ts';
import type { BoundSocket } from './intake-set.ts';
import { NamedSenders } from './named-senders.ts';
import { HEADER_MAX_LEN, writeSocketHeader } from './socket-header.ts';

const BATCH_PACKETS = 1024;
const BATCH_BYTES = 524_288;
/** A packet waits no longer than this for others to travel with. */
const BATCH_WAIT_MS = 4;
/** Closing reads what the kernel still holds, but no longer than this: the sender may never stop. */
const LAST_READ_MS = 1000;
/** Where a system refuses even less than this, its own default stays. */
const RECEIVE_BUFFER_MIN = 65_536;

export interface DgramOptions {
  /** Whose sockets they are. */
  readonly worker: number;
  /** Address to bind: IPv4, or IPv6, where `::` takes both families. */
  readonly address: string;
  readonly ports: readonly number[];
  /** What is asked of the kernel for each socket; it may grant less. */
  readonly receiveBufferBytes: number;
  /** Arrival time, milliseconds since the epoch with fractions. */
  readonly now: () => number;
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
  readonly #senders = new NamedSenders();
  readonly #pool = new BatchPool(BATCH_PACKETS, BATCH_BYTES);
  #batch: PacketBatch = this.#pool.take();
  #fill = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #deliveries = new Deliveries();
  /** Datagrams taken in so far. */
  #taken = 0;
  #closing = false;
  #failure: MirrorError | undefined;

  constructor(options: DgramOptions) {
    this.#options = options;
  }

  /**
   * Binds all ports in one turn of the event loop. Datagrams that come before `run` are lost: call it right away.
   *
   * @throws MirrorError `UDP_BIND_FAILED`; then no socket stays open
   */
  async open(): Promise<void> {
    const outcomes = await Promise.allSettled(this.#options.ports.map((port) => this.#bind(port)));
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') this.#sockets.push(outcome.value);
    const refused = outcomes.find((outcome) => outcome.status === 'rejected');
    if (refused === undefined && !this.#closing) return;
    await this.#closeSockets();
    if (refused !== undefined) throw refused.reason;
  }

  /** The sockets as they were bound; after `open`. */
  bound(): BoundSocket[] {
    return this.#sockets.map((socket) => ({
      worker: this.#options.worker,
      port: socket.address().port,
      receiveBufferBytes: socket.getRecvBufferSize(),
    }));
  }

  run(deliver: Deliver): Promise<void> {
    const ended = this.#deliveries.begin(deliver);
    for (const socket of this.#sockets) {
      const { port } = socket.address();
      socket.on('message', (payload, sender) => this.#take(payload, sender, port));
      socket.on('error', (cause) => {
        this.#failure ??= bindFailed(this.#options.address, port, cause);
        void this.close();
      });
    }
    return ended;
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    await this.#readRest();
    await this.#closeSockets();
    this.#flush();
    this.#deliveries.end(this.#failure);
  }

  /** The kernel has acknowledged nothing, but what it holds has arrived: a sender that stopped wants it counted. */
  async #readRest(): Promise<void> {
    const endMs = this.#options.now() + LAST_READ_MS;
    let taken = -1;
    while (taken !== this.#taken && this.#options.now() < endMs) {
      taken = this.#taken;
      // each turn of the event loop reads from every socket that has something
      await setImmediate();
      await setImmediate();
    }
  }

  async #closeSockets(): Promise<void> {
    const sockets = this.#sockets.splice(0);
    await Promise.all(
      sockets.map((socket) => {
        const closed = once(socket, 'close');
        socket.close();
        return closed;
      }),
    );
  }

  async #bind(port: number): Promise<Socket> {
    const { address } = this.#options;
    try {
      return await this.#listen(port, true);
    } catch (cause) {
      if (!isUnsupported(cause)) throw bindFailed(address, port, cause);
    }
    // a system that cannot share a port among workers still serves one of them
    try {
      return await this.#listen(port, false);
    } catch (cause) {
      throw bindFailed(address, port, cause);
    }
  }

  async #listen(port: number, reusePort: boolean): Promise<Socket> {
    const { address, receiveBufferBytes } = this.#options;
    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', reusePort });
    try {
      socket.bind({ port, address });
      await once(socket, 'listening');
    } catch (cause) {
      socket.close();
      throw cause;
    }
    growReceiveBuffer(socket, receiveBufferBytes);
    return socket;
  }

  #take(payload: Buffer, sender: RemoteInfo, port: number): void {
    if (this.#batch.count === BATCH_PACKETS || this.#fill + HEADER_MAX_LEN + payload.length > BATCH_BYTES) {
      this.#flush();
    }
    this.#taken++;
    const batch = this.#batch;
    const slot = batch.count++;
    const at = this.#fill;
    const from = this.#senders.socketAddress(sender.address, sender.port);
    const payloadAt = writeSocketHeader(batch.view, at, from, 0, port, payload.length);
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
    if (this.#batch.count === 0 || !this.#deliveries.hasBegun) return;
    const batch = this.#batch;
    this.#batch = this.#pool.take();
    this.#fill = 0;
    this.#deliveries.send(batch, () => this.#pool.give(batch));
  }
}

/** Linux takes any number and grants up to its limit; other systems refuse what is over theirs. */
function growReceiveBuffer(socket: Socket, bytes: number): void {
  let ask = bytes;
  for (;;) {
    try {
      socket.setRecvBufferSize(ask);
      return;
    } catch {
      if (ask < RECEIVE_BUFFER_MIN) return;
      ask = Math.floor(ask / 2);
    }
  }
}

function isUnsupported(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOTSUP';
}
