import { frame, frame4, frame6, host, udpDatagram } from '../../../samples/make/packets.ts';
import { PacketBatch } from '../../../src/packet/batch.ts';
import { Encapsulation } from '../../../src/packet/lane.ts';

const FLOWS = 200;
const VNIS = 5;
/** Bytes of data, at least those of the number at the end. */
const DATA_BYTES = [16, 31, 64, 90, 150, 700];
const BATCH_PACKETS = 256;
const FRAME_BYTES_MAX = 1024;
const EXPERIMENTAL = 0x88b5;
const FIRST_SECONDS = Math.floor(Date.now() / 1000) - 10;
const MIRROR_SOURCE = '192.0.2.77';
const VERDICT_VALID = 2;

/**
 * Packets that say their number, of 200 conversations on five VNIs, in both directions: most over IPv4, some over IPv6 or without
 * IP. What packet `number` is follows from the number, so that whoever reads it can tell each byte, and its place.
 */
export class NumberedFlows {
  readonly #templates = new Map<number, Buffer>();
  readonly #batch = new PacketBatch(BATCH_PACKETS, Buffer.alloc(4 + BATCH_PACKETS * FRAME_BYTES_MAX));

  /** The flow of a packet, 0 .. 199. */
  flowOf(number: number): number {
    return (Math.imul(number, 0x9e37_79b1) >>> 8) % FLOWS;
  }

  vniOf(number: number): number {
    return 1 + (this.flowOf(number) % VNIS);
  }

  /** Key of the packet's record, as docs/kafka.md says it. */
  keyOf(number: number): string {
    const flow = this.flowOf(number);
    const lane = `vni-${this.vniOf(number)}`;
    if (kindOf(flow) === 'noIp') return lane;
    if (kindOf(flow) === 'ipv6') return `${lane}/2001:db8::${(flow + 1).toString(16)}/2001:db8:1::1`;
    return `${lane}/10.0.0.${flow + 1}/10.1.0.1`;
  }

  /** Arrival in nanoseconds since the epoch: a microsecond after the packet before. */
  nanosecondsOf(number: number): bigint {
    return BigInt(FIRST_SECONDS) * 1_000_000_000n + BigInt(number) * 1000n;
  }

  get mirrorSource(): string {
    return MIRROR_SOURCE;
  }

  /** The frame of a packet, to be used before the next is asked for. */
  frame(number: number): Buffer {
    const size = (Math.imul(number, 0x85eb_ca6b) >>> 8) % 31;
    const dataBytes = DATA_BYTES[size === 30 ? 5 : size % 5] ?? 16;
    const direction = (Math.imul(number, 0xc2b2_ae35) >>> 9) & 1;
    const name = (this.flowOf(number) << 12) | (dataBytes << 1) | direction;
    let bytes = this.#templates.get(name);
    if (bytes === undefined) {
      bytes = makeFrame(this.flowOf(number), direction, dataBytes);
      this.#templates.set(name, bytes);
    }
    const end = bytes.length;
    bytes.fill(number & 0xff, end - 8, end);
    bytes.writeUInt32BE(number, end - 16);
    bytes.writeUInt32BE(~number >>> 0, end - 12);
    return bytes;
  }

  /** The number that a frame says, or -1. */
  numberIn(bytes: Buffer): number {
    if (bytes.length < 30) return -1;
    const number = bytes.readUInt32BE(bytes.length - 16);
    return bytes.readUInt32BE(bytes.length - 12) === ~number >>> 0 ? number : -1;
  }

  /** Packets `first` .. `first + count - 1` as the receiver delivers them, at most 256; the same batch each time. */
  batch(first: number, count: number): PacketBatch {
    const batch = this.#batch;
    batch.clear();
    batch.bytes.set([192, 0, 2, 77], 0);
    let at = 4;
    for (let slot = 0; slot < Math.min(count, BATCH_PACKETS); slot++) {
      const number = first + slot;
      const bytes = this.frame(number);
      batch.bytes.set(bytes, at);
      batch.frameAt[slot] = at;
      at += bytes.length;
      batch.frameEnd[slot] = at;
      batch.frameWireLen[slot] = bytes.length;
      batch.lane[slot] = batch.vni[slot] = this.vniOf(number);
      batch.encapsulation[slot] = Encapsulation.vxlan;
      batch.mirrorSourceAt[slot] = 0;
      batch.mirrorSourceVersion[slot] = 4;
      batch.seconds[slot] = FIRST_SECONDS + Math.floor(number / 1e6);
      batch.nanoseconds[slot] = (number % 1e6) * 1000;
      batch.transportVerdict[slot] = VERDICT_VALID;
      batch.marks[slot] = 0;
      batch.delivered[slot] = slot;
      batch.count++;
      batch.deliveredCount++;
    }
    return batch;
  }
}

function kindOf(flow: number): 'ipv4' | 'ipv6' | 'noIp' {
  if (flow % 50 === 7) return 'noIp';
  return flow % 8 === 3 ? 'ipv6' : 'ipv4';
}

function makeFrame(flow: number, direction: number, dataBytes: number): Buffer {
  const near = host(1, `10.0.0.${flow + 1}`, `2001:db8::${(flow + 1).toString(16)}`);
  const far = host(2, '10.1.0.1', '2001:db8:1::1');
  const [from, to] = direction === 0 ? [near, far] : [far, near];
  const [source, destination] = direction === 0 ? [4000 + flow, 53] : [53, 4000 + flow];
  const data = Buffer.alloc(dataBytes, flow);
  const kind = kindOf(flow);
  if (kind === 'noIp') return frame(from.mac, to.mac, data, EXPERIMENTAL);
  const inner = udpDatagram(source, destination, data);
  return kind === 'ipv6' ? frame6(from, to, inner) : frame4(from, to, inner);
}
