import { once } from 'node:events';
import { createServer, createConnection, type Server, type Socket } from 'node:net';
import { freePorts } from './ports.ts';

/** Numbers of Kafka's requests that tests ask for. */
export const PRODUCE = 0;
export const METADATA = 3;
export const INIT_PRODUCER_ID = 22;

/**
 * Stands between clients and the listener PROXIED of a broker, and does to them what networks do. Start it first, give its
 * port to the broker, then say where the broker is:
 *
 *     const proxy = await KafkaProxy.start();
 *     const broker = await KafkaBroker.start({ proxyPort: proxy.port });
 *     proxy.leadsTo(broker.port('PROXIED'));
 *
 * Reads only the lengths, API keys and correlation ids of what passes, so it works for plain text alone.
 */
export class KafkaProxy {
  readonly port: number;
  /** Answers are held back for so long. */
  delayMs = 0;
  /** Answers that were lost. */
  lostAnswers = 0;
  /** Requests that passed, by API key. */
  readonly requests = new Map<number, number>();
  #brokerPort = 0;
  #server: Server | undefined;
  #losing: { apiKey: number; count: number } = { apiKey: -1, count: 0 };
  readonly #sockets = new Set<Socket>();

  private constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<KafkaProxy> {
    const [port = 0] = await freePorts(1);
    const proxy = new KafkaProxy(port);
    await proxy.restore();
    return proxy;
  }

  get bootstrap(): string {
    return `127.0.0.1:${this.port}`;
  }

  leadsTo(brokerPort: number): void {
    this.#brokerPort = brokerPort;
  }

  /** The next `count` requests of this kind reach the broker; in place of its answer the client sees the end. */
  loseAnswers(apiKey: number, count: number): void {
    this.#losing = { apiKey, count };
  }

  /** Resets all connections and refuses new ones, until `restore`. */
  async cut(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    this.reset();
    await closed;
  }

  /** Resets all connections; new ones are welcome. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async restore(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((client) => this.#accept(client));
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
  }

  async close(): Promise<void> {
    await this.cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accept(client: Socket): void {
    const broker = createConnection(this.#brokerPort, '127.0.0.1');
    for (const [one, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      this.#sockets.add(one);
      one.setNoDelay(true);
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.on('error', () => {
        // 'close' follows
      });
    }
    /** API keys of requests that are not answered yet, by correlation id. */
    const open = new Map<number, number>();
    const requests = new Frames((frame) => {
      const apiKey = frame.readInt16BE(4);
      open.set(frame.readInt32BE(8), apiKey);
      this.requests.set(apiKey, (this.requests.get(apiKey) ?? 0) + 1);
      pass(client, broker, frame);
    });
    const answers = new Frames((frame) => {
      const id = frame.readInt32BE(4);
      const isLost = this.#loses(open.get(id) ?? -1);
      open.delete(id);
      if (isLost) client.resetAndDestroy();
      else if (!client.destroyed) this.#answer(broker, client, frame);
    });
    client.on('data', (chunk: Buffer) => requests.take(chunk));
    broker.on('data', (chunk: Buffer) => answers.take(chunk));
  }

  #loses(apiKey: number): boolean {
    if (this.#losing.count === 0 || this.#losing.apiKey !== apiKey) return false;
    this.#losing.count--;
    this.lostAnswers++;
    return true;
  }

  #answer(broker: Socket, client: Socket, frame: Buffer): void {
    if (this.delayMs === 0) pass(broker, client, frame);
    else setTimeout(() => pass(broker, client, frame), this.delayMs);
  }
}

/** Writes, and reads no more from where it came until it has gone. */
function pass(from: Socket, to: Socket, bytes: Buffer): void {
  if (to.destroyed || to.write(bytes)) return;
  from.pause();
  to.once('drain', () => from.resume());
}

/** Cuts a stream into Kafka's frames: int32 length, and as many bytes. */
class Frames {
  readonly #visit: (frame: Buffer) => void;
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Of the frame that is not complete, with its length field. */
  #wanted = 4;

  constructor(visit: (frame: Buffer) => void) {
    this.#visit = visit;
  }

  take(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#wanted) return;
    let rest = Buffer.concat(this.#parts);
    while (rest.length >= 4) {
      this.#wanted = 4 + rest.readInt32BE(0);
      if (rest.length < this.#wanted) break;
      this.#visit(rest.subarray(0, this.#wanted));
      rest = rest.subarray(this.#wanted);
      this.#wanted = 4;
    }
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
  }
}
