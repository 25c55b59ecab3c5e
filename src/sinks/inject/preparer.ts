import type { PacketBatch } from '../../packet/batch.ts';
import { type FrameCompleter, Lost, NO_FRAME } from '../../packet/frame-completer.ts';
import { LinkType } from '../../packet/link-type.ts';
import { type Block, blockOf } from '../../wire/block.ts';
import { EtherType } from '../../wire/ether-type.ts';
import * as ethernet from '../../wire/ethernet.ts';
import * as vlan from '../../wire/vlan.ts';
import { type InjectDrop, injectCounters, injectDropReasons } from './drop-reasons.ts';
import type { Exit, Exits } from './exits.ts';
import { ADDRESSES_LEN, writeRawHead, writeTaggedHead } from './frame-head.ts';
import type { FrameQueue } from './frame-queue.ts';
import { type LaneRoutes, type Route, VLAN_MISSING, VLAN_NONE } from './lane-routes.ts';
import type { InjectSettings } from './settings.ts';

/** Frames as long as this end in no header of their own: Ethernet, four tags, the longest IPv4 header. */
const SURE_LEN = ethernet.HEADER_LEN + 4 * vlan.TAG_LEN + 60;
/** Memory for frames that are changed, and what a single one may need: an IPv6 packet of any length, with tags. */
const SCRATCH_BYTES = 1_048_576;
const FRAME_BYTES_MAX = 66_000;

/** What became of a frame: numbers of what is counted. First what was written otherwise than it came, then drops. */
export const outcomeNames: readonly string[] = [...injectCounters, ...injectDropReasons];
const numberOf = (name: (typeof injectCounters)[number] | InjectDrop): number => outcomeNames.indexOf(name);
export const Outcome = {
  padded: numberOf('padded'),
  shortened: numberOf('shortened'),
  passed: numberOf('passed'),
  /** From here on frames are dropped. */
  dropped: injectCounters.length,
  interfaceFull: numberOf('interfaceFull'),
  interfaceGone: numberOf('interfaceGone'),
  tooLong: numberOf('tooLong'),
  cut: numberOf('cut'),
  cutHeader: numberOf('cutHeader'),
  noVlan: numberOf('noVlan'),
  tooManyInterfaces: numberOf('tooManyInterfaces'),
  refused: numberOf('refused'),
} as const;

/** The frame is queued: what becomes of it is known later. */
const QUEUED = -1;
const AS_IT_CAME = -1;

export interface PreparerOptions {
  readonly routes: LaneRoutes;
  readonly exits: Exits;
  readonly queue: FrameQueue;
  readonly frames: FrameCompleter;
  readonly cut: InjectSettings['cut'];
}

/** Makes frames ready for sending: where each goes, what is put before it, what is made of one that was cut. */
export class Preparer {
  readonly #options: PreparerOptions;
  readonly #scratch: Block = blockOf(Buffer.allocUnsafeSlow(SCRATCH_BYTES));
  #used = 0;
  /** The exit of the last frame: most go the same way. */
  #exit: Exit | undefined;

  constructor(options: PreparerOptions) {
    this.#options = options;
    options.queue.vector.setMemory(1, this.#scratch.bytes);
  }

  /**
   * Queues frames of a batch, from number `from` of those that it delivers on, until the queue or the own memory is full.
   * The queue is empty when this is called, and the batch stays as it is until the queue is empty again.
   *
   * @param outcomes by `Outcome`, those that are dropped are added to
   * @returns the number to go on from
   */
  fill(batch: PacketBatch, from: number, nowMs: number, outcomes: Float64Array): number {
    const { queue } = this.#options;
    queue.vector.setMemory(0, batch.bytes);
    this.#used = 0;
    let next = from;
    while (next < batch.deliveredCount && !queue.isFull && this.#used + FRAME_BYTES_MAX <= SCRATCH_BYTES) {
      const slot = batch.delivered[next] ?? 0;
      const drop = this.#prepare(batch, slot, nowMs);
      if (drop >= 0) outcomes[drop] = (outcomes[drop] ?? 0) + 1;
      next++;
    }
    return next;
  }

  /** Queues a frame and returns QUEUED, or says why it is dropped. */
  #prepare(batch: PacketBatch, slot: number, nowMs: number): number {
    const route = this.#options.routes.get(batch.lane[slot] ?? 0);
    if (route.vlan === VLAN_MISSING) return Outcome.noVlan;
    const exit = this.#exitOf(route, nowMs);
    if (exit === undefined) return Outcome.tooManyInterfaces;
    exit.usedMs = nowMs;
    if (!exit.isOpen) return Outcome.interfaceGone;
    const at = batch.frameAt[slot] ?? 0;
    const end = batch.frameEnd[slot] ?? 0;
    const arrived = end - at;
    const bytesMax = longest(batch, at, end, route, exit);
    if (arrived >= SURE_LEN && (batch.frameWireLen[slot] ?? 0) <= arrived && arrived <= bytesMax) {
      return this.#push(batch, 0, at, end, route, exit, AS_IT_CAME);
    }
    return this.#change(batch, at, end, bytesMax, route, exit);
  }

  /** The same for a frame that was cut, or is too long, or is so short that it may have been cut in its headers. */
  #change(batch: PacketBatch, at: number, end: number, bytesMax: number, route: Route, exit: Exit): number {
    const { frames, cut } = this.#options;
    const lost = frames.look(batch, at, end, route.isRaw ? LinkType.raw : LinkType.ethernet);
    if (lost !== Lost.nothing && cut === 'drop') return Outcome.cut;
    if (lost === Lost.header && (cut !== 'pass' || !isSendable(batch, at, end, route)))
      return Outcome.cutHeader;
    const fits = end - at <= bytesMax;
    if (lost === Lost.nothing && fits) {
      if (!isSendable(batch, at, end, route)) return Outcome.cutHeader;
      return this.#push(batch, 0, at, end, route, exit, AS_IT_CAME);
    }
    if (cut === 'pass' || cut === 'drop') {
      if (!fits) return Outcome.tooLong;
      return this.#push(batch, 0, at, end, route, exit, Outcome.passed);
    }
    return this.#complete(lost === Lost.data && cut === 'pad', bytesMax, route, exit);
  }

  /** Queues the frame that was looked at last, padded or shortened. */
  #complete(padded: boolean, bytesMax: number, route: Route, exit: Exit): number {
    const { frames } = this.#options;
    const scratch = this.#scratch;
    const at = this.#used;
    const room = Math.min(bytesMax, FRAME_BYTES_MAX);
    const end = padded ? frames.pad(scratch, at, room) : frames.shorten(scratch, at, room);
    if (end === NO_FRAME) return Outcome.tooLong;
    // whole words: the copy of the next one is not torn
    this.#used = (end + 3) & ~3;
    const outcome = frames.wasShortened ? Outcome.shortened : Outcome.padded;
    return this.#push(scratch, 1, at, end, route, exit, outcome);
  }

  #push(
    { bytes }: Block,
    which: 0 | 1,
    at: number,
    end: number,
    { vlan: vlanId, isRaw }: Route,
    { place }: Exit,
    outcome: number,
  ): number {
    const { queue } = this.#options;
    const head = queue.vector.bytes;
    const { headAt } = queue;
    if (isRaw) {
      const headEnd = writeRawHead(head, headAt, (bytes[at] ?? 0) >>> 4, vlanId);
      queue.push(place, headEnd - headAt, which, at, end, outcome);
    } else if (vlanId === VLAN_NONE) {
      queue.push(place, 0, which, at, end, outcome);
    } else {
      const headEnd = writeTaggedHead(head, headAt, bytes, at, vlanId);
      queue.push(place, headEnd - headAt, which, at + ADDRESSES_LEN, end, outcome);
    }
    return QUEUED;
  }

  #exitOf({ interfaceName }: Route, nowMs: number): Exit | undefined {
    const last = this.#exit;
    if (last !== undefined && last.name === interfaceName) return last;
    this.#exit = this.#options.exits.get(interfaceName, nowMs);
    return this.#exit;
  }
}

/**
 * Most bytes that a frame may have, without what is put before it. The kernel takes an Ethernet header beyond the MTU, and
 * one VLAN tag (net/packet/af_packet.c, packet_extra_vlan_len_allowed), be it ours or the frame's own.
 */
function longest(
  { bytes }: Block,
  at: number,
  end: number,
  { isRaw, vlan: ours }: Route,
  { mtuBytes }: Exit,
): number {
  if (isRaw) return mtuBytes;
  const isTagged =
    ours === VLAN_NONE && end - at >= ethernet.HEADER_LEN && ethernet.etherType(bytes, at) === EtherType.vlan;
  return mtuBytes + ethernet.HEADER_LEN + (isTagged ? vlan.TAG_LEN : 0);
}

/** The kernel takes nothing shorter than an Ethernet header; before what is not IP none can be put. */
function isSendable({ bytes }: Block, at: number, end: number, { isRaw }: Route): boolean {
  if (!isRaw) return end - at >= ethernet.HEADER_LEN;
  const version = end > at ? (bytes[at] ?? 0) >>> 4 : 0;
  return version === 4 || version === 6;
}
