import type { Layers } from '../packet/layers.ts';
import { assert } from '../wire/assert.ts';
import * as ipProtocols from '../wire/ip-protocol.ts';
import * as ipv4 from '../wire/ipv4.ts';
import * as ipv6 from '../wire/ipv6.ts';
import * as tcp from '../wire/tcp.ts';
import * as symmetryMemory from './symmetry-memory.ts';

// for speed: see "Constants" in src/README.md
const { SOURCE: IPV4_SOURCE, DESTINATION: IPV4_DESTINATION } = ipv4;
const { SOURCE: IPV6_SOURCE, DESTINATION: IPV6_DESTINATION } = ipv6;
const { IpProtocol } = ipProtocols;
const { BACKWARD, FORWARD, SLOTS, SPLIT, TAG, TCP, USED, WORKER, WORKER_SHIFT, WORKERS_MAX } = symmetryMemory;

/** Bytes of a TCP or UDP header that hold the ports, and those that hold the flags of TCP as well. */
const PORTS_LEN = 4;
const TCP_FLAGS = 13;
/** Of these flags an established connection has only ACK. */
const ACK = tcp.Flag.ack;
const STATE_FLAGS = tcp.Flag.syn | tcp.Flag.rst | tcp.Flag.ack;
/** Odd numbers with their bits well mixed; the first and the last are those of MurmurHash3's finaliser. */
const FACTOR = 0x85eb_ca6b;
const PORT_FACTOR = 0x9e37_79b1;
const VNI_FACTOR = 0x27d4_eb2f;
const LAST_FACTOR = 0xc2b2_ae35;
/** What the first look compares: all but which directions were seen, and whether others saw it. */
const IDENTITY = ~(SPLIT | FORWARD | BACKWARD);

/**
 * Notes, for a sample of connections, which workers see them and in which directions: whether both directions of a
 * connection come to one worker, and whether both come at all.
 *
 * A connection is two inner addresses and ports and TCP or UDP, under whatever VNI, unless VNIs are kept apart. Its hash
 * names the one slot that it may take; the first to come has it until the sample is cleared. Looked at are unfragmented
 * packets whose ports arrived. Of TCP only what an established connection sends: a SYN that nobody answers has one side
 * by nature, and is no sign that packets are missing.
 */
export class SymmetrySampler {
  readonly #slots: Int32Array;
  readonly #own: number;
  readonly #perVni: boolean;

  /**
   * @param memory of `allocateSymmetry`
   * @param worker this worker's number, below WORKERS_MAX
   * @param perVni the same addresses and ports under another VNI are another connection
   */
  constructor(memory: SharedArrayBuffer, worker: number, perVni: boolean) {
    assert(worker < WORKERS_MAX, `The symmetry meter tells ${WORKERS_MAX} workers apart.`);
    this.#slots = new Int32Array(memory);
    this.#own = (worker << WORKER_SHIFT) | USED;
    this.#perVni = perVni;
  }

  /** Notes one delivered packet. Allocates nothing; where it has nothing to add, it looks at one word. */
  see(view: DataView, layers: Layers): void {
    const { transportAt, frameEnd, protocol, ipAt } = layers;
    if (transportAt < 0 || layers.fragment === 1) return;
    let identity = this.#own;
    if (protocol === IpProtocol.tcp) {
      if (transportAt + TCP_FLAGS >= frameEnd) return;
      if ((view.getUint8(transportAt + TCP_FLAGS) & STATE_FLAGS) !== ACK) return;
      identity |= TCP;
    } else if (protocol !== IpProtocol.udp || transportAt + PORTS_LEN > frameEnd) {
      return;
    }

    const isIpv4 = layers.ipVersion === 4;
    const sourceAt = ipAt + (isIpv4 ? IPV4_SOURCE : IPV6_SOURCE);
    const destinationAt = ipAt + (isIpv4 ? IPV4_DESTINATION : IPV6_DESTINATION);
    const source = hashEnd(view, isIpv4, sourceAt, view.getUint16(transportAt));
    const destination = hashEnd(view, isIpv4, destinationAt, view.getUint16(transportAt + 2));
    // both ends the same: there is no direction to tell
    if (source === destination) return;
    const hash = finish(source + destination + (this.#perVni ? Math.imul(layers.vni, VNI_FACTOR) : 0));

    const slot = hash & (SLOTS - 1);
    identity |= hash & TAG;
    const direction = source > destination ? FORWARD : BACKWARD;
    const word = this.#slots[slot]!;
    if ((word & IDENTITY) === identity && (word & direction) !== 0) return;
    this.#note(slot, identity, direction);
  }

  /** Adds what is new to the slot, if it is free or this connection's. */
  #note(slot: number, identity: number, direction: number): void {
    const slots = this.#slots;
    // another thread's change between load and exchange is at most one for each bit of the word that is still to be set
    for (;;) {
      const word = Atomics.load(slots, slot);
      let next = identity | direction;
      if (word !== 0) {
        if (((word ^ identity) & (TAG | TCP)) !== 0) return;
        const isOthers = ((word ^ identity) & WORKER) !== 0;
        next = word | direction | (isOthers ? SPLIT : 0);
        if (next === word) return;
      }
      if (Atomics.compareExchange(slots, slot, word, next) === word) return;
    }
  }
}

/** Hash of one end: its address and port. */
function hashEnd(view: DataView, isIpv4: boolean, addressAt: number, port: number): number {
  let hash = Math.imul(port + 1, PORT_FACTOR) ^ Math.imul(view.getInt32(addressAt), FACTOR);
  if (!isIpv4) {
    hash = Math.imul(hash ^ (hash >>> 15) ^ view.getInt32(addressAt + 4), FACTOR);
    hash = Math.imul(hash ^ (hash >>> 15) ^ view.getInt32(addressAt + 8), FACTOR);
    hash = Math.imul(hash ^ (hash >>> 15) ^ view.getInt32(addressAt + 12), FACTOR);
  }
  return Math.imul(hash ^ (hash >>> 16), LAST_FACTOR);
}

function finish(sum: number): number {
  const mixed = Math.imul(sum ^ (sum >>> 15), FACTOR);
  return mixed ^ (mixed >>> 16);
}
