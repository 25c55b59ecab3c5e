import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { freePorts } from './ports.ts';

/**
 * How a broker is broken. `silent` accepts, reads and never answers; `garbage` answers every request with random bytes;
 * `huge` answers with a length of 2 GiB and goes on sending; `negative` with a length below zero; `wrong-answer` with a
 * well-formed length and correlation id and random bytes after them; `closing` closes at once; `hanging-up` closes at the
 * first request.
 */
export type Breakage = 'silent' | 'garbage' | 'huge' | 'negative' | 'wrong-answer' | 'closing' | 'hanging-up';

/** A TCP server on loopback that is no Kafka broker. Starts without Java. */
export class BrokenBroker {
  readonly port: number;
  /** Accepted so far. */
  connections = 0;
  receivedBytes = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number, server: Server) {
    this.port = port;
    this.#server = server;
  }

  static async start(how: Breakage): Promise<BrokenBroker> {
    const [port = 0] = await freePorts(1);
    const server = createServer();
    const broker = new BrokenBroker(port, server);
    server.on('connection', (socket) => broker.#accept(socket, how));
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return broker;
  }

  get bootstrap(): string {
    return `127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accept(socket: Socket, how: Breakage): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {
      // the client hung up on us, as it should
    });
    if (how === 'closing') {
      socket.destroy();
      return;
    }
    socket.on('data', (request: Buffer) => {
      this.receivedBytes += request.length;
      if (how === 'hanging-up') socket.destroy();
      else if (how !== 'silent') socket.write(answer(how, request));
    });
  }
}

/** What is sent for a request: int32 length, int16 API key, int16 version, int32 correlation id, … */
function answer(how: 'garbage' | 'huge' | 'negative' | 'wrong-answer', request: Buffer): Buffer {
  const bytes = randomBytes(256);
  if (how === 'huge') bytes.writeInt32BE(0x7fff_ffff, 0);
  if (how === 'negative') bytes.writeInt32BE(-2, 0);
  if (how === 'wrong-answer') {
    bytes.writeInt32BE(bytes.length - 4, 0);
    if (request.length >= 12) request.copy(bytes, 4, 8, 12);
  }
  return bytes;
}
