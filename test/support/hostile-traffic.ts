import { gwlbTunnel, mirrored, vxlanTunnel } from '../../samples/make/mirrored.ts';
import { host } from '../../samples/make/packets.ts';
import type { PacketBatch } from '../../src/packet/batch.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import { putU16, u16 } from '../../src/wire/bytes.ts';
import { conversation, fragmentsOf, type HostileFrame, nestedFrame, single } from './hostile-frames.ts';
import type { Seeded } from './seeded.ts';

/** Bytes around each packet that belong to none. */
const MARGIN = 32;
const FILLING = 0xa5;
const CONVERSATIONS = 400;
const LIVE = 200;
/** Packets that another source may still deliver again. */
const RECENT = 64;
const PACKET_MAX = 4096;
const FRAME_MAX = 3500;

/** Outer headers, and where the lengths stand in them that a frame adds to. */
interface Outer {
  readonly bytes: Buffer;
  readonly lengthsAt: readonly number[];
}

/** A list of frames that is played, each time with another client and for another mirror source. */
interface Playing {
  frames: readonly HostileFrame[];
  next: number;
  client: number;
  outer: Outer;
}

const appliance = host(9, '10.9.0.9', '2001:db8:9::9');

function outers(): Outer[] {
  const sources = [1, 2, 3].map((n) => host(n, `10.0.1.${n}0`, `2001:db8:1::${n}0`));
  const nothing = Buffer.alloc(0);
  const list: Outer[] = [];
  for (const source of sources) {
    for (const vni of [1, 2]) {
      list.push({ bytes: mirrored(vxlanTunnel(source, appliance, vni), nothing), lengthsAt: [16, 38] });
      list.push({ bytes: mirrored(vxlanTunnel(source, appliance, vni, 6), nothing), lengthsAt: [18, 58] });
      const bytes = mirrored(gwlbTunnel(source, source, appliance, appliance, vni, [1, vni]), nothing);
      // of the packet in GENEVE: IPv4 (20), UDP (8) and VXLAN (8) are the last
      list.push({ bytes, lengthsAt: [16, 38, bytes.length - 34, bytes.length - 12] });
    }
  }
  return list;
}

/**
 * Traffic as nobody wants it, from a seed: connections whose packets come in disorder, twice, cut, changed, in fragments and
 * tunnels, under several mirror sources, encapsulations and VNIs.
 */
export class HostileTraffic {
  readonly #random: Seeded;
  readonly #wildTime: boolean;
  readonly #outers = outers();
  readonly #lists: readonly (readonly HostileFrame[])[];
  readonly #singles: readonly HostileFrame[];
  readonly #playing: Playing[];
  readonly #recent: Buffer[] = Array.from({ length: RECENT }, () => Buffer.alloc(PACKET_MAX));
  readonly #recentLen = new Uint32Array(RECENT);
  #clients = 0;
  #seconds = 1_700_000_000;
  #nanoseconds = 0;

  /** @param wildTime time stamps may be any, as in a broken capture */
  constructor(random: Seeded, wildTime: boolean) {
    this.#random = random;
    this.#wildTime = wildTime;
    const times = <Thing>(count: number, make: () => Thing): Thing[] => Array.from({ length: count }, make);
    const connections = times(CONVERSATIONS, () => conversation(random));
    const fragments = times(CONVERSATIONS / 4, () => fragmentsOf(random));
    const plain = times(CONVERSATIONS, () => single(random));
    const tunnelled = [...connections.slice(0, 60), ...fragments.slice(0, 20)].map((list) =>
      list.map((one) => nestedFrame(random, one)),
    );
    this.#lists = [...connections, ...fragments, ...tunnelled].filter((list) => list.length > 0);
    this.#singles = [...plain, ...plain.slice(0, 100).map((one) => nestedFrame(random, one))];
    this.#playing = times(LIVE, () => ({ frames: [], next: 0, client: 0, outer: this.#outers[0]! }));
  }

  get seconds(): number {
    return this.#seconds;
  }

  /** Fills a batch with the next packets. */
  writeTo(batch: PacketBatch): void {
    batch.clear();
    let at = MARGIN;
    while (batch.count < batch.capacity && at + PACKET_MAX + MARGIN < batch.bytes.length) {
      const end = this.#write(batch.bytes, at);
      const slot = batch.count++;
      batch.bytes.fill(FILLING, end, end + MARGIN);
      batch.at[slot] = at;
      batch.end[slot] = end;
      batch.wireLen[slot] = end - at;
      batch.linkType[slot] = LinkType.ethernet;
      this.#passTime();
      batch.seconds[slot] = this.#seconds;
      batch.nanoseconds[slot] = this.#nanoseconds;
      at = end + MARGIN;
    }
  }

  /** Writes the next packet at `at` and returns its end. */
  #write(block: Buffer, at: number): number {
    const random = this.#random;
    const recent = random.below(RECENT);
    const isCopy = random.below(6) === 0 && this.#recentLen[recent]! > 0;
    const playing = this.#pickPlaying();
    const outer = isCopy || random.below(20) === 0 ? random.pick(this.#outers) : playing.outer;
    outer.bytes.copy(block, at);
    const frameAt = at + outer.bytes.length;
    const frameLen = isCopy
      ? this.#recent[recent]!.copy(block, frameAt, 0, this.#recentLen[recent])
      : this.#writeFrame(block, frameAt, playing, recent);
    for (const lengthAt of outer.lengthsAt)
      putU16(block, at + lengthAt, u16(block, at + lengthAt) + frameLen);
    let end = frameAt + frameLen;
    // outer headers are wrong at times, inner ones often
    if (random.below(40) === 0) block[at + random.below(outer.bytes.length)] = random.below(256);
    if (random.below(50) === 0) end = at + random.below(end - at + 1);
    return end;
  }

  /** A list that has frames left. */
  #pickPlaying(): Playing {
    const random = this.#random;
    const playing = random.pick(this.#playing);
    if (playing.next >= playing.frames.length) {
      playing.frames = random.pick(this.#lists);
      playing.next = 0;
      playing.client = this.#clients++ & 0xffff;
      playing.outer = random.pick(this.#outers);
    }
    return playing;
  }

  /** Writes a frame at `at`, keeps it as one of the recent ones, and returns its length. */
  #writeFrame(block: Buffer, at: number, playing: Playing, recent: number): number {
    const random = this.#random;
    const isSingle = random.below(8) === 0;
    const frame = isSingle ? random.pick(this.#singles) : this.#nextOf(playing);
    const client = isSingle ? random.below(0x1_0000) : playing.client;
    let frameLen = frame.bytes.copy(block, at, 0, Math.min(frame.bytes.length, FRAME_MAX));
    if (frame.clientAt >= 0 && frame.clientAt + 2 <= frameLen) putU16(block, at + frame.clientAt, client);
    if (random.below(6) === 0) {
      for (let changes = 1 + random.below(5); changes > 0; changes--) {
        const place = at + random.below(random.below(3) === 0 ? frameLen : Math.min(frameLen, 110));
        block[place] = random.pick([random.below(256), 0, 0xff, block[place]! ^ (1 << random.below(8))]);
      }
    }
    if (random.below(6) === 0) frameLen = random.below(frameLen + 1);
    block.copy(this.#recent[recent]!, 0, at, at + frameLen);
    this.#recentLen[recent] = frameLen;
    return frameLen;
  }

  /** The next frame of a list: a little out of order, some twice, some never. */
  #nextOf(playing: Playing): HostileFrame {
    const random = this.#random;
    const step = random.below(10) === 0 ? random.below(5) - 2 : 0;
    const index = Math.min(Math.max(playing.next + step, 0), playing.frames.length - 1);
    playing.next += random.below(30) === 0 ? 2 : 1;
    return playing.frames[index]!;
  }

  #passTime(): void {
    const random = this.#random;
    this.#nanoseconds += random.below(20_000);
    if (this.#nanoseconds >= 1_000_000_000) {
      this.#nanoseconds -= 1_000_000_000;
      this.#seconds++;
    }
    if (random.below(10_000) === 0) this.#seconds += random.below(200);
    if (random.below(5000) === 0) this.#seconds--;
    if (this.#wildTime && random.below(20_000) === 0)
      this.#seconds = random.pick([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 1_700_000_000]);
    this.#seconds = Math.min(this.#seconds, 0xffff_ffff);
  }
}
