/** A flow table with all that it needs, and packets for it that are written down as their fields. */
import { createHash } from 'node:crypto';
import { PacketBatch } from '../../src/packet/batch.ts';
import {
  directionNames,
  flowEndReasonNames,
  type FlowRecord,
  type FlowSide,
  initiatorNames,
  tcpStateNames,
} from '../../src/packet/flow-record.ts';
import { Encapsulation } from '../../src/packet/lane.ts';
import { Innermost, Ports } from '../../src/packet/innermost.ts';
import { ABSENT, Layers } from '../../src/packet/layers.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import { Verdict } from '../../src/packet/verdict.ts';
import { ANALYSIS_TALLY_LENGTH } from '../../src/receive/analysis-tally.ts';
import { FlowTable, type FlowTableOptions, NOT_DUPLICATE } from '../../src/receive/flows/flow-table.ts';
import { LANE_COUNTERS_LENGTH } from '../../src/receive/lane-counters.ts';
import { formatAddress, parseAddress } from '../../src/wire/address.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';
import * as tcp from '../../src/wire/tcp.ts';
import * as udp from '../../src/wire/udp.ts';

/** What a test says of one packet; the rest is filled in. */
export interface FlowPacket {
  readonly from?: string;
  readonly to?: string;
  /** Source and destination; of ICMP type and code. Left out: the protocol has none. */
  readonly ports?: readonly [number, number];
  readonly portsUnknown?: boolean;
  readonly protocol?: number;
  /** Seconds since `FEED_SECONDS`; may have a fraction. */
  readonly time?: number;
  readonly vni?: number;
  readonly lane?: number;
  readonly source?: string;
  readonly endpoint?: readonly [number, number];
  readonly flags?: number;
  readonly sequence?: number;
  readonly acknowledgement?: number;
  readonly payload?: Uint8Array;
  /** Bytes of the IP packet before it was cut; by default what arrived. */
  readonly wireLen?: number;
  readonly vlan?: number;
  readonly path?: number;
  readonly nestedId?: number;
  readonly marks?: number;
  readonly fragment?: boolean;
  readonly truncated?: boolean;
  readonly transportVerdict?: Verdict;
  readonly ipVerdict?: Verdict;
  readonly duplicateOf?: number;
}

/** What packets of a feed count their time from. */
export const FEED_SECONDS = 1_795_233_600;

const SOURCE_AT = 0;
const ADDRESSES_AT = 16;
const TRANSPORT_AT = 48;
const BLOCK_BYTES = 65_536;

export type FlowFeedOptions = Partial<FlowTableOptions>;

/** A record as a test reads it: a copy. */
export type KeptRecord = ReturnType<typeof keep>;

export class FlowFeed {
  readonly records: KeptRecord[] = [];
  readonly tally: Float64Array = new Float64Array(ANALYSIS_TALLY_LENGTH);
  readonly laneCounters: Float64Array = new Float64Array(64 * LANE_COUNTERS_LENGTH);
  readonly table: FlowTable;
  readonly batch: PacketBatch = new PacketBatch(1, Buffer.alloc(BLOCK_BYTES));
  readonly layers = new Layers();
  readonly innermost = new Innermost();

  constructor(options: FlowFeedOptions = {}) {
    this.table = new FlowTable({
      maxFlows: 100,
      gaps: 100,
      idleSeconds: { tcp: 350, udp: 60, other: 30 },
      activeSeconds: 120,
      perVlan: false,
      tally: this.tally,
      laneCounters: this.laneCounters,
      lanes: { closedSlot: 63, isOf: () => true },
      emit: (record) => this.records.push(keep(record)),
      sha1Base64,
      names: undefined,
      ...options,
    });
  }

  /** Has the table see a packet; returns the slot of its flow. */
  see(packet: FlowPacket = {}): number {
    this.write(packet);
    return this.table.see(
      this.batch,
      0,
      this.layers,
      this.innermost,
      packet.lane ?? 0,
      packet.duplicateOf ?? NOT_DUPLICATE,
    );
  }

  /** Ends all flows; returns all records there were since the last call. */
  finish(): KeptRecord[] {
    while (this.table.end(1000) > 0);
    return this.records.splice(0);
  }

  expire(time: number, most: number = Infinity): number {
    return this.table.expire(FEED_SECONDS + time, most);
  }

  /** Writes a packet to slot 0 of the batch, and what steps before would have found out about it. */
  write(packet: FlowPacket): void {
    const time = packet.time ?? 0;
    this.batch.seconds[0] = FEED_SECONDS + Math.floor(time);
    this.batch.nanoseconds[0] = Math.round((time - Math.floor(time)) * 1e9);
    this.batch.marks[0] = packet.marks ?? 0;
    this.#writeLayers(packet);
    this.#writeInnermost(packet);
  }

  #writeLayers({ source = '10.0.9.1', vni = 42, endpoint, ...packet }: FlowPacket): void {
    const { layers } = this;
    layers.encapsulation = endpoint === undefined ? Encapsulation.vxlan : Encapsulation.geneveVxlan;
    layers.vni = vni;
    layers.hasEndpoint = endpoint === undefined ? 0 : 1;
    [layers.endpointHigh, layers.endpointLow] = endpoint ?? [0, 0];
    layers.linkType = LinkType.ethernet;
    layers.mirrorSourceAt = SOURCE_AT;
    layers.mirrorSourceVersion = this.#writeAddress(source, SOURCE_AT);
    layers.truncated = packet.truncated === true ? 1 : 0;
    layers.transportVerdict = packet.transportVerdict ?? Verdict.none;
    layers.ipVerdict = packet.ipVerdict ?? Verdict.none;
  }

  #writeInnermost(packet: FlowPacket): void {
    const { innermost } = this;
    const { from = '10.0.0.1', to = '10.0.0.2', protocol = IpProtocol.udp } = packet;
    innermost.ipVersion = this.#writeAddress(from, ADDRESSES_AT);
    this.#writeAddress(to, ADDRESSES_AT + 16);
    innermost.ipAt = ADDRESSES_AT;
    innermost.sourceAt = ADDRESSES_AT;
    innermost.destinationAt = ADDRESSES_AT + 16;
    innermost.protocol = protocol;
    innermost.end = this.#writeTransport(packet, protocol);
    innermost.wireLen = packet.wireLen ?? innermost.end - innermost.ipAt;
    innermost.fragment = packet.fragment === true ? 1 : 0;
    innermost.path = packet.path ?? 0;
    innermost.nestedId = packet.nestedId ?? 0;
    innermost.vlanId = packet.vlan ?? ABSENT;
  }

  /** Returns the end of the packet. */
  #writeTransport(packet: FlowPacket, protocol: number): number {
    const { innermost, batch } = this;
    const { payload = Buffer.alloc(0), portsUnknown = false } = packet;
    const hasPorts = protocol === IpProtocol.tcp || protocol === IpProtocol.udp;
    const ports = packet.ports ?? (hasPorts ? [40_000, 443] : undefined);
    innermost.ports = portsUnknown ? Ports.unknown : ports === undefined ? Ports.none : Ports.known;
    const isKnown = innermost.ports === Ports.known;
    const [sourcePort, destinationPort] = isKnown && ports !== undefined ? ports : [0, 0];
    innermost.sourcePort = sourcePort;
    innermost.destinationPort = destinationPort;
    innermost.transportAt = isKnown ? TRANSPORT_AT : ABSENT;
    let end = TRANSPORT_AT;
    if (protocol === IpProtocol.tcp && isKnown) {
      const { sequence = 0, acknowledgement = 0, flags = tcp.Flag.ack } = packet;
      end = tcp.emit(batch.bytes, end, sourcePort, destinationPort, sequence, acknowledgement, flags, 1000);
    } else if (protocol === IpProtocol.udp && isKnown) {
      end = udp.emit(batch.bytes, end, sourcePort, destinationPort, udp.HEADER_LEN + payload.length, 0);
    }
    batch.bytes.set(payload, end);
    return end + payload.length;
  }

  /** Returns the version. */
  #writeAddress(text: string, at: number): 4 | 6 {
    const address = parseAddress(text);
    if (address === undefined) throw new Error(`${text} is no address.`);
    this.batch.bytes.set(address.bytes, at);
    return address.bytes.length === 4 ? 4 : 6;
  }
}

function sha1Base64(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('base64');
}

function keep(record: FlowRecord) {
  return {
    source: keepSide(record.source, record.ipVersion),
    destination: keepSide(record.destination, record.ipVersion),
    mirrorSource: formatAddress(record.mirrorSource, 0, record.mirrorSourceVersion),
    lane: record.lane.name,
    communityId: record.communityId,
    protocol: record.protocol,
    ports: record.ports,
    ipVersion: record.ipVersion,
    initiator: initiatorNames[record.initiator],
    endReason: flowEndReasonNames[record.endReason],
    direction: directionNames[record.direction],
    first: record.firstSeconds - FEED_SECONDS + record.firstNanoseconds / 1e9,
    last: record.lastSeconds - FEED_SECONDS + record.lastNanoseconds / 1e9,
    start: record.startSeconds - FEED_SECONDS + record.startNanoseconds / 1e9,
    id: `${record.idHigh.toString(16)}:${record.idLow.toString(16)}`,
    sequence: record.sequence,
    packets: record.source.packets + record.destination.packets,
    truncatedPackets: record.truncatedPackets,
    badChecksums: record.badChecksums,
    partialChecksums: record.partialChecksums,
    duplicatePackets: record.duplicatePackets,
    fragments: record.fragments,
    tcpState: tcpStateNames[record.tcpState],
    history: record.history,
    vlanId: record.vlanId,
    nestedPath: record.nestedPath,
    nestedId: record.nestedId,
    names: record.names,
  };
}

function keepSide({ address, port, packets, wireBytes, capturedBytes, tcpFlags }: FlowSide, version: number) {
  return { ip: formatAddress(address, 0, version), port, packets, wireBytes, capturedBytes, tcpFlags };
}
