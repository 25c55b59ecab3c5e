import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { host } from '../../../samples/make/packets.ts';
import { INNER_BYTES_MIN, type LoadShape, mirroredLoad, numberOf, putNumber } from '../mirrored-load.ts';
import { eachRecord, type ReadRecord } from './kcat.ts';
import { packetsIn } from './topic-packets.ts';

/** Ethernet, IPv4 and UDP, which the kernel writes; VXLAN stays. */
const OUTER_HEADERS_BYTES = 42;
const VXLAN_BYTES = 8;
const SOCKETS = 8;
const TICK_MS = 2;
/** What a busy machine could not send in time is left, not sent in one burst. */
const BURST_MAX = 200;

/** What of a load arrived in a topic. */
export interface Arrived {
  /** Packets, each as often as it is there. */
  readonly records: number;
  /** How often each number that was sent arrived, by number. */
  readonly times: Uint8Array;
  /** Numbers of which there is at least one record. */
  readonly distinct: number;
  /** Packets whose first arrival was behind that of a later number of the same connection. */
  readonly disordered: number;
  /** Packets that are not what was sent under their number, byte for byte. */
  readonly damaged: number;
}

/**
 * Mirrored packets of 64 connections on four VNIs, each with a number of its own, sent to a UDP port of loopback at a rate. A
 * connection comes from one socket, in both directions, so that its packets keep their order on the way to a worker.
 */
export class NumberedLoad {
  sent = 0;
  readonly #shape: LoadShape;
  readonly #payloads: readonly Buffer[];
  readonly #sockets: Socket[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(innerBytes: number) {
    const [from, to] = [host(1, '10.9.0.1', '2001:db8::1'), host(2, '10.9.0.2', '2001:db8::2')];
    this.#shape = { innerBytes, connections: 64, vnis: 4, sourcePorts: 128, from, to };
    this.#payloads = mirroredLoad(this.#shape);
  }

  /** Sends until `stop`. */
  async start(port: number, packetsPerSecond: number): Promise<void> {
    while (this.#sockets.length < SOCKETS) {
      const socket = createSocket('udp4');
      // nobody listens while the appliance is down
      socket.on('error', () => {});
      socket.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      this.#sockets.push(socket);
    }
    let lastMs = performance.now();
    let due = 0;
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      due = Math.min(due + ((nowMs - lastMs) * packetsPerSecond) / 1000, BURST_MAX);
      lastMs = nowMs;
      for (; due >= 1; due--) this.#send();
    }, TICK_MS);
  }

  /** Ends the sending. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const socket of this.#sockets.splice(0)) {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Reads a topic, of frames or of pcapngs, from its beginning to its end. */
  async arrivedIn(bootstrap: string, topic: string): Promise<Arrived> {
    const times = new Uint8Array(this.sent);
    const newest = new Array<number>(this.#shape.connections).fill(-1);
    const found = { records: 0, distinct: 0, disordered: 0, damaged: 0 };
    await eachRecord({ bootstrap }, topic, (record) => {
      for (const frame of framesOf(record)) {
        found.records++;
        const number = this.#numberIn(frame);
        if (number < 0) {
          found.damaged++;
          continue;
        }
        const before = times[number]!;
        times[number] = Math.min(255, before + 1);
        if (before > 0) continue;
        found.distinct++;
        const connection = number % newest.length;
        if (number < newest[connection]!) found.disordered++;
        else newest[connection] = number;
      }
    });
    return { times, ...found };
  }

  /** The number of an inner frame, or -1 where it is not one that was sent. */
  #numberIn(frame: Buffer): number {
    if (frame.length < INNER_BYTES_MIN) return -1;
    const number = numberOf(new DataView(frame.buffer, frame.byteOffset, frame.length), 0);
    if (number < 0 || number >= this.sent) return -1;
    return this.#numbered(number)
      .subarray(OUTER_HEADERS_BYTES + VXLAN_BYTES)
      .equals(frame)
      ? number
      : -1;
  }

  #numbered(number: number): Buffer {
    const bytes = Buffer.from(this.#payloads[number % this.#payloads.length]!);
    putNumber(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, number);
    return bytes;
  }

  #send(): void {
    const connection = this.sent % this.#shape.connections;
    const bytes = this.#numbered(this.sent++).subarray(OUTER_HEADERS_BYTES);
    this.#sockets[connection % SOCKETS]?.send(bytes, () => {});
  }
}

/** The frame that a record is, or those that its pcapng has. */
function framesOf({ value, headers }: ReadRecord): readonly Buffer[] {
  if (value === null) return [Buffer.alloc(0)];
  if (headers.has('ts-ns')) return [value];
  return packetsIn(value).map(({ data }) => Buffer.from(data, 'hex'));
}
