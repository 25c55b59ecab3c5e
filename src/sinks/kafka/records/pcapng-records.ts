import { BlockEntry, PacketBlockReader } from '../../../format/packet-block.ts';
import { Innermost } from '../../../packet/innermost.ts';
import { Encapsulation, encapsulationNames } from '../../../packet/lane.ts';
import { partitionOf } from '../../../wire/murmur2.ts';
import { headerNames } from '../header-names.ts';
import { BATCH_HEAD_BYTES, Batching, HEADER_HEAD_BYTES, RECORD_HEAD_BYTES, type Route } from './batching.ts';
import { FlowFacts } from './flow-facts.ts';
import { type LaneFacts, LaneTable } from './lane-facts.ts';
import { PcapngValue } from './pcapng-value.ts';
import type { Encoded, EncoderOptions, RecordEncoder } from './record-encoder.ts';
import { ownText } from './texts.ts';
import { TopicNames } from './topic-names.ts';
import { topicsOf } from './topics-of.ts';

/** Most digits of a partition's number, and the slash before them. */
const PARTITION_BYTES_MAX = 11;

/** A value's memory is so many times what the last one of its lane took: values differ a little. */
const SPARE = 1.125;

/** Packets of one lane that go to one partition. */
interface Part {
  readonly lane: LaneFacts;
  readonly route: Route;
  readonly partition: number;
  value: PcapngValue;
}

/** Headers that all records of a lane have, and what they take in a record. */
interface LaneHeaders {
  readonly headers: ReadonlyMap<Buffer, Buffer>;
  readonly bytes: number;
  /** What its next value will probably take. */
  valueBytes: number;
}

/**
 * Records of many packets: each value is a complete pcapng of one lane. A flow's packets go to the partition that its key
 * names, as they would one by one, and stay in their order there.
 */
export class PcapngRecords implements RecordEncoder {
  readonly #names: TopicNames;
  readonly #options: EncoderOptions;
  readonly #observer: Buffer;
  readonly #reader = new PacketBlockReader();
  readonly #innermost = new Innermost();
  readonly #lanes = new LaneTable();
  readonly #flows = new FlowFacts(undefined);
  readonly #laneHeaders = new WeakMap<LaneFacts, LaneHeaders>();
  /** Of the last packet. */
  #route: Route | undefined;
  #lane: LaneFacts | undefined;
  #parts: Part[] = [];

  constructor(topic: string, options: EncoderOptions) {
    this.#names = new TopicNames(topic);
    this.#options = options;
    this.#observer = ownText(options.observer);
  }

  topics(blocks: readonly Buffer[]): ReadonlySet<string> {
    return topicsOf(this.#names, this.#reader, blocks);
  }

  /** The blocks are free when it returns: values are copies. */
  encode(blocks: readonly Buffer[], partitions: ReadonlyMap<string, number>): Encoded {
    this.#lanes.trim();
    this.#route = undefined;
    const batching = new Batching(this.#names, this.#options.batchBytes, partitions);
    const parts = new Map<Route, Map<LaneFacts, Part[]>>();
    const reader = this.#reader;
    for (const block of blocks) {
      reader.begin(block);
      for (let entry = reader.next(); entry !== BlockEntry.end; entry = reader.next()) {
        const lane = entry === BlockEntry.packet ? this.#lanes.of(reader) : undefined;
        if (lane === undefined) batching.drop('damaged');
        else {
          const route = batching.route(reader.vni);
          if (route !== undefined) this.#addPacket(batching, parts, route, lane);
        }
      }
    }
    // partitions without packets are holes
    for (const byLane of parts.values())
      for (const byPartition of byLane.values()) byPartition.forEach((part) => this.#close(batching, part));
    return batching.encoded();
  }

  #addPacket(
    batching: Batching,
    parts: Map<Route, Map<LaneFacts, Part[]>>,
    route: Route,
    lane: LaneFacts,
  ): void {
    const reader = this.#reader;
    const { bytes, view, frameAt, frameEnd, seconds } = reader;
    const innermost = this.#innermost;
    this.#options.frames.read(bytes, view, frameAt, frameEnd, lane.lane.linkType, seconds, innermost);
    this.#flows.find(reader, lane, innermost);
    const partition = partitionOf(this.#flows.hash, route.partitions);

    // packets of a lane come in a row
    if (route !== this.#route || lane !== this.#lane) this.#parts = partsOf(parts, route, lane);
    this.#route = route;
    this.#lane = lane;
    const byPartition = this.#parts;
    let part = byPartition[partition];
    if (part === undefined) {
      part = { lane, route, partition, value: this.#newValue(lane) };
      byPartition[partition] = part;
    } else if (!part.value.takes(reader)) {
      this.#close(batching, part);
      part.value = this.#newValue(lane);
    }
    part.value.add(reader);
  }

  #newValue(lane: LaneFacts): PcapngValue {
    const keyBytes = lane.key.length + PARTITION_BYTES_MAX;
    const { bytes, valueBytes } = this.#headersOf(lane);
    const besides = BATCH_HEAD_BYTES + RECORD_HEAD_BYTES + keyBytes + bytes;
    return new PcapngValue(lane.lane, this.#options.batchBytes - besides, valueBytes);
  }

  /** Makes a record of what a part has so far. */
  #close(batching: Batching, { lane, route, partition, value }: Part): void {
    const ofLane = this.#headersOf(lane);
    const { headers, bytes } = ofLane;
    ofLane.valueBytes = Math.ceil(value.bytes.length * SPARE);
    const key = Buffer.from(`${lane.lane.name}/${partition}`);
    const record = { key, value: value.bytes, timestampMs: value.newestMs, headers, count: value.packets };
    batching.add(route, partition, record, key.length + record.value.length + bytes);
  }

  #headersOf(lane: LaneFacts): LaneHeaders {
    const known = this.#laneHeaders.get(lane);
    if (known !== undefined) return known;
    const { vni, encapsulation, gwlbEndpointId } = lane.lane;
    const headers = new Map<Buffer, Buffer>();
    if (vni !== null) headers.set(headerNames.vni, ownText(String(vni)));
    if (encapsulation !== Encapsulation.none)
      headers.set(headerNames.encapsulation, ownText(encapsulationNames[encapsulation] ?? ''));
    if (gwlbEndpointId !== undefined) headers.set(headerNames.gwlbEndpoint, ownText(gwlbEndpointId));
    headers.set(headerNames.observer, this.#observer);
    headers.set(headerNames.linkType, lane.linkType);
    let bytes = 0;
    for (const [name, value] of headers) bytes += HEADER_HEAD_BYTES + name.length + value.length;
    const made = { headers, bytes, valueBytes: 0 };
    this.#laneHeaders.set(lane, made);
    return made;
  }
}

/** Parts of a lane in a topic, by partition. */
function partsOf(parts: Map<Route, Map<LaneFacts, Part[]>>, route: Route, lane: LaneFacts): Part[] {
  let byLane = parts.get(route);
  if (byLane === undefined) parts.set(route, (byLane = new Map()));
  let byPartition = byLane.get(lane);
  if (byPartition === undefined) byLane.set(lane, (byPartition = []));
  return byPartition;
}
