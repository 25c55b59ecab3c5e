import { BlockEntry, PacketBlockReader } from '../../../format/packet-block.ts';
import { Innermost } from '../../../packet/innermost.ts';
import { partitionOf } from '../../../wire/murmur2.ts';
import { Batching, type Route } from './batching.ts';
import { FlowFacts } from './flow-facts.ts';
import { FrameHeaders } from './frame-headers.ts';
import { type LaneFacts, LaneTable } from './lane-facts.ts';
import { privateBlock } from './private-block.ts';
import type { Encoded, EncoderOptions, RecordEncoder } from './record-encoder.ts';
import { TopicNames } from './topic-names.ts';
import { topicsOf } from './topics-of.ts';

const NANOSECONDS_A_MILLISECOND = 1_000_000;

/** One record a packet: its value is the inner frame, its headers say what is known of it. */
export class FrameRecords implements RecordEncoder {
  readonly #names: TopicNames;
  readonly #options: EncoderOptions;
  readonly #reader = new PacketBlockReader();
  readonly #innermost = new Innermost();
  readonly #lanes = new LaneTable();
  readonly #flows: FlowFacts;
  readonly #headers: FrameHeaders;

  constructor(topic: string, options: EncoderOptions) {
    this.#names = new TopicNames(topic);
    this.#options = options;
    this.#headers = new FrameHeaders(options.observer);
    this.#flows = new FlowFacts(options.sha1Base64);
  }

  topics(blocks: readonly Buffer[]): ReadonlySet<string> {
    return topicsOf(this.#names, this.#reader, blocks);
  }

  encode(blocks: readonly Buffer[], partitions: ReadonlyMap<string, number>): Encoded {
    this.#lanes.trim();
    const batching = new Batching(this.#names, this.#options.batchBytes, partitions);
    const reader = this.#reader;
    for (const block of blocks) {
      reader.begin(privateBlock(block));
      for (let entry = reader.next(); entry !== BlockEntry.end; entry = reader.next()) {
        const lane = entry === BlockEntry.packet ? this.#lanes.of(reader) : undefined;
        if (lane === undefined) batching.drop('damaged');
        else {
          const route = batching.route(reader.vni);
          if (route !== undefined) this.#addPacket(batching, route, lane);
        }
      }
    }
    return batching.encoded();
  }

  #addPacket(batching: Batching, route: Route, lane: LaneFacts): void {
    const reader = this.#reader;
    const { bytes, view, frameAt, frameEnd, seconds, nanoseconds } = reader;
    const innermost = this.#innermost;
    const { frames } = this.#options;
    const isCut = frames.read(bytes, view, frameAt, frameEnd, lane.lane.linkType, seconds, innermost);
    const flows = this.#flows;
    flows.find(reader, lane, innermost);
    const { key, hash, communityId } = flows;
    const frameBytes = frameEnd - frameAt;
    const headers = this.#headers.make(reader, lane, isCut || reader.frameWireLen > frameBytes, communityId);
    const record = {
      key,
      value: bytes.subarray(frameAt, frameEnd),
      timestampMs: seconds * 1000 + ((nanoseconds / NANOSECONDS_A_MILLISECOND) | 0),
      headers,
      count: 1,
    };
    const recordBytes = key.length + frameBytes + headers.encoded.length;
    batching.add(route, partitionOf(hash, route.partitions), record, recordBytes);
  }
}
