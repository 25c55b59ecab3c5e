import { FLOW_KEY_MAX_BYTES, writeAddressKey } from '../../../format/flow-key.ts';
import { type Innermost, Ports } from '../../../packet/innermost.ts';
import type { Block } from '../../../wire/block.ts';
import { TUPLE_MAX_LEN, writeTuple } from '../../../wire/community-id.ts';
import { IpProtocol } from '../../../wire/ip-protocol.ts';
import { murmur2 } from '../../../wire/murmur2.ts';
import { Arena } from './arena.ts';
import type { LaneFacts } from './lane-facts.ts';

/**
 * Flows that are remembered, a power of two; a flow has two places. One that is not found costs a SHA-1 and a text, some 2 µs.
 * Full, with the texts below, they take some 30 MB.
 */
const ENTRIES = 65_536;
/**
 * Pieces of memory with texts of flows, 64 KiB each, after which all flows are forgotten: one flow in each may keep all of them.
 * That is some 200,000 flows.
 */
const SLABS_MAX = 256;
const WORDS_SHIFT = 4;
/** Words of an entry: id of the lane (0: free), kind, ports, lower and higher endpoint, four words each. */
const LANE = 0;
const KIND = 1;
const PORTS = 2;
const LOW = 3;
const HIGH = 7;
const KEY_WORDS = 11;
/** After these the hash of the key, as Kafka computes it. */
const KEY_HASH = 11;

/** Of MurmurHash3's finaliser. */
const FACTOR = 0x85eb_ca6b;
const IPV6_BYTES = 16;
const EMPTY = Buffer.alloc(0);

/** What all packets of a flow have in common. */
export class FlowFacts {
  /** Of the flow that was asked for last: key, its hash, and Community ID; empty where none is wanted. */
  key: Buffer = EMPTY;
  hash = 0;
  communityId: Buffer = EMPTY;

  readonly #sha1Base64: ((bytes: Uint8Array) => string) | undefined;
  readonly #words = new Int32Array(ENTRIES << WORDS_SHIFT);
  readonly #keys: Buffer[] = new Array<Buffer>(ENTRIES).fill(EMPTY);
  readonly #communityIds: Buffer[] = new Array<Buffer>(ENTRIES).fill(EMPTY);
  /** Words of the flow that is looked for. */
  readonly #sought = new Int32Array(KEY_WORDS);
  readonly #source = new Uint8Array(IPV6_BYTES);
  readonly #destination = new Uint8Array(IPV6_BYTES);
  readonly #tuple = Buffer.alloc(TUPLE_MAX_LEN);
  /** The beginning of the tuple, by length. */
  readonly #tuples: readonly Uint8Array[] = Array.from({ length: TUPLE_MAX_LEN + 1 }, (_, length) =>
    this.#tuple.subarray(0, length),
  );
  #texts = new Arena();
  #replaced = 0;

  /** @param sha1Base64 undefined where no Community ID is wanted */
  constructor(sha1Base64: ((bytes: Uint8Array) => string) | undefined) {
    this.#sha1Base64 = sha1Base64;
  }

  /**
   * Sets key, hash and communityId to those of the packet that `innermost` tells of.
   *
   * @param block that holds its addresses; not looked at where it has no IP header
   */
  find(block: Block, lane: LaneFacts, innermost: Innermost): void {
    if (innermost.ipVersion === 0) {
      this.key = lane.key;
      this.hash = lane.hash;
      this.communityId = EMPTY;
      return;
    }
    const first = this.#seek(block.view, lane, innermost);
    const entry = this.#isAt(first)
      ? first
      : this.#isAt(first ^ 1)
        ? first ^ 1
        : this.#make(block, lane, innermost, first);
    this.key = this.#keys[entry] ?? EMPTY;
    this.hash = this.#words[(entry << WORDS_SHIFT) + KEY_HASH] ?? 0;
    this.communityId = this.#communityIds[entry] ?? EMPTY;
  }

  /** Writes what is looked for to `#sought` and returns the first of its two places. */
  #seek(view: DataView, lane: LaneFacts, innermost: Innermost): number {
    const sought = this.#sought;
    const { ipVersion, protocol, sourcePort, destinationPort } = innermost;
    const turned = isTurned(view, innermost);
    const lowAt = turned ? innermost.destinationAt : innermost.sourceAt;
    const highAt = turned ? innermost.sourceAt : innermost.destinationAt;
    sought[LANE] = lane.id;
    sought[KIND] = protocol | (innermost.ports << 8) | (ipVersion << 16);
    sought[PORTS] = turned ? (destinationPort << 16) | sourcePort : (sourcePort << 16) | destinationPort;
    sought[LOW] = view.getInt32(lowAt);
    sought[HIGH] = view.getInt32(highAt);
    for (let word = 1; word < 4; word++) {
      sought[LOW + word] = ipVersion === 6 ? view.getInt32(lowAt + 4 * word) : 0;
      sought[HIGH + word] = ipVersion === 6 ? view.getInt32(highAt + 4 * word) : 0;
    }
    let hash = 0;
    for (let word = 0; word < KEY_WORDS; word++) {
      hash = Math.imul(hash ^ (sought[word] ?? 0), FACTOR);
      hash ^= hash >>> 15;
    }
    return hash & (ENTRIES - 1);
  }

  #isAt(entry: number): boolean {
    const words = this.#words;
    const sought = this.#sought;
    const at = entry << WORDS_SHIFT;
    for (let word = 0; word < KEY_WORDS; word++) if (words[at + word] !== sought[word]) return false;
    return true;
  }

  /** Puts the flow in one of its places, a free one if there is one, and returns which. */
  #make({ bytes }: Block, lane: LaneFacts, innermost: Innermost, first: number): number {
    if (this.#texts.slabs > SLABS_MAX) this.#forgetAll();
    let entry = first;
    if (this.#words[(first << WORDS_SHIFT) + LANE] !== 0) {
      const isFree = this.#words[((first ^ 1) << WORDS_SHIFT) + LANE] === 0;
      if (isFree || (this.#replaced++ & 1) === 1) entry = first ^ 1;
    }
    this.#keys[entry] = this.#keyOf(bytes, lane, innermost);
    const at = entry << WORDS_SHIFT;
    this.#words.set(this.#sought, at);
    this.#words[at + KEY_HASH] = murmur2(this.#keys[entry] ?? EMPTY);
    this.#communityIds[entry] =
      this.#sha1Base64 === undefined ? EMPTY : this.#idOf(bytes, innermost, this.#sha1Base64);
    return entry;
  }

  #keyOf(bytes: Buffer, { lane }: LaneFacts, { ipVersion, sourceAt, destinationAt }: Innermost): Buffer {
    const addressBytes = ipVersion === 4 ? 4 : IPV6_BYTES;
    for (let i = 0; i < addressBytes; i++) {
      this.#source[i] = bytes[sourceAt + i] ?? 0;
      this.#destination[i] = bytes[destinationAt + i] ?? 0;
    }
    const texts = this.#texts;
    const at = texts.reserve(FLOW_KEY_MAX_BYTES);
    const end = writeAddressKey(lane.name, ipVersion, this.#source, this.#destination, texts.bytes, at);
    return texts.take(at, end);
  }

  #idOf(bytes: Buffer, innermost: Innermost, sha1Base64: (bytes: Uint8Array) => string): Buffer {
    const { ipVersion, sourceAt, destinationAt, protocol, sourcePort, destinationPort, ports } = innermost;
    const length = writeTuple(
      this.#tuple,
      0,
      bytes,
      ipVersion,
      sourceAt,
      destinationAt,
      protocol,
      sourcePort,
      destinationPort,
      ports === Ports.known,
    );
    const id = `1:${sha1Base64(this.#tuples[length] ?? EMPTY)}`;
    const texts = this.#texts;
    const at = texts.reserve(id.length);
    return texts.take(at, at + texts.bytes.write(id, at, 'latin1'));
  }

  #forgetAll(): void {
    this.#texts = new Arena();
    this.#words.fill(0);
    this.#keys.fill(EMPTY);
    this.#communityIds.fill(EMPTY);
  }
}

/**
 * Whether the destination is told first: where its address, then port, is lower. Messages of ICMP stay as they are: type and code
 * are no ports, and which way a message goes may be part of its Community ID.
 */
function isTurned(view: DataView, innermost: Innermost): boolean {
  const { ipVersion, sourceAt, destinationAt, protocol } = innermost;
  if (protocol === IpProtocol.icmp || protocol === IpProtocol.icmpv6) return false;
  const addressBytes = ipVersion === 4 ? 4 : IPV6_BYTES;
  for (let i = 0; i < addressBytes; i += 4) {
    const difference = view.getUint32(sourceAt + i) - view.getUint32(destinationAt + i);
    if (difference !== 0) return difference > 0;
  }
  return innermost.sourcePort > innermost.destinationPort;
}
