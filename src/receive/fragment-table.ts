import { type Innermost, Ports } from '../packet/innermost.ts';
import type { Layers } from '../packet/layers.ts';
import { assert } from '../wire/assert.ts';
import { AnalysisTally } from './analysis-tally.ts';
import { type Fragment, isTiny } from './fragment.ts';
import { addRange, clearRanges, isWhole, RangeVerdict } from './fragment-ranges.ts';

/**
 * Words of an entry, 32 bits each:
 *
 *   0-3    source address; of IPv4 in the first word, the others 0
 *   4-7    destination address
 *   8      identification
 *   9      VNI (24 bits), encapsulation (2 bits from bit 24), IPv6 (bit 31)
 *   10-11  Gateway Load Balancer endpoint, 0 without
 *   12     path of nested tunnels (16 bits), from bit 16 the protocol; 0 in IPv6, where only the first fragment knows it
 *   13     VNI or key of the innermost of these tunnels
 *   14     when the first to arrive of its fragments came, seconds
 *   15     source and destination port, 16 bits each, from the first fragment
 *   16     bit 0 in use, bit 1 the first fragment was seen, bit 2-3 its `Ports`, bit 8-15 its protocol
 *   17-30  which bytes have come, see fragment-ranges.ts
 */
const KEY_WORDS = 14;
const IDENTIFICATION = 8;
const SINCE = 14;
const PORTS = 15;
const STATE = 16;
const RANGES = 17;
const WORDS_SHIFT = 5;
const WORDS = 1 << WORDS_SHIFT;

const USED = 0x1;
const FIRST_SEEN = 0x2;
const PORTS_SHIFT = 2;
const PORTS_MASK = 0x3;
const PROTOCOL_SHIFT = 8;
const IPV6 = 0x8000_0000;

/** Entries that one packet may lie in: the one that its hash names, and those behind it. */
const PROBES = 8;
/** Older than any entry in use: nothing is lost with it. */
const FREE = -1;
/** Odd numbers with their bits well mixed, of MurmurHash3's finaliser. */
const FACTOR = 0x85eb_ca6b;
const LAST_FACTOR = 0xc2b2_ae35;

export interface FragmentTableOptions {
  /** A row of `AnalysisTally`. */
  readonly tally: Float64Array;
  /** Fragmented packets that are remembered at once, a power of two from 8 on; 128 bytes each. */
  readonly entries: number;
  /** A packet is forgotten so long after the first of its fragments came. */
  readonly timeoutSeconds: number;
}

/**
 * Fragmented packets of the mirrored traffic: later fragments get from here the ports of their first, and fragments that
 * no sender makes (tiny, overlapping) are noticed.
 *
 * A packet is known by addresses, identification, for IPv4 protocol, the lane's VNI, encapsulation and endpoint, and the
 * tunnels that it is in; not by mirror source, so that copies from two of them count as one. The same fragment again is
 * such a copy or a retransmission and no attack. A fragment that does not fit to a packet of which all has come begins
 * another packet: identifications come again within seconds (RFC 6864 section 1).
 *
 * Memory is taken once: `entries` times 128 bytes. Time is the largest that was told; where it goes back by more than the
 * timeout, as from one capture to the next, all is forgotten.
 */
export class FragmentTable {
  readonly #words: Int32Array;
  readonly #key = new Int32Array(KEY_WORDS);
  readonly #tally: Float64Array;
  readonly #mask: number;
  readonly #timeoutSeconds: number;
  #now = 0;

  constructor({ tally, entries, timeoutSeconds }: FragmentTableOptions) {
    assert(
      entries >= PROBES && (entries & (entries - 1)) === 0,
      'Entries of the fragment table: 2^n, at least 8.',
    );
    this.#words = new Int32Array(entries * WORDS);
    this.#tally = tally;
    this.#mask = entries - 1;
    this.#timeoutSeconds = timeoutSeconds;
  }

  /**
   * Takes a fragment, whose addresses, path and, as far as they are in it, protocol and ports are in `out`. Fills in ports
   * and protocol where another fragment had them, the ports of a first fragment that was cut before them included.
   */
  see(view: DataView, layers: Layers, fragment: Fragment, seconds: number, out: Innermost): void {
    this.#tally[AnalysisTally.fragments]!++;
    if (seconds > this.#now || this.#now - seconds > this.#timeoutSeconds) this.#now = seconds;
    if (isTiny(fragment, out)) this.#tally[AnalysisTally.fragmentsTiny]!++;
    this.#writeKey(view, layers, fragment, out);
    const at = this.#entry();
    this.#note(at, fragment, out);
    if (fragment.offset === 0) this.#takeFirst(at, out);
    else this.#giveToLater(at, out);
  }

  /** Notes which bytes came; of a packet that was whole already they begin another one if they do not fit to it. */
  #note(at: number, { offset, dataLen, more }: Fragment, out: Innermost): void {
    const words = this.#words;
    const end = offset + dataLen;
    const verdict = addRange(words, at + RANGES, offset, end, more);
    const fits = verdict !== RangeVerdict.overlapping && (offset !== 0 || this.#isSameFirst(at, out));
    if (fits) return;
    if (isWhole(words, at + RANGES)) {
      this.#begin(at);
      addRange(words, at + RANGES, offset, end, more);
    } else this.#tally[AnalysisTally.fragmentsOverlapping]!++;
  }

  /** Says whether a first fragment does not contradict the one before it. */
  #isSameFirst(at: number, out: Innermost): boolean {
    const words = this.#words;
    if (out.ports === Ports.unknown || (words[at + STATE]! & FIRST_SEEN) === 0) return true;
    return words[at + STATE] === stateOf(out) && words[at + PORTS] === portsOf(out);
  }

  #takeFirst(at: number, out: Innermost): void {
    const words = this.#words;
    if (out.ports !== Ports.unknown) {
      words[at + PORTS] = portsOf(out);
      words[at + STATE] = stateOf(out);
    } else if ((words[at + STATE]! & FIRST_SEEN) !== 0) this.#give(at, out);
  }

  #giveToLater(at: number, out: Innermost): void {
    if ((this.#words[at + STATE]! & FIRST_SEEN) === 0) {
      this.#tally[AnalysisTally.fragmentsUnmatched]!++;
      return;
    }
    this.#tally[AnalysisTally.fragmentsMatched]!++;
    this.#give(at, out);
  }

  #give(at: number, out: Innermost): void {
    const state = this.#words[at + STATE]!;
    const ports = this.#words[at + PORTS]!;
    out.protocol = (state >>> PROTOCOL_SHIFT) & 0xff;
    out.ports = ((state >>> PORTS_SHIFT) & PORTS_MASK) as Ports;
    out.sourcePort = ports >>> 16;
    out.destinationPort = ports & 0xffff;
  }

  #writeKey(view: DataView, layers: Layers, fragment: Fragment, out: Innermost): void {
    const key = this.#key;
    const { sourceAt, destinationAt } = out;
    const isIpv6 = out.ipVersion === 6;
    for (let i = 0; i < 4; i++) {
      const isThere = i === 0 || isIpv6;
      key[i] = isThere ? view.getInt32(sourceAt + 4 * i) : 0;
      key[4 + i] = isThere ? view.getInt32(destinationAt + 4 * i) : 0;
    }
    key[IDENTIFICATION] = fragment.identification;
    key[9] = layers.vni | (layers.encapsulation << 24) | (isIpv6 ? IPV6 : 0);
    key[10] = layers.endpointHigh;
    key[11] = layers.endpointLow;
    key[12] = out.path | (isIpv6 ? 0 : out.protocol << 16);
    key[13] = out.nestedId;
  }

  /** The first word of this packet's entry: known, or new in the place of the one that is missed least. */
  #entry(): number {
    const words = this.#words;
    const home = hash(this.#key);
    let chosen = -1;
    let chosenSince = Infinity;
    for (let probe = 0; probe < PROBES; probe++) {
      const at = ((home + probe) & this.#mask) << WORDS_SHIFT;
      const isUsed = (words[at + STATE]! & USED) !== 0;
      if (isUsed && this.#isKey(at)) {
        if (this.#isExpired(at)) this.#begin(at);
        return at;
      }
      const since = isUsed && !this.#isExpired(at) ? words[at + SINCE]! >>> 0 : FREE;
      if (since < chosenSince) {
        chosen = at;
        chosenSince = since;
      }
    }
    if (chosenSince !== FREE) this.#tally[AnalysisTally.fragmentsEvicted]!++;
    words.set(this.#key, chosen);
    this.#begin(chosen);
    return chosen;
  }

  #isKey(at: number): boolean {
    const words = this.#words;
    const key = this.#key;
    if (words[at + IDENTIFICATION] !== key[IDENTIFICATION]) return false;
    for (let i = 0; i < KEY_WORDS; i++) if (words[at + i] !== key[i]) return false;
    return true;
  }

  #isExpired(at: number): boolean {
    return Math.abs(this.#now - (this.#words[at + SINCE]! >>> 0)) > this.#timeoutSeconds;
  }

  /** Begins a packet in an entry whose key stands. */
  #begin(at: number): void {
    const words = this.#words;
    words[at + SINCE] = this.#now;
    words[at + STATE] = USED;
    clearRanges(words, at + RANGES);
  }
}

function stateOf({ ports, protocol }: Innermost): number {
  return USED | FIRST_SEEN | (ports << PORTS_SHIFT) | (protocol << PROTOCOL_SHIFT);
}

function portsOf({ sourcePort, destinationPort }: Innermost): number {
  return (sourcePort << 16) | destinationPort;
}

function hash(key: Int32Array): number {
  let mixed = 0;
  for (let i = 0; i < KEY_WORDS; i++) {
    mixed = Math.imul(mixed ^ key[i]!, FACTOR);
    mixed ^= mixed >>> 15;
  }
  mixed = Math.imul(mixed, LAST_FACTOR);
  return mixed ^ (mixed >>> 16);
}
