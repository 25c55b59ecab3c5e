import type { Innermost } from '../../packet/innermost.ts';
import type { Layers } from '../../packet/layers.ts';
import { assert } from '../../wire/assert.ts';

/** No row, no record. */
export const NONE = -1;

/** Rows among which one is chosen that has to go: those whose hashes have their low bits in common. */
const SET_ROWS = 8;
/** A stream that was silent for so long makes room for another without being counted as evicted. */
const IDLE_SECONDS = 60;

/** What streams of one direction of a connection are one and the same, besides those of one mirror source in one lane. */
export type StreamJoin =
  /** None. */
  | 'none'
  /** Those of all sources under one VNI. */
  | 'sources'
  /** Those of all sources under whatever VNI. */
  | 'vnis';

/** Words of a row. The first sixteen are a cache line; keys of IPv4 are all within it. */
export const Column = {
  /** Of the stream's first packet. */
  lane: 0,
  /** IP versions and the path of tunnels. */
  kind: 1,
  ports: 2,
  nestedId: 3,
  mirrorSource: 4,
  source: 5,
  destination: 6,
  /** Sequence number that is expected. */
  next: 7,
  /** Bits of `StreamState`. */
  state: 8,
  /** First and last packet that is held, by sequence; records of the ring. */
  head: 9,
  tail: 10,
  held: 11,
  /** Arrival of the last packet. */
  seconds: 12,
  /** Sequence number of the first data byte that belongs to the connection. */
  start: 13,
  /** What of the lane is part of the key. */
  network: 14,
  /** The rest of IPv6 addresses, three words each. */
  mirrorSourceRest: 16,
  sourceRest: 19,
  destinationRest: 22,
} as const;
const ROW_WORDS = 32;

export const StreamState = {
  /** Where the stream begins is not known yet: its first packets are held, in case the SYN is behind them. */
  opening: 1,
  synSeen: 2,
  /** A FIN or RST has left. */
  closed: 4,
} as const;

const INNER_IPV6 = 1 << 16;
const MIRROR_IPV6 = 1 << 17;
const IPV6 = INNER_IPV6 | MIRROR_IPV6;
/** Odd numbers with their bits well mixed, among them those of MurmurHash3's finaliser. */
const SOURCE_FACTOR = 0x85eb_ca6b;
const DESTINATION_FACTOR = 0xc2b2_ae35;
const PORTS_FACTOR = 0x9e37_79b1;
const MIRROR_FACTOR = 0x27d4_eb2f;

/**
 * The TCP streams of one worker: a bounded table of rows of words. A stream is one direction of a connection, as one
 * mirror source shows it in one lane, or more of them together; see `StreamJoin`.
 */
export class StreamTable {
  /** All rows; a row is named by the index of its first word. */
  readonly words: Int32Array;
  readonly #tags: Int32Array;
  readonly #setMask: number;
  readonly #isPerSource: boolean;
  readonly #isPerVni: boolean;
  #hash = 0;
  #kind = 0;
  #ports = 0;
  #network = 0;

  /** @param streams rows, a power of two, at least 8 */
  constructor(streams: number, join: StreamJoin) {
    assert(streams >= SET_ROWS && (streams & (streams - 1)) === 0, 'Streams come in powers of two.');
    this.words = new Int32Array(streams * ROW_WORDS);
    this.#tags = new Int32Array(streams);
    this.#setMask = streams / SET_ROWS - 1;
    this.#isPerSource = join === 'none';
    this.#isPerVni = join !== 'vnis';
  }

  /** The number of a row, for columns that are kept elsewhere. */
  static index(row: number): number {
    return row / ROW_WORDS;
  }

  /** The row of the packet's stream, or NONE. Only then may `claim` follow, for the same packet. */
  find(view: DataView, layers: Layers, innermost: Innermost, lane: number): number {
    const { ipVersion, sourceAt, destinationAt, path, nestedId } = innermost;
    const hasMirrorIpv6 = this.#isPerSource && layers.mirrorSourceVersion !== 4;
    const kind = path | (ipVersion === 4 ? 0 : INNER_IPV6) | (hasMirrorIpv6 ? MIRROR_IPV6 : 0);
    const network = this.#isPerSource ? lane : this.#isPerVni ? networkOf(layers) : 0;
    const ports = (innermost.sourcePort << 16) | innermost.destinationPort;
    // all products at the same time, mixed at the end
    let hash =
      (Math.imul(view.getInt32(sourceAt) ^ kind, SOURCE_FACTOR) +
        Math.imul(view.getInt32(destinationAt), DESTINATION_FACTOR) +
        Math.imul(ports ^ nestedId, PORTS_FACTOR) +
        Math.imul(this.#mirrorWord(view, layers) ^ (network << 16), MIRROR_FACTOR)) |
      0;
    if ((kind & IPV6) !== 0) hash = hashRest(view, layers, innermost, kind, hash);
    hash = Math.imul(hash ^ (hash >>> 16), SOURCE_FACTOR);
    hash = (hash ^ (hash >>> 13)) | 1;
    this.#hash = hash;
    this.#kind = kind;
    this.#ports = ports;
    this.#network = network;

    const tags = this.#tags;
    const first = this.#firstOfSet(hash);
    for (let i = first; i < first + SET_ROWS; i++) {
      if (tags[i] === hash && this.#holds(i * ROW_WORDS, view, layers, innermost)) return i * ROW_WORDS;
    }
    return NONE;
  }

  /** The row that the stream which was not found gets: free, or of the stream that can best be missed. */
  claim(seconds: number): number {
    const first = this.#firstOfSet(this.#hash);
    let chosen = first;
    let worth = Infinity;
    for (let i = first; i < first + SET_ROWS; i++) {
      if (this.#tags[i] === 0) return i * ROW_WORDS;
      const row = i * ROW_WORDS;
      const isClosed = (this.words[row + Column.state]! & StreamState.closed) !== 0;
      const holds = this.words[row + Column.held] === 0 ? 0 : 0.5;
      const own = isClosed ? -Infinity : holds - this.#idle(row, seconds);
      if (own < worth) {
        worth = own;
        chosen = i;
      }
    }
    return chosen * ROW_WORDS;
  }

  /** Says whether a row of `claim` is of a stream that was not done: something is held of it, or it may go on. */
  isMissed(row: number, seconds: number): boolean {
    if (this.#tags[row / ROW_WORDS] === 0) return false;
    if (this.words[row + Column.held] !== 0) return true;
    const isClosed = (this.words[row + Column.state]! & StreamState.closed) !== 0;
    return !isClosed && this.#idle(row, seconds) < IDLE_SECONDS;
  }

  /** Gives a row of `claim` to the packet's stream. Whatever was held for the stream before it has left. */
  give(row: number, view: DataView, layers: Layers, innermost: Innermost, lane: number): void {
    const { words } = this;
    const { sourceAt, destinationAt } = innermost;
    this.#tags[row / ROW_WORDS] = this.#hash;
    words[row + Column.lane] = lane;
    words[row + Column.kind] = this.#kind;
    words[row + Column.ports] = this.#ports;
    words[row + Column.nestedId] = innermost.nestedId;
    words[row + Column.network] = this.#network;
    words[row + Column.mirrorSource] = this.#mirrorWord(view, layers);
    words[row + Column.source] = view.getInt32(sourceAt);
    words[row + Column.destination] = view.getInt32(destinationAt);
    if ((this.#kind & MIRROR_IPV6) !== 0) {
      putRest(words, row + Column.mirrorSourceRest, view, layers.mirrorSourceAt);
    }
    if ((this.#kind & INNER_IPV6) !== 0) {
      putRest(words, row + Column.sourceRest, view, sourceAt);
      putRest(words, row + Column.destinationRest, view, destinationAt);
    }
    words[row + Column.state] = StreamState.opening;
    words[row + Column.head] = NONE;
    words[row + Column.tail] = NONE;
    words[row + Column.held] = 0;
  }

  /** The first word of the mirror source's address where it is part of the key. */
  #mirrorWord(view: DataView, layers: Layers): number {
    return this.#isPerSource ? view.getInt32(layers.mirrorSourceAt) : 0;
  }

  #firstOfSet(hash: number): number {
    return ((hash >>> 8) & this.#setMask) * SET_ROWS;
  }

  /** Seconds since the last packet. Where time ran backwards, that stream is the first that can be missed. */
  #idle(row: number, seconds: number): number {
    return Math.abs(seconds - (this.words[row + Column.seconds]! >>> 0));
  }

  #holds(row: number, view: DataView, layers: Layers, innermost: Innermost): boolean {
    const { words } = this;
    const { sourceAt, destinationAt } = innermost;
    const kind = this.#kind;
    return (
      words[row + Column.network] === this.#network &&
      words[row + Column.kind] === kind &&
      words[row + Column.ports] === this.#ports &&
      words[row + Column.nestedId] === (innermost.nestedId | 0) &&
      words[row + Column.mirrorSource] === this.#mirrorWord(view, layers) &&
      words[row + Column.source] === view.getInt32(sourceAt) &&
      words[row + Column.destination] === view.getInt32(destinationAt) &&
      ((kind & MIRROR_IPV6) === 0 ||
        sameRest(words, row + Column.mirrorSourceRest, view, layers.mirrorSourceAt)) &&
      ((kind & INNER_IPV6) === 0 ||
        (sameRest(words, row + Column.sourceRest, view, sourceAt) &&
          sameRest(words, row + Column.destinationRest, view, destinationAt)))
    );
  }
}

/** The network whose addresses a packet has, where no two of one VNI have the same. */
function networkOf({ encapsulation, vni }: Layers): number {
  return (encapsulation << 24) | vni;
}

function hashRest(view: DataView, layers: Layers, innermost: Innermost, kind: number, start: number): number {
  let hash = start;
  if ((kind & MIRROR_IPV6) !== 0) hash = mixRest(view, layers.mirrorSourceAt, hash);
  if ((kind & INNER_IPV6) === 0) return hash;
  return mixRest(view, innermost.destinationAt, mixRest(view, innermost.sourceAt, hash));
}

/** Mixes bytes 4 to 15 of an address into a hash. */
function mixRest(view: DataView, at: number, start: number): number {
  let hash = Math.imul(start ^ (start >>> 15) ^ view.getInt32(at + 4), SOURCE_FACTOR);
  hash = Math.imul(hash ^ (hash >>> 15) ^ view.getInt32(at + 8), DESTINATION_FACTOR);
  return Math.imul(hash ^ (hash >>> 15) ^ view.getInt32(at + 12), PORTS_FACTOR);
}

function putRest(words: Int32Array, to: number, view: DataView, at: number): void {
  words[to] = view.getInt32(at + 4);
  words[to + 1] = view.getInt32(at + 8);
  words[to + 2] = view.getInt32(at + 12);
}

function sameRest(words: Int32Array, to: number, view: DataView, at: number): boolean {
  return (
    words[to] === view.getInt32(at + 4) &&
    words[to + 1] === view.getInt32(at + 8) &&
    words[to + 2] === view.getInt32(at + 12)
  );
}
