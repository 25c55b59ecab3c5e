import { BlockEntry, PacketBlockReader } from '../../../format/packet-block.ts';
import { Innermost } from '../../../packet/innermost.ts';
import { encapsulationNames } from '../../../packet/lane.ts';
import { Mark } from '../../../packet/mark.ts';
import { Verdict, verdictNames } from '../../../packet/verdict.ts';
import { partitionOf } from '../../../wire/murmur2.ts';
import { headerNames } from '../header-names.ts';
import { Batching, HEADER_HEAD_BYTES, type Route } from './batching.ts';
import { FlowFacts } from './flow-facts.ts';
import { type LaneFacts, LaneTable } from './lane-facts.ts';
import { privateBlock } from './private-block.ts';
import type { Encoded, EncoderOptions, RecordEncoder } from './record-encoder.ts';
import { AddressTexts, NumberTexts, ownText } from './texts.ts';
import { TimeTexts } from './time-texts.ts';
import { TopicNames } from './topic-names.ts';
import { topicsOf } from './topics-of.ts';

const NANOSECONDS_A_MILLISECOND = 1_000_000;

const encapsulations: readonly Buffer[] = encapsulationNames.map(ownText);
const verdicts: readonly Buffer[] = verdictNames.map(ownText);
const TRUNCATED = ownText('1');
/** Said of a packet whose checksum was completed on the way: the rest of it is as it arrived. */
const CHANGED = ownText('checksum');

/** One record a packet: its value is the inner frame, its headers say what is known of it. */
export class FrameRecords implements RecordEncoder {
  readonly #names: TopicNames;
  readonly #options: EncoderOptions;
  readonly #observer: Buffer;
  readonly #reader = new PacketBlockReader();
  readonly #innermost = new Innermost();
  readonly #lanes = new LaneTable();
  readonly #flows: FlowFacts;
  readonly #numbers = new NumberTexts();
  readonly #addresses = new AddressTexts();
  readonly #times = new TimeTexts();
  /** Headers of the record in the making, and what they take in it. */
  #headers = new Map<Buffer, Buffer>();
  #headerBytes = 0;

  constructor(topic: string, options: EncoderOptions) {
    this.#names = new TopicNames(topic);
    this.#options = options;
    this.#observer = ownText(options.observer);
    this.#flows = new FlowFacts(options.sha1Base64);
  }

  topics(blocks: readonly Buffer[]): ReadonlySet<string> {
    return topicsOf(this.#names, this.#reader, blocks);
  }

  encode(blocks: readonly Buffer[], partitions: ReadonlyMap<string, number>): Encoded {
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
    this.#putHeaders(lane, isCut || reader.frameWireLen > frameEnd - frameAt);
    const { key, hash } = flows;
    const record = {
      key,
      value: bytes.subarray(frameAt, frameEnd),
      timestampMs: seconds * 1000 + ((nanoseconds / NANOSECONDS_A_MILLISECOND) | 0),
      headers: this.#headers,
      count: 1,
    };
    const recordBytes = key.length + frameEnd - frameAt + this.#headerBytes;
    batching.add(route, partitionOf(hash, route.partitions), record, recordBytes);
  }

  #putHeaders(lane: LaneFacts, isCut: boolean): void {
    const reader = this.#reader;
    const { encapsulation, mirrorSourceVersion: version, transportVerdict } = reader;
    const { communityId } = this.#flows;
    this.#headers = new Map();
    this.#headerBytes = 0;
    this.#put(headerNames.vni, this.#numbers.of(reader.vni));
    if (encapsulation !== 0) this.#put(headerNames.encapsulation, encapsulations[encapsulation]);
    this.#put(headerNames.gwlbEndpoint, lane.gwlbEndpoint);
    if (version === 4 || version === 6) {
      const text = this.#addresses.of(reader.bytes, reader.view, reader.mirrorSourceAt, version);
      this.#put(headerNames.mirrorSource, text);
    }
    this.#put(headerNames.observer, this.#observer);
    this.#put(headerNames.tsNs, this.#times.of(reader.seconds, reader.nanoseconds));
    this.#put(headerNames.wireLen, this.#numbers.of(reader.frameWireLen));
    this.#put(headerNames.linkType, lane.linkType);
    if (isCut) this.#put(headerNames.truncated, TRUNCATED);
    if (transportVerdict !== Verdict.none) this.#put(headerNames.checksum, verdicts[transportVerdict]);
    if (communityId.length > 0) this.#put(headerNames.communityId, communityId);
    if ((reader.marks & Mark.repaired) !== 0) this.#put(headerNames.changed, CHANGED);
  }

  #put(name: Buffer, value: Buffer | undefined): void {
    if (value === undefined) return;
    this.#headers.set(name, value);
    this.#headerBytes += HEADER_HEAD_BYTES + name.length + value.length;
  }
}
