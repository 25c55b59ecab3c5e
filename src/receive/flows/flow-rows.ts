import type { Innermost } from '../../packet/innermost.ts';
import type { Layers } from '../../packet/layers.ts';
import * as ipProtocols from '../../wire/ip-protocol.ts';
import { makeKey } from '../lane-key.ts';
import { FlowHash } from './flow-hash.ts';
import { FlowIndex } from './flow-index.ts';
import { copyKey, isSameTuple, kindOf, writeKey } from './flow-key.ts';
import { allocateRows } from './flow-layout.ts';
import * as layout from './flow-layout.ts';
import { TimingWheel } from './timing-wheel.ts';

// for speed: see "Constants" in src/README.md
const { IpProtocol } = ipProtocols;
const { LAST_SECONDS, NEXT, NO_ROW, ROW_WORDS, STATE, IS_OVER } = layout;

/** Rows that are compared when one has to make room. */
const EVICTION_SAMPLE = 8;

/** The memory of the flow table: which rows are in use, under which key, and when they are due. */
export class FlowRows {
  readonly words: Int32Array;
  /** 0 where the source of the packet that was looked for last is the lower endpoint of its flow, else 1. */
  direction: 0 | 1 = 0;
  readonly wheel: TimingWheel;
  readonly #maxFlows: number;
  readonly #perVlan: boolean;
  /** First word of a row besides the others, in which keys are noted. */
  readonly #keyAt: number;
  readonly #index: FlowIndex;
  /** First of the rows that were given back + 1, linked through NEXT; 0 for none. */
  #free = 0;
  /** Rows from here on were never used. */
  #fresh = 0;
  /** Where the search for a row to evict goes on. */
  #hand = 0;

  /** @param perVlan whether flows of different VLANs are kept apart */
  constructor(maxFlows: number, perVlan: boolean, hashSeed: number) {
    this.#maxFlows = maxFlows;
    this.#perVlan = perVlan;
    this.words = allocateRows(maxFlows);
    this.#keyAt = maxFlows * ROW_WORDS;
    this.wheel = new TimingWheel(this.words);
    this.#index = new FlowIndex(this.words, maxFlows, new FlowHash(hashSeed));
  }

  /** Rows below this number may be in use. */
  get used(): number {
    return this.#fresh;
  }

  get isFull(): boolean {
    return this.#free === 0 && this.#fresh === this.#maxFlows;
  }

  /**
   * The row of a packet's flow; NO_ROW where there is none, and then its key is noted for `insert`. Sets `direction`.
   *
   * What most packets are, IPv4 without a tunnel inside, is looked for without writing the key down.
   */
  find(view: DataView, layers: Layers, innermost: Innermost): number {
    const { protocol } = innermost;
    if (
      innermost.ipVersion !== 4 ||
      innermost.path !== 0 ||
      layers.mirrorSourceVersion === 6 ||
      protocol === IpProtocol.icmp ||
      protocol === IpProtocol.icmpv6
    )
      return this.#findAny(view, layers, innermost);
    const source = view.getInt32(innermost.sourceAt);
    const destination = view.getInt32(innermost.destinationAt);
    const { sourcePort, destinationPort } = innermost;
    const isHigher = source === destination ? sourcePort > destinationPort : source >>> 0 > destination >>> 0;
    this.direction = isHigher ? 1 : 0;
    const row = this.#index.findPlain(
      isHigher ? (destinationPort << 16) | sourcePort : (sourcePort << 16) | destinationPort,
      isHigher ? destination : source,
      isHigher ? source : destination,
      kindOf(innermost, this.#perVlan),
      makeKey(layers.encapsulation, layers.vni, layers.hasEndpoint, layers.linkType),
      view.getInt32(layers.mirrorSourceAt),
      layers.hasEndpoint === 0 ? 0 : layers.endpointHigh | 0,
      layers.hasEndpoint === 0 ? 0 : layers.endpointLow | 0,
    );
    return row === NO_ROW ? this.#findAny(view, layers, innermost) : row;
  }

  #findAny(view: DataView, layers: Layers, innermost: Innermost): number {
    this.direction = writeKey(this.words, this.#keyAt, view, layers, innermost, this.#perVlan);
    return this.#index.find(this.#keyAt);
  }

  /** Whether a row is of the same addresses, ports and protocol as the key that was noted. */
  isCopy(row: number): boolean {
    return isSameTuple(this.words, this.#keyAt, row * ROW_WORDS);
  }

  /** Notes a row's key for `insert`: the row is about to be given back. */
  noteKeyOf(row: number): void {
    copyKey(this.words, row * ROW_WORDS, this.#keyAt);
  }

  /** A row for the key that was noted and has none: all 0 but for its key. Not while full. It is in no list of the wheel yet. */
  insert(): number {
    const words = this.words;
    let row = this.#free - 1;
    if (row === NO_ROW) {
      row = this.#fresh++;
    } else {
      this.#free = words[row * ROW_WORDS + NEXT]!;
      words.fill(0, row * ROW_WORDS, (row + 1) * ROW_WORDS);
    }
    copyKey(words, this.#keyAt, row * ROW_WORDS);
    this.#index.add(row);
    return row;
  }

  /** Gives a row back that is in no list of the wheel. */
  release(row: number): void {
    const words = this.words;
    const at = row * ROW_WORDS;
    this.#index.remove(row);
    words[at + STATE] = 0;
    words[at + NEXT] = this.#free;
    this.#free = row + 1;
  }

  /**
   * Of a few rows, each time others, the one that was idle longest; a connection that is over comes first. While full.
   *
   * @param kept   this one is not told; NO_ROW for none
   * @param offset see `FlowClock`
   */
  leastNeeded(kept: number, now: number, offset: number): number {
    const words = this.words;
    let chosen = NO_ROW;
    let longest = -1;
    for (let looked = 0; looked < EVICTION_SAMPLE || chosen === NO_ROW; looked++) {
      const row = this.#hand;
      this.#hand = row + 1 === this.#maxFlows ? 0 : row + 1;
      if (row === kept) continue;
      const at = row * ROW_WORDS;
      // a time that lies ahead is from before time went back
      const idle = Math.abs(now - offset - (words[at + LAST_SECONDS]! >>> 0));
      const isOver = (words[at + STATE]! & IS_OVER) !== 0;
      const rank = isOver ? idle + 2 ** 33 : idle;
      if (rank <= longest) continue;
      longest = rank;
      chosen = row;
    }
    return chosen;
  }

  /** Puts a row where it is due, wherever it was. */
  move(row: number, due: number, now: number): void {
    this.wheel.take(row);
    this.wheel.put(row, due, now);
  }
}
