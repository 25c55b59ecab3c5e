import { createSocket, type Socket } from 'node:dgram';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { MirrorError } from '../observe/error.ts';

/** First and one past the last source port that RFC 7348 section 5 recommends for tunnels. */
const PORT_FIRST = 49_152;
const PORT_END = 65_536;
/** Ports tried for one socket before opening gives up. */
const BIND_TRIES_MAX = 64;
/** Datagrams handed to the kernel and not yet reported back, at most. */
const IN_FLIGHT_MAX = 256;
/** Bytes of the block that datagrams are written to; many times the largest datagram. */
const BLOCK_LEN = 2 ** 20;
/** Asked of the kernel for each socket; it may grant less. */
const SEND_BUFFER_LEN = 2 ** 22;

export interface UdpOutSettings {
  /** Address of the receiver, as text; no name. */
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: number;
  /** Sockets in the pool, each with a source port of its own. */
  readonly sockets: number;
}

/**
 * Sends datagrams to one receiver from a pool of sockets: a socket has one source port, so the hash of a flow
 * picks the socket. Connected sockets spare Node a look-up for each datagram and tell when nobody listens.
 *
 * The caller writes a datagram where `reserve` says, then calls `send`. The bytes stay the kernel's until
 * `settled`; after that the block is used from its beginning again. Each datagram ends up in exactly one place:
 * `sent`, or `failed` under the name of the error.
 */
export class UdpOut {
  /** Where the caller writes its datagrams. */
  readonly block: Buffer = Buffer.allocUnsafeSlow(BLOCK_LEN);
  readonly #settings: UdpOutSettings;
  readonly #sockets: Socket[] = [];
  #used = 0;
  #taken = 0;
  #inFlight = 0;
  #wake: (() => void) | undefined;

  /** Datagrams, and their bytes, that the kernel took. */
  sent = 0;
  sentBytes = 0;
  /** Datagrams the kernel refused, by the name of the error: `EMSGSIZE`, `ECONNREFUSED`, `ENETUNREACH` … */
  readonly failed = new Map<string, number>();
  /** Errors about datagrams that had been sent already, by name: an ICMP message came back. */
  readonly returned = new Map<string, number>();

  constructor(settings: UdpOutSettings) {
    this.#settings = settings;
  }

  /** Binds and connects the sockets. Rejects with a `MirrorError` (`UDP_BIND_FAILED`, `UDP_SEND_FAILED`). */
  async open(): Promise<void> {
    let port = randomInt(PORT_FIRST, PORT_END);
    for (let i = 0; i < this.#settings.sockets; i++) {
      const socket = createSocket(this.#settings.family === 4 ? 'udp4' : 'udp6');
      this.#sockets.push(socket);
      port = await bindFrom(socket, port);
      await this.#connect(socket);
      socket.on('error', (error: NodeJS.ErrnoException) => count(this.returned, error));
      try {
        socket.setSendBufferSize(SEND_BUFFER_LEN);
      } catch {
        // The kernel's own size does as well: a full buffer delays sending and loses nothing.
      }
    }
  }

  /** The address that datagrams leave from, as the kernel chose it. */
  get localAddress(): string {
    return this.#sockets[0]?.address().address ?? '';
  }

  /**
   * Byte offset in `block` where a datagram of up to `len` bytes may be written, or -1 when there is no room
   * before `settled`. `len` is less than a quarter of the block.
   */
  reserve(len: number): number {
    return this.#taken < IN_FLIGHT_MAX && this.#used + len <= BLOCK_LEN ? this.#used : -1;
  }

  /** Sends the bytes `at` to `end` of the block; `at` is what `reserve` returned. `hash` picks the source port. */
  send(at: number, end: number, hash: number): void {
    this.#used = end;
    this.#taken++;
    this.#inFlight++;
    this.#sockets[hash % this.#sockets.length]?.send(this.block, at, end - at, this.#done);
  }

  /** Resolves once the fate of everything sent is known, and the block is free again. */
  async settled(): Promise<void> {
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#used = 0;
    this.#taken = 0;
  }

  /** Waits for what was sent, then closes the sockets. */
  async close(): Promise<void> {
    await this.settled();
    const sockets = this.#sockets.splice(0);
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
  }

  /** One function for all datagrams: none is made per packet. */
  readonly #done = (error: Error | null, bytes: number): void => {
    if (error === null) {
      this.sent++;
      this.sentBytes += bytes;
    } else {
      count(this.failed, error);
    }
    if (--this.#inFlight > 0) return;
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  };

  async #connect(socket: Socket): Promise<void> {
    const { address, port } = this.#settings;
    socket.connect(port, address);
    try {
      await once(socket, 'connect');
    } catch (cause) {
      const reason = codeOf(cause);
      throw new MirrorError(
        'UDP_SEND_FAILED',
        `There is no way to ${address} port ${port} (${reason}).`,
        { address, port, reason },
        { cause },
      );
    }
  }
}

/** Binds the socket to the first free port from `port` on and returns the port after it. */
async function bindFrom(socket: Socket, port: number): Promise<number> {
  for (let tries = 1; ; tries++) {
    const next = port + 1 < PORT_END ? port + 1 : PORT_FIRST;
    try {
      socket.bind({ port, exclusive: true });
      await once(socket, 'listening');
      return next;
    } catch (cause) {
      if (codeOf(cause) !== 'EADDRINUSE' || tries === BIND_TRIES_MAX) {
        throw new MirrorError(
          'UDP_BIND_FAILED',
          `Cannot take a source port for sending (${codeOf(cause)}).`,
          { port, tries },
          { cause },
        );
      }
    }
    port = next;
  }
}

function count(table: Map<string, number>, error: Error): void {
  const name = codeOf(error);
  table.set(name, (table.get(name) ?? 0) + 1);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
