import { ABSENT, type Layers } from '../packet/layers.ts';
import { LinkType } from '../packet/link-type.ts';
import { EtherType } from '../wire/ether-type.ts';
import { IpProtocol } from '../wire/ip-protocol.ts';
import * as ipv4 from '../wire/ipv4.ts';
import * as ipv6 from '../wire/ipv6.ts';
import * as tcp from '../wire/tcp.ts';
import * as udp from '../wire/udp.ts';

/** Bytes of a packet that are compared. */
const COMPARED_BYTES = 128;
/** Head of a packet that says by itself which one it is: up to the acknowledgement number of TCP, the window over IPv6. */
const IPV4_HEAD_BYTES = 32;
const IPV6_HEAD_BYTES = 56;
/** An EtherType and a whole ARP packet. */
const OTHER_BYTES_MIN = 30;
const ETHER_TYPE = 12;
const TAG_BYTES = 4;

/** What is kept of the first words of a header, whose bytes stand in the word from the lowest on. */
const WITHOUT_TOS = 0xffff_00ff | 0;
const PROTOCOL_ONLY = 0x0000_ff00;
const WITHOUT_TRAFFIC_CLASS = 0xffff_0ff0 | 0;
const WITHOUT_HOP_LIMIT = 0x00ff_ffff;
const FIRST_HALF = 0x0000_ffff;
const LAST_HALF = 0xffff_0000 | 0;

const STRIPE_BYTES = 16;
/** Odd numbers with their bits well mixed. */
const FACTOR_A = 0x9e37_79b1 | 0;
const FACTOR_B = 0x85eb_ca6b | 0;
const FACTOR_C = 0xc2b2_ae35 | 0;
const START_0 = 0x2545_f491;
const START_1 = 0x1656_67b1;
const START_2 = 0x27d4_eb2f;
const START_3 = 0x6c07_8965;

/**
 * What tells one packet from all others, however its copies came here: two numbers of 64 bits.
 *
 * Compared are the first 128 bytes from the IP header on, without what changes on the way or with the place where the packet
 * is looked at: time to live or hop limit, DSCP and ECN, the IPv4 header checksum, the checksum of TCP, UDP, ICMP and
 * ICMPv6. Ethernet and VLAN headers are outside. The length that IP promises is in the header, what is past it is padding.
 * Of a frame that is not IP, its first 128 bytes from the EtherType on and its length count; of ARP no padding.
 *
 * Two sessions may cut at different lengths. `head` covers the first 32 bytes (IPv6: 56) of a packet that is told by its
 * header, that is TCP without IP options or extension headers, and IPv4 with an identification; `all` covers the `extent` bytes that were compared. Copies of which
 * one is shorter agree by their heads. For all other packets, and where less than the head arrived, `head` is `all`, and
 * a copy is known only if it was cut at the same place, or behind the bytes that are compared.
 *
 * Two packets that have nothing to do with each other agree once in 2^64: they are summed in four lanes of 32 bits, each of
 * which goes on into the next, so that no two differences meet in one lane alone.
 */
export class PacketIdentity {
  headA = 0;
  headB = 0;
  allA = 0;
  allB = 0;
  /** Bytes compared, 0..128. */
  extent = 0;

  /** The word with the transport's checksum, and what is kept of it. */
  #maskedAt: number = ABSENT;
  #mask = 0;

  /**
   * @param seed packets with different seeds are different
   * @returns false where too little arrived to say: an IP header without its addresses, 30 bytes of something else
   */
  read(view: DataView, layers: Layers, seed: number): boolean {
    if (layers.ipVersion === 0) return this.#readOther(view, layers, seed);
    const { ipAt, frameEnd } = layers;
    const isIpv4 = layers.ipVersion === 4;
    const headerEnd = ipAt + (isIpv4 ? ipv4.HEADER_LEN : ipv6.HEADER_LEN);
    if (ipAt === ABSENT || headerEnd > frameEnd) return false;
    // a promise that ends inside the header is none
    const packetEnd = layers.ipEnd < headerEnd || layers.ipEnd > frameEnd ? frameEnd : layers.ipEnd;
    const end = packetEnd > ipAt + COMPARED_BYTES ? ipAt + COMPARED_BYTES : packetEnd;
    this.extent = end - ipAt;
    if (isIpv4) this.#readIpv4(view, layers, end, seed);
    else this.#readIpv6(view, layers, end, seed);
    return true;
  }

  #readIpv4(view: DataView, layers: Layers, end: number, seed: number): void {
    const { ipAt } = layers;
    const first = view.getInt32(ipAt, true) & WITHOUT_TOS;
    const second = view.getInt32(ipAt + 4, true);
    const third = view.getInt32(ipAt + 8, true) & PROTOCOL_ONLY;
    const source = view.getInt32(ipAt + ipv4.SOURCE, true);
    const isTold = isBehind(layers, ipv4.HEADER_LEN) || (second & FIRST_HALF) !== 0;
    const from = ipAt + ipv4.DESTINATION;
    this.#findChecksum(layers);
    this.#sum(
      view,
      from,
      end,
      isTold ? ipAt + IPV4_HEAD_BYTES : end,
      step(START_0 ^ seed, first),
      step(START_1, second),
      step(START_2, third),
      step(START_3, source),
    );
  }

  #readIpv6(view: DataView, layers: Layers, end: number, seed: number): void {
    const { ipAt } = layers;
    const first = view.getInt32(ipAt, true) & WITHOUT_TRAFFIC_CLASS;
    const second = view.getInt32(ipAt + 4, true) & WITHOUT_HOP_LIMIT;
    const from = ipAt + ipv6.SOURCE;
    this.#findChecksum(layers);
    this.#sum(
      view,
      from,
      end,
      isBehind(layers, ipv6.HEADER_LEN) ? ipAt + IPV6_HEAD_BYTES : end,
      step(START_2 ^ seed, first),
      step(START_3, second),
      START_0,
      START_1,
    );
  }

  #readOther(view: DataView, layers: Layers, seed: number): boolean {
    const isRaw = layers.linkType === LinkType.raw;
    const from = layers.frameAt + (isRaw ? 0 : ETHER_TYPE + layers.vlanCount * TAG_BYTES);
    let length = layers.frameEnd - from;
    if (length < OTHER_BYTES_MIN) return false;
    if (layers.etherType === EtherType.arp) length = OTHER_BYTES_MIN;
    const end = from + (length > COMPARED_BYTES ? COMPARED_BYTES : length);
    this.extent = end - from;
    this.#maskedAt = ABSENT;
    this.#sum(view, from, end, end, START_3 ^ seed, START_2 ^ length, START_1, START_0);
    return true;
  }

  /** Finds the word that has the checksum. */
  #findChecksum(layers: Layers): void {
    const { transportAt, protocol } = layers;
    this.#maskedAt = ABSENT;
    if (transportAt === ABSENT) return;
    if (protocol === IpProtocol.tcp) {
      this.#maskedAt = transportAt + tcp.CHECKSUM;
      this.#mask = LAST_HALF;
    } else if (protocol === IpProtocol.udp) {
      this.#maskedAt = transportAt + udp.CHECKSUM - 2;
      this.#mask = FIRST_HALF;
    } else if (protocol === IpProtocol.icmp || protocol === IpProtocol.icmpv6) {
      this.#maskedAt = transportAt;
      this.#mask = FIRST_HALF;
    }
  }

  /** Sums up four words at a time; `headEnd` is a whole number of fours behind `from`, or not before `end`. */
  #sum(
    view: DataView,
    from: number,
    end: number,
    headEnd: number,
    a: number,
    b: number,
    c: number,
    d: number,
  ): void {
    const maskedAt = this.#maskedAt;
    let at = from;
    for (const last = end - STRIPE_BYTES; at <= last; ) {
      let first = view.getInt32(at, true);
      let second = view.getInt32(at + 4, true);
      let third = view.getInt32(at + 8, true);
      let fourth = view.getInt32(at + 12, true);
      if (maskedAt >= at && maskedAt < at + STRIPE_BYTES) {
        const word = maskedAt - at;
        if (word === 0) first &= this.#mask;
        else if (word === 4) second &= this.#mask;
        else if (word === 8) third &= this.#mask;
        else fourth &= this.#mask;
      }
      const nextA = (step(a, first) + d) | 0;
      const nextB = (step(b, second) + a) | 0;
      const nextC = (step(c, third) + b) | 0;
      d = (step(d, fourth) + c) | 0;
      a = nextA;
      b = nextB;
      c = nextC;
      at += STRIPE_BYTES;
      if (at === headEnd) {
        this.headA = finish(a, b, c, d);
        this.headB = check(a, b, c, d);
      }
    }
    for (; at < end; at += 4) {
      let word = at + 4 <= end ? view.getInt32(at, true) : lastBytes(view, at, end);
      if (at === maskedAt) word &= this.#mask;
      const next = (step(a, word) + d) | 0;
      a = b;
      b = c;
      c = d;
      d = next;
    }
    this.allA = finish(a, b, c, d);
    this.allB = check(a, b, c, d);
    if (headEnd < end) return;
    this.headA = this.allA;
    this.headB = this.allB;
  }
}

/** Says whether TCP begins right behind an IP header of so many bytes: then its sequence number is in the head. */
function isBehind({ ipAt, transportAt, protocol }: Layers, headerLen: number): boolean {
  return protocol === IpProtocol.tcp && transportAt === ipAt + headerLen;
}

function step(lane: number, word: number): number {
  const mixed = Math.imul(lane ^ word, FACTOR_A);
  return (mixed << 15) | (mixed >>> 17);
}

/** One half of the number that four lanes come to: all its bits depend on all of them. */
function finish(a: number, b: number, c: number, d: number): number {
  const first = Math.imul(a ^ ((c << 11) | (c >>> 21)), FACTOR_B);
  const second = Math.imul(b ^ ((d << 17) | (d >>> 15)), FACTOR_C);
  const sum = (first + second) | 0;
  const mixed = Math.imul(sum ^ (sum >>> 15), FACTOR_A);
  return mixed ^ (mixed >>> 13);
}

/** The other half: the lanes, whose bits are mixed already, put together in another way. */
function check(a: number, b: number, c: number, d: number): number {
  return ((a ^ ((b << 9) | (b >>> 23))) + (c ^ ((d << 19) | (d >>> 13)))) | 0;
}

/** One to three bytes, the first in the lowest. */
function lastBytes(view: DataView, at: number, end: number): number {
  let word = view.getUint8(at);
  if (at + 1 < end) word |= view.getUint8(at + 1) << 8;
  if (at + 2 < end) word |= view.getUint8(at + 2) << 16;
  return word;
}
