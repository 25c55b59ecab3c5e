import { putEpochNanoseconds } from '../../../format/epoch-nanoseconds.ts';
import type { PacketBlockReader } from '../../../format/packet-block.ts';
import { encapsulationNames } from '../../../packet/lane.ts';
import { Mark } from '../../../packet/mark.ts';
import { Verdict, verdictNames } from '../../../packet/verdict.ts';
import { copyBytes } from '../../../wire/copy.ts';
import { headerNames } from '../header-names.ts';
import { Arena } from './arena.ts';
import { type HeaderBeginning, HeaderList } from './header-list.ts';
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

/** Length and name of each, as they stand in a record: names are below 64 bytes. */
const ENCODED: readonly Buffer[] = ALL.map((name) => Buffer.concat([Buffer.of(name.length << 1), name]));
/** Most bytes of all headers together, besides the observer's name. */
const BYTES_MAX = 512;
/** Beginnings that are remembered, some 300 bytes each; past them all are forgotten. */
const BEGINNINGS_MAX = 16_384;
const LONG_FROM = 64;
const NO_SOURCE = ownText('');

const encapsulations: readonly Buffer[] = encapsulationNames.map(ownText);
const verdicts: readonly Buffer[] = verdictNames.map(ownText);
const TRUNCATED = ownText('1');
/** Said of a packet whose checksum was completed on the way: the rest of it is as it arrived. */
const CHANGED = ownText('checksum');

/** The headers up to the observer's name: packets that one interface has sent have them all the same. */
interface Beginning extends HeaderBeginning {
  readonly vni: number;
  readonly encapsulation: number;
  readonly shape: number;
}

/** Makes the headers of frame records. */
export class FrameHeaders {
  readonly #observer: Buffer;
  readonly #bytesMax: number;
  readonly #numbers = new NumberTexts();
  readonly #addresses = new AddressTexts();
  readonly #arena = new Arena();
  /** Names of headers by a number that has a bit for each of them, 1 for the first of `ALL`. */
  readonly #names: (readonly Buffer[] | undefined)[] = Array.from(
    { length: 1 << ALL.length },
    () => undefined,
  );
  /** By lane and the text of the mirror source. */
  readonly #beginnings = new Map<LaneFacts, Map<Buffer, Beginning>>();
  #beginningCount = 0;
  /** Of the headers in the making. */
  #out: Buffer = NO_SOURCE;
  #end = 0;
  #shape = 0;

  constructor(observer: string) {
    this.#observer = ownText(observer);
    this.#bytesMax = BYTES_MAX + this.#observer.length;
  }

  /**
   * Headers of the packet that the reader has found.
   *
   * @param communityId empty without
   */
  make(reader: PacketBlockReader, lane: LaneFacts, isCut: boolean, communityId: Buffer): HeaderList {
    const { transportVerdict, marks } = reader;
    const beginning = this.#beginningOf(reader, lane);
    const { encoded, shape } = beginning;
    const arena = this.#arena;
    const at = arena.reserve(this.#bytesMax);
    this.#out = arena.bytes;
    this.#end = copyBytes(encoded, 0, encoded.length, this.#out, at);
    this.#shape = shape;
    this.#putTime(reader.seconds, reader.nanoseconds);
    this.#put(At.wireLen, this.#numbers.of(reader.frameWireLen));
    this.#put(At.linkType, lane.linkType);
    if (isCut) this.#put(At.truncated, TRUNCATED);
    if (transportVerdict !== Verdict.none) this.#put(At.checksum, verdicts[transportVerdict]);
    if (communityId.length > 0) this.#put(At.communityId, communityId);
    if ((marks & Mark.repaired) !== 0) this.#put(At.changed, CHANGED);
    const names = this.#names[this.#shape] ?? this.#newNames();
    return new HeaderList(names, arena.take(at, this.#end), beginning);
  }

  #beginningOf(reader: PacketBlockReader, lane: LaneFacts): Beginning {
    const { vni, encapsulation, mirrorSourceVersion: version } = reader;
    const source =
      version === 4 || version === 6
        ? this.#addresses.of(reader.bytes, reader.view, reader.mirrorSourceAt, version)
        : NO_SOURCE;
    const known = this.#beginnings.get(lane)?.get(source);
    // packets past the lane limit share a lane, and have VNIs of their own
    if (known !== undefined && known.vni === vni && known.encapsulation === encapsulation) return known;
    return this.#newBeginning(vni, encapsulation, lane, source);
  }

  #newBeginning(vni: number, encapsulation: number, lane: LaneFacts, source: Buffer): Beginning {
    const out = Buffer.alloc(this.#bytesMax);
    this.#out = out;
    this.#end = 0;
    this.#shape = 0;
    this.#put(At.vni, this.#numbers.of(vni));
    if (encapsulation !== 0) this.#put(At.encapsulation, encapsulations[encapsulation]);
    this.#put(At.gwlbEndpoint, lane.gwlbEndpoint);
    if (source !== NO_SOURCE) this.#put(At.mirrorSource, source);
    this.#put(At.observer, this.#observer);
    const encoded = Buffer.alloc(this.#end);
    out.copy(encoded);
    const shape = this.#shape;
    const count = ALL.filter((_, index) => (shape & (1 << index)) !== 0).length;
    const made = { vni, encapsulation, encoded, count, shape };
    if (++this.#beginningCount > BEGINNINGS_MAX) {
      this.#beginnings.clear();
      this.#beginningCount = 1;
    }
    const ofLane = this.#beginnings.get(lane) ?? new Map<Buffer, Beginning>();
    this.#beginnings.set(lane, ofLane.set(source, made));
    return made;
  }

  #putTime(seconds: number, nanoseconds: number): void {
    this.#putName(At.tsNs);
    const at = this.#end;
    // at most 20 digits: their number takes a byte
    this.#end = putEpochNanoseconds(this.#out, at + 1, seconds, nanoseconds);
    this.#out[at] = (this.#end - at - 1) << 1;
  }

  #put(at: (typeof At)[keyof typeof At], value: Buffer | undefined): void {
    if (value === undefined) return;
    this.#putName(at);
    const out = this.#out;
    const { length } = value;
    let end = this.#end;
    if (length < LONG_FROM) out[end++] = length << 1;
    else {
      out[end++] = ((length << 1) & 0x7f) | 0x80;
      out[end++] = length >>> 6;
    }
    for (let i = 0; i < length; i++) out[end + i] = value[i] ?? 0;
    this.#end = end + length;
  }

  #putName(at: (typeof At)[keyof typeof At]): void {
    const name = ENCODED[at] ?? NO_SOURCE;
    const out = this.#out;
    const end = this.#end;
    for (let i = 0; i < name.length; i++) out[end + i] = name[i] ?? 0;
    this.#end = end + name.length;
    this.#shape |= 1 << at;
  }

  #newNames(): readonly Buffer[] {
    const names = ALL.filter((_, index) => (this.#shape & (1 << index)) !== 0);
    this.#names[this.#shape] = names;
    return names;
  }
}
