import * as flowRecord from '../../packet/flow-record.ts';
import type { Layers } from '../../packet/layers.ts';
import * as linkTypes from '../../packet/link-type.ts';
import { assert } from '../../wire/assert.ts';
import * as ethernet from '../../wire/ethernet.ts';
import * as ipv4 from '../../wire/ipv4.ts';
import * as ipv6 from '../../wire/ipv6.ts';
import { makeKey } from '../lane-key.ts';

// for speed: see "Constants" in src/README.md
const { HEADER_LEN: ETHERNET_LEN } = ethernet;
const { ADDRESS_LEN: IPV4_ADDRESS_LEN, SOURCE: IPV4_SOURCE } = ipv4;
const { ADDRESS_LEN: IPV6_ADDRESS_LEN, SOURCE: IPV6_SOURCE } = ipv6;
const { Direction } = flowRecord;
const { LinkType } = linkTypes;

/** Places that an interface may take, from its home on. */
const PROBES = 8;
/** Words of an entry: lane key (0: free), four of the mirror source, upper 16 and lower 32 bits of the MAC. */
const ENTRY_WORDS = 8;
const SOURCE = 1;
const MAC_HIGH = 5;
const MAC_LOW = 6;
const NO_ENTRY = -1;

/**
 * The MAC of each mirrored interface, by which a frame is one that it sent or received.
 *
 * The mirror source is the interface's primary address: a frame whose inner IP source it is names the MAC as its source, one
 * whose destination it is, as its destination. From then on packets of its other addresses are told as well. Interfaces are
 * kept apart by VNI too: two networks may use the same addresses. Those that find no place have a direction only where the
 * primary address says it.
 *
 * Source of the rule: AWS, "Traffic Mirroring concepts": the VXLAN packet's source address is the primary private address of
 * the source's network interface.
 */
export class InterfaceTable {
  readonly #words: Int32Array;
  readonly #mask: number;
  readonly #source = new Int32Array(4);
  #last = 0;

  /** @param entries most interfaces: a power of two */
  constructor(entries: number) {
    assert(Number.isInteger(Math.log2(entries)), 'The interface table has a power of two of entries.');
    this.#words = new Int32Array(entries * ENTRY_WORDS);
    this.#mask = entries - 1;
  }

  /** What a frame is to its mirrored interface; learns on the way. Allocates nothing. */
  direction(view: DataView, layers: Layers): flowRecord.Direction {
    const { frameAt, frameEnd, mirrorSourceAt } = layers;
    if (layers.linkType !== LinkType.ethernet || mirrorSourceAt < 0 || frameAt + ETHERNET_LEN > frameEnd)
      return Direction.unknown;
    const key = makeKey(layers.encapsulation, layers.vni, 0, layers.linkType);
    this.#readSource(view, mirrorSourceAt, layers.mirrorSourceVersion);
    const entry = this.#find(key);

    const words = this.#words;
    const toHigh = view.getUint16(frameAt);
    const toLow = view.getInt32(frameAt + 2);
    const fromHigh = view.getUint16(frameAt + 6);
    const fromLow = view.getInt32(frameAt + 8);
    if (entry !== NO_ENTRY && words[entry] !== 0) {
      const sent = words[entry + MAC_HIGH] === fromHigh && words[entry + MAC_LOW] === fromLow;
      const received = words[entry + MAC_HIGH] === toHigh && words[entry + MAC_LOW] === toLow;
      if (sent !== received) return sent ? Direction.egress : Direction.ingress;
    }
    const direction = byAddress(view, layers);
    if (direction === Direction.unknown || entry === NO_ENTRY) return direction;
    const isEgress = direction === Direction.egress;
    this.#note(entry, key, isEgress ? fromHigh : toHigh, isEgress ? fromLow : toLow);
    return direction;
  }

  #readSource(view: DataView, at: number, version: number): void {
    const source = this.#source;
    source[0] = view.getInt32(at);
    for (let i = 1; i < 4; i++) source[i] = version === 6 ? view.getInt32(at + 4 * i) : 0;
  }

  /** Index of the entry of this key and the source that was read, of a free place for it, or NO_ENTRY. */
  #find(key: number): number {
    const words = this.#words;
    if (this.#isAt(this.#last, key)) return this.#last;
    const source = this.#source;
    let hash = Math.imul(key, 0x9e37_79b1);
    for (let i = 0; i < 4; i++) hash = Math.imul(hash ^ (hash >>> 15) ^ source[i]!, 0x85eb_ca6b);
    hash ^= hash >>> 13;
    for (let probe = 0; probe < PROBES; probe++) {
      const at = ((hash + probe) & this.#mask) * ENTRY_WORDS;
      if (words[at] === 0) return at;
      if (this.#isAt(at, key)) return (this.#last = at);
    }
    return NO_ENTRY;
  }

  #isAt(at: number, key: number): boolean {
    const words = this.#words;
    const source = this.#source;
    return (
      words[at] === key &&
      words[at + SOURCE] === source[0] &&
      words[at + SOURCE + 1] === source[1] &&
      words[at + SOURCE + 2] === source[2] &&
      words[at + SOURCE + 3] === source[3]
    );
  }

  #note(at: number, key: number, macHigh: number, macLow: number): void {
    const words = this.#words;
    words[at] = key;
    for (let i = 0; i < 4; i++) words[at + SOURCE + i] = this.#source[i]!;
    words[at + MAC_HIGH] = macHigh;
    words[at + MAC_LOW] = macLow;
  }
}

/** Direction of a frame of which one inner address is the mirror source. */
function byAddress(view: DataView, layers: Layers): flowRecord.Direction {
  const { ipAt, ipVersion, mirrorSourceAt } = layers;
  if (ipAt < 0 || ipVersion === 0 || ipVersion !== layers.mirrorSourceVersion) return Direction.unknown;
  const length = ipVersion === 4 ? IPV4_ADDRESS_LEN : IPV6_ADDRESS_LEN;
  const sourceAt = ipAt + (ipVersion === 4 ? IPV4_SOURCE : IPV6_SOURCE);
  if (sourceAt + 2 * length > layers.frameEnd) return Direction.unknown;
  const sent = isSame(view, sourceAt, mirrorSourceAt, length);
  const received = isSame(view, sourceAt + length, mirrorSourceAt, length);
  if (sent === received) return Direction.unknown;
  return sent ? Direction.egress : Direction.ingress;
}

function isSame(view: DataView, aAt: number, bAt: number, length: number): boolean {
  for (let i = 0; i < length; i += 4) {
    if (view.getInt32(aAt + i) !== view.getInt32(bAt + i)) return false;
  }
  return true;
}
