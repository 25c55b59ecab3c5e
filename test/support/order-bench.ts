import { PacketBatch } from '../../src/packet/batch.ts';
import { Innermost, Ports } from '../../src/packet/innermost.ts';
import { Layers } from '../../src/packet/layers.ts';
import type { PlacedPacket } from '../../src/packet/placed-packet.ts';
import { ANALYSIS_TALLY_LENGTH, AnalysisTally } from '../../src/receive/analysis-tally.ts';
import { LANE_COUNTERS_LENGTH } from '../../src/receive/lane-counters.ts';
import { Resequencer } from '../../src/receive/order/resequencer.ts';
import type { StreamJoin } from '../../src/receive/order/stream-table.ts';
import { Tally, TALLY_LENGTH } from '../../src/receive/tally.ts';
import { addressBytes } from '../../src/wire/address-bytes.ts';
import type { Block } from '../../src/wire/block.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';
import * as tcp from '../../src/wire/tcp.ts';

export const { syn: SYN, fin: FIN, rst: RST, ack: ACK } = tcp.Flag;

/** A packet for the resequencer; what is left out is filled in. */
export interface OrderPacket {
  /** Sequence number, any whole number: its lowest 32 bits are taken. */
  readonly seq?: number;
  /** Bytes of data. */
  readonly len?: number;
  /** Flags of TCP; ACK unless given. */
  readonly flags?: number;
  /** Which connection: the lowest byte of its source address. */
  readonly stream?: number;
  /** Time of arrival, µs after TEST_SECONDS; that of the packet before unless given. */
  readonly timeUs?: number;
  readonly lane?: number;
  /** As far as the stream's key has it; the batch has another. */
  readonly vni?: number;
  readonly version?: 4 | 6;
  readonly source?: number;
  readonly nestedId?: number;
  readonly protocol?: number;
  readonly ports?: Ports;
  readonly fragment?: number;
  /** Bytes of the TCP header and data that arrived. */
  readonly kept?: number;
  readonly headerWords?: number;
  readonly marks?: number;
  readonly verdict?: number;
}

const TEST_SECONDS = 1_795_233_600;
/** Fewest bytes of a frame: its number stands in the first four, which are no header here. */
const NUMBER_BYTES = 4;
const TCP_BYTES = 20;

/** What left: the number of the packet, by order of `take`, and all that came with it. */
export interface Left {
  readonly number: number;
  readonly timeUs: number;
  readonly marks: number;
  readonly verdict: number;
  readonly lane: number;
  readonly frame: Buffer;
  readonly wireLen: number;
  /** VNI, encapsulation and mirror source, as text. */
  readonly origin: string;
}

export interface OrderBenchOptions {
  readonly holdUs?: number;
  readonly holdPackets?: number;
  readonly holdBytes?: number;
  readonly streams?: number;
  readonly withLedger?: boolean;
  readonly join?: StreamJoin;
}

/** A resequencer with its counters in reach, and packets put together without the rest of the receiver. */
export class OrderBench {
  readonly tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  readonly laneCounters = new Float64Array(8 * LANE_COUNTERS_LENGTH);
  readonly ledger = new Float64Array(TALLY_LENGTH);
  readonly left: Left[] = [];
  readonly taken: Buffer[] = [];
  /** `Left.origin` of each packet that was given. */
  readonly origins: string[] = [];
  readonly resequencer: Resequencer;
  /** UDP payload bytes of all packets that were given. */
  payloadBytes = 0;
  #timeUs = 0;

  constructor(options: OrderBenchOptions = {}) {
    const {
      holdUs = 20_000,
      holdPackets = 64,
      holdBytes = 1 << 20,
      streams = 64,
      withLedger = true,
      join = 'none',
    } = options;
    this.resequencer = new Resequencer({
      holdUs,
      holdPackets,
      holdBytes,
      streams,
      join,
      tally: this.tally,
      laneCounters: this.laneCounters,
      ledger: withLedger ? this.ledger : undefined,
      output: { put: (...all) => this.#put(...all) },
    });
  }

  /** Gives packets, in this order; the number of a packet is how many were given before it. */
  take(...packets: readonly OrderPacket[]): this {
    for (const packet of packets) this.#take(packet);
    return this;
  }

  release(timeUs: number): this {
    this.#timeUs = timeUs;
    this.resequencer.release(TEST_SECONDS + Math.floor(timeUs / 1e6), (timeUs % 1e6) * 1000);
    return this;
  }

  flush(): this {
    this.resequencer.flush();
    return this;
  }

  /** Numbers of what has left, in that order. */
  get numbers(): number[] {
    return this.left.map(({ number }) => number);
  }

  count(
    name: 'reordered' | 'late' | 'gaps' | 'releasedEarly' | 'heldPackets' | 'heldBytes' | 'streamsEvicted',
  ): number {
    return this.tally[AnalysisTally[name]]!;
  }

  #take(packet: OrderPacket): void {
    const {
      protocol = IpProtocol.tcp,
      ports = Ports.known,
      fragment = 0,
      nestedId = 0,
      version = 4,
    } = packet;
    const { len = 0, headerWords = 5, lane = 1, stream = 1, source = 1 } = packet;
    this.#timeUs = packet.timeUs ?? this.#timeUs;
    const addressLen = version === 4 ? 4 : 16;
    const arrived = packet.kept ?? TCP_BYTES + Math.min(len, 8);
    // mirror source, number, source address, destination address, TCP
    const frameAt = addressLen + 3;
    const sourceAt = frameAt + NUMBER_BYTES;
    const tcpAt = sourceAt + 2 * addressLen;
    const batch = new PacketBatch(2, Buffer.alloc(tcpAt + Math.max(arrived, TCP_BYTES) + 5, 0xa5));
    const { bytes } = batch;
    bytes[addressLen - 1] = source;
    bytes.writeUInt32BE(this.taken.length, frameAt);
    bytes[sourceAt + addressLen - 1] = stream;
    tcp.emit(bytes, tcpAt, 40_000, 443, (packet.seq ?? 0) >>> 0, 0, packet.flags ?? ACK, 1000);
    bytes[tcpAt + 12] = headerWords << 4;
    batch.lane[1] = lane;
    batch.vni[1] = 0xff_ff00 + stream;
    batch.encapsulation[1] = this.taken.length % 4;
    batch.mirrorSourceVersion[1] = version;
    batch.frameAt[1] = frameAt;
    batch.frameEnd[1] = tcpAt + arrived;
    batch.frameWireLen[1] = tcpAt - frameAt + TCP_BYTES + len;
    batch.seconds[1] = TEST_SECONDS + Math.floor(this.#timeUs / 1e6);
    batch.nanoseconds[1] = (((this.#timeUs % 1e6) + 1e6) % 1e6) * 1000;
    batch.transportVerdict[1] = packet.verdict ?? 3;
    batch.marks[1] = packet.marks ?? 0;

    const layers = new Layers();
    layers.vni = packet.vni ?? 0;
    layers.mirrorSourceAt = 0;
    layers.mirrorSourceVersion = version;
    layers.payloadAt = 0;
    layers.payloadEnd = tcpAt + arrived;
    const innermost = new Innermost();
    Object.assign(innermost, {
      ipVersion: version,
      ipAt: frameAt,
      sourceAt,
      destinationAt: sourceAt + addressLen,
    });
    Object.assign(innermost, {
      end: tcpAt + arrived,
      wireLen: tcpAt - frameAt + headerWords * 4 + len,
      protocol,
    });
    Object.assign(innermost, {
      transportAt: tcpAt,
      ports,
      sourcePort: 40_000,
      destinationPort: 443,
      fragment,
      nestedId,
    });
    this.taken.push(Buffer.from(bytes.subarray(frameAt, tcpAt + arrived)));
    this.origins.push(originOf(batch.vni[1]!, batch.encapsulation[1]!, bytes.subarray(0, addressLen)));
    this.ledger[Tally.delivered]! += 1;
    this.ledger[Tally.delivered + 1]! += layers.payloadEnd;
    this.payloadBytes += layers.payloadEnd;
    this.resequencer.take(batch, 1, layers, innermost);
    bytes.fill(0xee);
  }

  #put({ bytes }: Block, packet: PlacedPacket): void {
    const { lane, marks, transportVerdict: verdict, frameWireLen: wireLen, vni, encapsulation } = packet;
    const frame = Buffer.from(bytes.subarray(packet.frameAt, packet.frameEnd));
    const timeUs = (packet.seconds - TEST_SECONDS) * 1e6 + packet.nanoseconds / 1000;
    const { mirrorSourceAt, mirrorSourceVersion } = packet;
    const address = bytes.subarray(mirrorSourceAt, mirrorSourceAt + addressBytes(mirrorSourceVersion));
    const origin = originOf(vni, encapsulation, address);
    this.left.push({ number: frame.readUInt32BE(0), timeUs, marks, verdict, lane, frame, wireLen, origin });
  }
}

function originOf(vni: number, encapsulation: number, address: Buffer): string {
  return `${vni} ${encapsulation} ${address.toString('hex')}`;
}

export const syn = (seq: number, more: OrderPacket = {}): OrderPacket => ({ seq, flags: SYN, ...more });
export const data = (seq: number, len = 10, more: OrderPacket = {}): OrderPacket => ({ seq, len, ...more });
export const empty = (seq: number, more: OrderPacket = {}): OrderPacket => ({ seq, ...more });

/** A bench whose stream 1 has begun: 100 is expected next. The SYN has number 0. */
export const begun = (options: OrderBenchOptions = {}): OrderBench => new OrderBench(options).take(syn(99));
