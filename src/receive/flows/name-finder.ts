import type { FlowName } from '../../packet/flow-record.ts';
import { type Innermost, Ports } from '../../packet/innermost.ts';
import { ABSENT } from '../../packet/layers.ts';
import { IpProtocol } from '../../wire/ip-protocol.ts';
import { isLongHeader } from '../../wire/quic-initial.ts';
import { Flag, flags, sequence } from '../../wire/tcp.ts';
import { AnalysisTally } from '../analysis-tally.ts';
import { AssemblyPool, NO_ASSEMBLY } from './assembly-pool.ts';
import { findDnsNames, findDnsNamesOverTcp } from './dns-names.ts';
import { findHttpNames } from './http-names.ts';
import { NameArena, NO_HEAD } from './name-arena.ts';
import type { NameHashes } from './name-hashes.ts';
import { Found, NameWriter } from './name-writer.ts';
import { type CryptoSink, QuicOpener } from './quic-names.ts';
import { TlsNames } from './tls-names.ts';

export type { NameHashes } from './name-hashes.ts';

/** What is remembered of a flow that has names. */
const State = {
  /** Something was recognised that may yet say more. */
  open: 0,
  /** Nothing more is wanted. */
  done: 1,
  /** The beginning of a hello or of a request came, and the rest of it is waited for. */
  waiting: 2,
} as const;

/** Packets with payload of one flow that are looked into, by what is known of it. */
const LOOKS_MAX = 3;
const LOOKS_MAX_OF_DNS = 4;
const LOOKS_MAX_WHILE_WAITING = 6;

/** QUIC packets that are opened between two refills: at 43 µs each, some 2,000 a second are a tenth of a core. */
const QUIC_OPENS = 512;

const DNS_PORT = 53;
const MDNS_PORT = 5353;
const LLMNR_PORT = 5355;

export interface NameFinderOptions {
  /** Bytes of memory for the names of all flows. */
  readonly nameBytes: number;
  /** The worker's row of `AnalysisTally`. */
  readonly tally: Float64Array;
  readonly hashes: NameHashes;
}

/**
 * Finds names in the payload of a flow's first packets: DNS by its ports, TLS, HTTP/1 and QUIC by what the payload
 * begins with, on any port.
 *
 * What begins in one packet and goes on in others is put together from packets of that side, in any order after the
 * one with the beginning: the first 16 KiB, of 64 flows at a time. A packet that was cut gives the names that are wholly
 * in it. Allocates nothing, but where a whole hello is hashed and where a QUIC packet is opened.
 */
export class NameFinder implements CryptoSink {
  readonly #tally: Float64Array;
  readonly #arena: NameArena;
  readonly #names: NameWriter;
  readonly #tls: TlsNames;
  readonly #quic: QuicOpener;
  readonly #pool: AssemblyPool;
  #quicOpens = QUIC_OPENS;
  /** The assembly of the flow that is looked into. */
  #assembly = NO_ASSEMBLY;

  constructor({ nameBytes, tally, hashes }: NameFinderOptions) {
    this.#tally = tally;
    this.#arena = new NameArena(nameBytes, tally);
    this.#names = new NameWriter(this.#arena);
    this.#pool = new AssemblyPool(tally);
    this.#tls = new TlsNames(hashes);
    this.#quic = new QuicOpener(hashes);
  }

  /**
   * Says whether a packet of this flow is worth a look. Once it is not, none after it is.
   *
   * @param head  the flow's names, NO_HEAD (0) where it has none
   * @param looks packets with payload of the flow that were looked into before
   */
  wants(innermost: Innermost, head: number, looks: number): boolean {
    if (looks >= LOOKS_MAX_WHILE_WAITING || innermost.ports !== Ports.known) return false;
    if (innermost.protocol !== IpProtocol.tcp && innermost.protocol !== IpProtocol.udp) return false;
    if (head !== NO_HEAD) {
      const state = this.#arena.state(head);
      if (state !== State.open) return state === State.waiting;
    }
    return looks < LOOKS_MAX || (looks < LOOKS_MAX_OF_DNS && isDns(innermost));
  }

  /**
   * Looks into the payload of one packet for which `wants` said yes, and returns the flow's names.
   *
   * @param payloadAt    first byte after the TCP or UDP header
   * @param payloadEnd   one past the last byte of the payload that arrived
   * @param payloadWhole whether that is all of it
   * @param head         what the last look into this flow returned; NO_HEAD (0) at first
   */
  look(
    bytes: Buffer,
    view: DataView,
    innermost: Innermost,
    payloadAt: number,
    payloadEnd: number,
    payloadWhole: boolean,
    head: number,
  ): number {
    // a later fragment begins somewhere in the payload, and a first one does not end it
    if (payloadAt >= payloadEnd || innermost.transportAt === ABSENT) return head;
    const isWhole = payloadWhole && innermost.fragment === 0;
    const names = this.#names;
    names.head = head;
    this.#assembly = head === NO_HEAD ? NO_ASSEMBLY : this.#arena.assembly(head);
    if (!this.#pool.isOf(this.#assembly, head)) this.#assembly = NO_ASSEMBLY;

    if (innermost.protocol === IpProtocol.udp) {
      this.#lookIntoDatagram(bytes, innermost, payloadAt, payloadEnd, isWhole);
    } else if (this.#assembly === NO_ASSEMBLY) {
      this.#lookIntoSegment(bytes, view, innermost, payloadAt, payloadEnd, isWhole);
    } else {
      this.#addSegment(bytes, view, innermost, payloadAt, payloadEnd);
    }
    return names.head;
  }

  /** Names of a flow in the order in which they were seen. Allocates. */
  names(head: number): FlowName[] {
    return this.#arena.names(head);
  }

  /** The flow has ended: forgets its names. */
  free(head: number): void {
    if (head === NO_HEAD) return;
    const assembly = this.#arena.assembly(head);
    if (this.#pool.isOf(assembly, head)) this.#pool.release(assembly);
    this.#arena.free(head);
  }

  /** Some time has passed, a quarter of a second or so: QUIC packets may be opened again. */
  refill(): void {
    this.#quicOpens = QUIC_OPENS;
  }

  #mayOpen(): boolean {
    if (this.#quicOpens === 0) {
      this.#tally[AnalysisTally.namesDropped]! += 1;
      return false;
    }
    this.#quicOpens--;
    return true;
  }

  /** See `CryptoSink`. */
  takeCrypto(offset: number, bytes: Uint8Array, at: number, end: number): void {
    if (this.#assembly === NO_ASSEMBLY) this.#claim(0, 0, 0);
    this.#pool.put(this.#assembly, offset, bytes, at, end);
  }

  #lookIntoDatagram(bytes: Buffer, innermost: Innermost, at: number, end: number, isWhole: boolean): void {
    const names = this.#names;
    if (isDns(innermost) && findDnsNames(bytes, at, end, names) !== Found.nothing) return;
    if (!isLongHeader(bytes, at, end)) return;
    names.keepProtocol('quic');
    if (!isWhole || names.head === NO_HEAD || !this.#mayOpen()) return;
    if (!this.#quic.open(bytes, at, end, this)) return;
    if (this.#assembly === NO_ASSEMBLY) return;
    const pool = this.#pool;
    const begin = pool.begin(this.#assembly);
    this.#settle(innermost, this.#tls.findInMessage(pool.bytes, begin, pool.end(this.#assembly), 'q', names));
  }

  /** A segment with which, as far as is known, a stream begins. */
  #lookIntoSegment(
    bytes: Buffer,
    view: DataView,
    innermost: Innermost,
    at: number,
    end: number,
    isWhole: boolean,
  ): void {
    const found = this.#findInStream(bytes, innermost, at, end);
    if (found === Found.more && isWhole && this.#names.head !== NO_HEAD) {
      this.#claim(innermost.sourcePort, sourceWord(view, innermost), payloadSequence(bytes, innermost));
      this.#pool.put(this.#assembly, 0, bytes, at, end);
      this.#settle(innermost, found);
    } else if (found !== Found.nothing) {
      this.#settle(innermost, Found.all);
    }
  }

  /** A segment of a flow whose stream is being put together. */
  #addSegment(bytes: Buffer, view: DataView, innermost: Innermost, at: number, end: number): void {
    const pool = this.#pool;
    const assembly = this.#assembly;
    if (!pool.isFrom(assembly, innermost.sourcePort, sourceWord(view, innermost))) return;
    const known = pool.end(assembly);
    pool.put(assembly, pool.offset(assembly, payloadSequence(bytes, innermost)), bytes, at, end);
    if (pool.end(assembly) === known) return;
    this.#settle(
      innermost,
      this.#findInStream(pool.bytes, innermost, pool.begin(assembly), pool.end(assembly)),
    );
  }

  #findInStream(bytes: Buffer, innermost: Innermost, at: number, end: number): Found {
    const names = this.#names;
    if (isDns(innermost)) {
      const found = findDnsNamesOverTcp(bytes, at, end, names);
      if (found !== Found.nothing) return found;
    }
    const found = this.#tls.findInStream(bytes, at, end, names);
    return found === Found.nothing ? findHttpNames(bytes, at, end, names) : found;
  }

  #claim(port: number, address: number, firstSequence: number): void {
    const { head } = this.#names;
    this.#assembly = this.#pool.claim(head, port, address, firstSequence);
    this.#arena.setAssembly(head, this.#assembly);
  }

  /** Notes what is wanted of the flow from now on. An answer may follow what DNS asked. */
  #settle(innermost: Innermost, found: Found): void {
    const { head } = this.#names;
    if (head === NO_HEAD) return;
    const settled = isDns(innermost) ? State.open : State.done;
    this.#arena.setState(head, found === Found.more ? State.waiting : settled);
    if (found !== Found.more && this.#assembly !== NO_ASSEMBLY) this.#pool.release(this.#assembly);
  }
}

/** DNS, mDNS or LLMNR by one of the ports. */
function isDns(innermost: Innermost): boolean {
  return isDnsPort(innermost.sourcePort) || isDnsPort(innermost.destinationPort);
}

function isDnsPort(port: number): boolean {
  return port === DNS_PORT || port === MDNS_PORT || port === LLMNR_PORT;
}

/** The last 32 bits of the source address: with the port, which side of its flow a packet is from. */
function sourceWord(view: DataView, innermost: Innermost): number {
  return view.getUint32(innermost.sourceAt + (innermost.ipVersion === 4 ? 0 : 12));
}

/** Sequence number of the first byte of a segment's payload: a SYN has one of its own. */
function payloadSequence(bytes: Uint8Array, innermost: Innermost): number {
  const { transportAt } = innermost;
  const isSyn = (flags(bytes, transportAt) & Flag.syn) !== 0;
  return sequence(bytes, transportAt) + (isSyn ? 1 : 0);
}
