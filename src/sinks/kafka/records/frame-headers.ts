import { EPOCH_NANOSECONDS_BYTES_MAX, putEpochNanoseconds } from '../../../format/epoch-nanoseconds.ts';
import type { PacketBlockReader } from '../../../format/packet-block.ts';
import { encapsulationNames } from '../../../packet/lane.ts';
import { Mark } from '../../../packet/mark.ts';
import { Verdict, verdictNames } from '../../../packet/verdict.ts';
import { headerNames } from '../header-names.ts';
import { Arena } from './arena.ts';
import { HEADER_HEAD_BYTES } from './batching.ts';
import { HeaderList } from './header-list.ts';
import type { LaneFacts } from './lane-facts.ts';
import { AddressTexts, NumberTexts, ownText } from './texts.ts';

/** All headers in their order; a record has some of them. */
const ALL: readonly Buffer[] = Object.values(headerNames);
/** Places in it. */
const At = {
  vni: 0,
  encapsulation: 1,
  gwlbEndpoint: 2,
  mirrorSource: 3,
  observer: 4,
  tsNs: 5,
  wireLen: 6,
  linkType: 7,
  truncated: 8,
  checksum: 9,
  communityId: 10,
  changed: 11,
} as const satisfies Record<keyof typeof headerNames, number>;

const encapsulations: readonly Buffer[] = encapsulationNames.map(ownText);
const verdicts: readonly Buffer[] = verdictNames.map(ownText);
const TRUNCATED = ownText('1');
/** Said of a packet whose checksum was completed on the way: the rest of it is as it arrived. */
const CHANGED = ownText('checksum');

/** What records with the same headers share. Its number has a bit for each of them, 1 for the first of `ALL`. */
interface Shape {
  readonly names: readonly Buffer[];
  /** What the headers take in a record besides their values. */
  readonly bytes: number;
}

/** Makes the headers of frame records. */
export class FrameHeaders {
  /** Of the headers made last: bytes that they take in a record, at most. */
  bytes = 0;
  readonly #observer: Buffer;
  readonly #numbers = new NumberTexts();
  readonly #addresses = new AddressTexts();
  readonly #times = new Arena();
  readonly #shapes: (Shape | undefined)[] = Array.from({ length: 1 << ALL.length }, () => undefined);
  /** Of the record in the making. */
  readonly #values: Buffer[] = [...ALL];
  #count = 0;
  #shape = 0;

  constructor(observer: string) {
    this.#observer = ownText(observer);
  }

  /**
   * Headers of the packet that the reader has found.
   *
   * @param communityId empty without
   */
  make(reader: PacketBlockReader, lane: LaneFacts, isCut: boolean, communityId: Buffer): HeaderList {
    const { encapsulation, mirrorSourceVersion: version, transportVerdict, marks } = reader;
    this.#count = 0;
    this.#shape = 0;
    this.bytes = 0;
    this.#put(At.vni, this.#numbers.of(reader.vni));
    if (encapsulation !== 0) this.#put(At.encapsulation, encapsulations[encapsulation]);
    this.#put(At.gwlbEndpoint, lane.gwlbEndpoint);
    if (version === 4 || version === 6)
      this.#put(
        At.mirrorSource,
        this.#addresses.of(reader.bytes, reader.view, reader.mirrorSourceAt, version),
      );
    this.#put(At.observer, this.#observer);
    this.#put(At.tsNs, this.#timeText(reader.seconds, reader.nanoseconds));
    this.#put(At.wireLen, this.#numbers.of(reader.frameWireLen));
    this.#put(At.linkType, lane.linkType);
    if (isCut) this.#put(At.truncated, TRUNCATED);
    if (transportVerdict !== Verdict.none) this.#put(At.checksum, verdicts[transportVerdict]);
    if (communityId.length > 0) this.#put(At.communityId, communityId);
    if ((marks & Mark.repaired) !== 0) this.#put(At.changed, CHANGED);
    const shape = this.#shapes[this.#shape] ?? this.#newShape();
    this.bytes += shape.bytes;
    return new HeaderList(shape.names, this.#values.slice(0, this.#count));
  }

  #put(at: (typeof At)[keyof typeof At], value: Buffer | undefined): void {
    if (value === undefined) return;
    this.#values[this.#count++] = value;
    this.#shape |= 1 << at;
    this.bytes += value.length;
  }

  #timeText(seconds: number, nanoseconds: number): Buffer {
    const times = this.#times;
    const at = times.reserve(EPOCH_NANOSECONDS_BYTES_MAX);
    return times.take(at, putEpochNanoseconds(times.bytes, at, seconds, nanoseconds));
  }

  #newShape(): Shape {
    const names = ALL.filter((_, index) => (this.#shape & (1 << index)) !== 0);
    const shape = { names, bytes: names.reduce((sum, { length }) => sum + length + HEADER_HEAD_BYTES, 0) };
    this.#shapes[this.#shape] = shape;
    return shape;
  }
}
