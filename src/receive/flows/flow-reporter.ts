import {
  Direction,
  type FlowEndReason,
  FlowRecord,
  Initiator,
  type FlowSide,
  TcpState,
} from '../../packet/flow-record.ts';
import { Ports } from '../../packet/innermost.ts';
import { putU32 } from '../../wire/bytes.ts';
import { TUPLE_MAX_LEN, writeTuple } from '../../wire/community-id.ts';
import { IpProtocol } from '../../wire/ip-protocol.ts';
import { AnalysisTally } from '../analysis-tally.ts';
import { capturedBytes, clearCounters, packets, wireBytes } from './flow-counters.ts';
import { identityHalf } from './flow-hash.ts';
import {
  BAD_CHECKSUMS,
  DIRECTION_MASK,
  DIRECTION_SHIFT,
  DUPLICATES,
  ENDPOINT_HIGH,
  ENDPOINT_LOW,
  FIRST_FROM_HIGH,
  FIRST_NANOSECONDS,
  FIRST_SECONDS,
  FRAGMENTS,
  HIGH,
  HIGH_REST,
  INITIATOR_MASK,
  INITIATOR_SHIFT,
  KIND,
  KIND_IPV6,
  KIND_MIRROR_IPV6,
  KIND_PORTS_MASK,
  KIND_PORTS_SHIFT,
  KIND_PROTOCOL,
  KIND_VLAN_MASK,
  KIND_VLAN_SHIFT,
  LANE_KEY,
  LAST_NANOSECONDS,
  LAST_SECONDS,
  LOW,
  LOW_REST,
  MIRROR_REST,
  MIRROR_SOURCE,
  NAMES,
  NESTED_ID,
  NESTED_PATH,
  PACKETS,
  PARTIAL_CHECKSUMS,
  PORTS,
  ROW_WORDS,
  SEQUENCE,
  SEQUENCE_MAX,
  SOURCE_IS_HIGH,
  START_NANOSECONDS,
  START_SECONDS,
  STATE,
  TCP,
  TRUNCATED,
} from './flow-layout.ts';
import { LaneCache } from './lane-cache.ts';
import type { NameFinder } from './name-finder.ts';
import { isServicePort } from './service-ports.ts';
import type { TcpTracker } from './tcp-tracker.ts';

export interface FlowReporterOptions {
  readonly words: Int32Array;
  readonly tcp: TcpTracker;
  readonly names: NameFinder | undefined;
  /** A row of `AnalysisTally`. */
  readonly tally: Float64Array;
  /** Takes a record, which is the reporter's again when it returns; undefined where nobody wants any. */
  readonly emit: ((record: FlowRecord) => void) | undefined;
  /** Base64 of SHA-1. */
  readonly sha1Base64: (bytes: Uint8Array) => string;
}

/** Tells what a row holds as a `FlowRecord`. Once a record, so it may allocate. */
export class FlowReporter {
  readonly #options: FlowReporterOptions;
  readonly #record = new FlowRecord();
  readonly #lanes = new LaneCache();
  readonly #addresses = Buffer.alloc(32);
  readonly #tuple = Buffer.alloc(TUPLE_MAX_LEN);

  constructor(options: FlowReporterOptions) {
    this.#options = options;
  }

  /** Emits what was counted since the last record, and begins to count anew. */
  report(row: number, reason: FlowEndReason): void {
    const { words, names, emit, tally } = this.#options;
    const at = row * ROW_WORDS;
    const record = this.#record;
    const sequence = words[at + SEQUENCE]! & SEQUENCE_MAX;
    if (sequence === 0) this.#chooseSource(at);
    const state = words[at + STATE]!;
    const source = (state & SOURCE_IS_HIGH) === 0 ? 0 : 1;
    record.initiator = ((state >>> INITIATOR_SHIFT) & INITIATOR_MASK) as Initiator;
    record.endReason = reason;
    record.direction = directionFrom(source, (state >>> DIRECTION_SHIFT) & DIRECTION_MASK);
    // what TCP has counted begins anew when it is told
    this.#fillCounters(at, source);
    if (emit !== undefined) {
      this.#fillKey(at, source);
      this.#fillTimes(at);
      record.sequence = sequence;
      record.names = names === undefined || words[at + NAMES] === 0 ? [] : names.names(words[at + NAMES]!);
    }

    if (sequence !== SEQUENCE_MAX) words[at + SEQUENCE]! += 1;
    clearCounters(words, at);
    words.fill(0, at + TRUNCATED, at + FRAGMENTS + 1);
    if (emit === undefined) return;
    tally[AnalysisTally.flowRecords]! += 1;
    emit(record);
  }

  /** Decides which side is the source of all records of the flow. */
  #chooseSource(at: number): void {
    const { words, tcp } = this.#options;
    const opener = isTcp(words, at) ? tcp.opener(words, at + TCP) : -1;
    let initiator: Initiator = Initiator.first;
    let isHigh = (words[at + STATE]! & FIRST_FROM_HIGH) !== 0;
    const kind = words[at + KIND]!;
    if (opener >= 0) {
      initiator = Initiator.syn;
      isHigh = opener === 1;
    } else if (hasServices(kind)) {
      const ports = words[at + PORTS]!;
      const lowIsService = isServicePort(ports >>> 16);
      if (lowIsService !== isServicePort(ports & 0xffff)) {
        initiator = Initiator.port;
        isHigh = lowIsService;
      }
    }
    words[at + STATE]! |= (isHigh ? SOURCE_IS_HIGH : 0) | (initiator << INITIATOR_SHIFT);
  }

  #fillKey(at: number, source: 0 | 1): void {
    const { words } = this.#options;
    const record = this.#record;
    const kind = words[at + KIND]!;
    record.ipVersion = (kind & KIND_IPV6) === 0 ? 4 : 6;
    record.protocol = kind & KIND_PROTOCOL;
    record.ports = ((kind >>> KIND_PORTS_SHIFT) & KIND_PORTS_MASK) as Ports;
    record.vlanId = ((kind >>> KIND_VLAN_SHIFT) & KIND_VLAN_MASK) - 1;
    record.nestedPath = words[at + NESTED_PATH]!;
    record.nestedId = words[at + NESTED_ID]! >>> 0;
    record.lane = this.#lanes.lane(
      words[at + LANE_KEY]!,
      words[at + ENDPOINT_HIGH]!,
      words[at + ENDPOINT_LOW]!,
    );
    record.mirrorSourceVersion = (kind & KIND_MIRROR_IPV6) === 0 ? 4 : 6;
    writeAddress(record.mirrorSource, words, at + MIRROR_SOURCE, at + MIRROR_REST);
    const low = source === 0 ? record.source : record.destination;
    const high = source === 0 ? record.destination : record.source;
    writeAddress(low.address, words, at + LOW, at + LOW_REST);
    writeAddress(high.address, words, at + HIGH, at + HIGH_REST);
    low.port = words[at + PORTS]! >>> 16;
    high.port = words[at + PORTS]! & 0xffff;
    record.communityId = this.#communityId();
    record.idHigh = identityHalf(words, at, 0);
    record.idLow = identityHalf(words, at, 1);
  }

  #communityId(): string {
    const { source, destination, ipVersion, protocol, ports } = this.#record;
    this.#addresses.set(source.address, 0);
    this.#addresses.set(destination.address, 16);
    const length = writeTuple(
      this.#tuple,
      0,
      this.#addresses,
      ipVersion,
      0,
      16,
      protocol,
      source.port,
      destination.port,
      ports === Ports.known,
    );
    return `1:${this.#options.sha1Base64(this.#tuple.subarray(0, length))}`;
  }

  #fillTimes(at: number): void {
    const { words } = this.#options;
    const record = this.#record;
    record.startSeconds = words[at + START_SECONDS]! >>> 0;
    record.startNanoseconds = words[at + START_NANOSECONDS]!;
    record.lastSeconds = words[at + LAST_SECONDS]! >>> 0;
    record.lastNanoseconds = words[at + LAST_NANOSECONDS]!;
    const isCounting = (words[at + PACKETS]! | words[at + PACKETS + 1]!) !== 0;
    record.firstSeconds = isCounting ? words[at + FIRST_SECONDS]! >>> 0 : record.lastSeconds;
    record.firstNanoseconds = isCounting ? words[at + FIRST_NANOSECONDS]! : record.lastNanoseconds;
    // the time stamps went back within the record
    if (isBefore(record.lastSeconds, record.lastNanoseconds, record.firstSeconds, record.firstNanoseconds)) {
      [record.firstSeconds, record.lastSeconds] = [record.lastSeconds, record.firstSeconds];
      [record.firstNanoseconds, record.lastNanoseconds] = [record.lastNanoseconds, record.firstNanoseconds];
    }
  }

  #fillCounters(at: number, source: 0 | 1): void {
    const { words, tcp } = this.#options;
    const record = this.#record;
    fillSide(record.source, words, at + source);
    fillSide(record.destination, words, at + 1 - source);
    record.truncatedPackets = words[at + TRUNCATED]! >>> 0;
    record.badChecksums = words[at + BAD_CHECKSUMS]! >>> 0;
    record.partialChecksums = words[at + PARTIAL_CHECKSUMS]! >>> 0;
    record.duplicatePackets = words[at + DUPLICATES]! >>> 0;
    record.fragments = words[at + FRAGMENTS]! >>> 0;
    record.tcpState = TcpState.none;
    record.history = '';
    record.serverRttUs = -1;
    record.clientRttUs = -1;
    record.oneSided = false;
    if (isTcp(words, at)) tcp.fill(words, at + TCP, source, record);
  }
}

export function isTcp(words: Int32Array, at: number): boolean {
  return (words[at + KIND]! & KIND_PROTOCOL) === IpProtocol.tcp;
}

/** Whether the ports are known, and their numbers say something of who serves. */
function hasServices(kind: number): boolean {
  if (((kind >>> KIND_PORTS_SHIFT) & KIND_PORTS_MASK) !== Ports.known) return false;
  const protocol = kind & KIND_PROTOCOL;
  return protocol !== IpProtocol.icmp && protocol !== IpProtocol.icmpv6;
}

/** @param lowDirection of what the lower endpoint sends */
function directionFrom(source: 0 | 1, lowDirection: number): Direction {
  if (lowDirection === Direction.unknown || source === 0) return lowDirection as Direction;
  return lowDirection === Direction.ingress ? Direction.egress : Direction.ingress;
}

/** Counters of one side; those of TCP are 0. `at`: the row's first word, plus the direction. */
function fillSide(side: FlowSide, words: Int32Array, at: number): void {
  side.packets = packets(words, at);
  side.wireBytes = wireBytes(words, at);
  side.capturedBytes = capturedBytes(words, at);
  side.tcpFlags = 0;
  side.retransmissions = 0;
  side.outOfOrder = 0;
  side.zeroWindows = 0;
  side.resets = 0;
  side.ackedBytes = 0;
  side.unseenBytes = 0;
}

/** Sixteen bytes: the rest is 0 for IPv4. */
function writeAddress(out: Uint8Array, words: Int32Array, at: number, restAt: number): void {
  putU32(out, 0, words[at]!);
  for (let i = 0; i < 3; i++) putU32(out, 4 + 4 * i, words[restAt + i]!);
}

function isBefore(
  seconds: number,
  nanoseconds: number,
  otherSeconds: number,
  otherNanoseconds: number,
): boolean {
  return seconds === otherSeconds ? nanoseconds < otherNanoseconds : seconds < otherSeconds;
}
