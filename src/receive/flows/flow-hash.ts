import { needsEndpoint } from '../lane-key.ts';
import * as layout from './flow-layout.ts';

// for speed: see "Constants" in src/README.md
const {
  ENDPOINT_HIGH,
  ENDPOINT_LOW,
  HIGH,
  KIND,
  KIND_HAS_REST,
  LANE_KEY,
  LOW,
  LOW_REST,
  MIRROR_SOURCE,
  NESTED_ID,
  NESTED_PATH,
  ORDINAL_SHIFT,
  PORTS,
  SEQUENCE,
  START_NANOSECONDS,
  START_SECONDS,
} = layout;

const REST_WORDS = 9;
/** Steps of the sequence that the multipliers are made of: 2 ** 32 divided by the golden ratio. */
const GOLDEN = 0x9e37_79b9;

/**
 * Hash of a flow's key: each word, folded, times an odd number of its own, and the sum of these mixed once more.
 *
 * The numbers follow from a seed. Who sends the mirrored traffic may choose its addresses and ports so that the keys of many
 * flows meet in one place of the index: not without knowing the seed. For words that are chosen so freely one product does not
 * do: keys that differ in the upper bits of two of them alone share few sums, whatever the seed. So these are folded and
 * multiplied twice.
 */
export class FlowHash {
  // the second product of a word has a number of its own
  readonly #ports: number;
  readonly #ports2: number;
  readonly #low: number;
  readonly #low2: number;
  readonly #high: number;
  readonly #high2: number;
  readonly #kind: number;
  readonly #laneKey: number;
  readonly #mirrorSource: number;
  readonly #endpointHigh: number;
  readonly #endpointHigh2: number;
  readonly #endpointLow: number;
  readonly #endpointLow2: number;
  /** Of the words of the key's rest, two each. */
  readonly #rest: Int32Array;

  constructor(seed: number) {
    const factor = (i: number): number => finish(seed + Math.imul(i + 1, GOLDEN)) | 1;
    this.#ports = factor(0);
    this.#ports2 = factor(1);
    this.#low = factor(2);
    this.#low2 = factor(3);
    this.#high = factor(4);
    this.#high2 = factor(5);
    this.#kind = factor(6);
    this.#laneKey = factor(7);
    this.#mirrorSource = factor(8);
    this.#endpointHigh = factor(9);
    this.#endpointHigh2 = factor(10);
    this.#endpointLow = factor(11);
    this.#endpointLow2 = factor(12);
    this.#rest = Int32Array.from({ length: 2 * (REST_WORDS + 2) }, (_, i) => factor(13 + i));
  }

  /** Hash of a key without a rest, 32 bits. */
  ofPlain(
    ports: number,
    low: number,
    high: number,
    kind: number,
    laneKey: number,
    mirrorSource: number,
    endpointHigh: number,
    endpointLow: number,
  ): number {
    let sum =
      (mix(ports, this.#ports, this.#ports2) +
        mix(low, this.#low, this.#low2) +
        mix(high, this.#high, this.#high2) +
        fold(kind, this.#kind) +
        fold(laneKey, this.#laneKey) +
        fold(mirrorSource, this.#mirrorSource)) |
      0;
    if (needsEndpoint(laneKey))
      sum =
        (sum +
          mix(endpointHigh, this.#endpointHigh, this.#endpointHigh2) +
          mix(endpointLow, this.#endpointLow, this.#endpointLow2)) |
        0;
    return finish(sum);
  }

  /** Hash of the key in the row at `at`, 32 bits. */
  of(words: Int32Array, at: number): number {
    const hash = this.ofPlain(
      words[at + PORTS]!,
      words[at + LOW]!,
      words[at + HIGH]!,
      words[at + KIND]!,
      words[at + LANE_KEY]!,
      words[at + MIRROR_SOURCE]!,
      words[at + ENDPOINT_HIGH]!,
      words[at + ENDPOINT_LOW]!,
    );
    if ((words[at + KIND]! & KIND_HAS_REST) === 0) return hash;
    let sum = this.#mixRest(words[at + NESTED_PATH]!, REST_WORDS);
    sum = (sum + this.#mixRest(words[at + NESTED_ID]!, REST_WORDS + 1)) | 0;
    for (let i = 0; i < REST_WORDS; i++) sum = (sum + this.#mixRest(words[at + LOW_REST + i]!, i)) | 0;
    return finish(hash + sum);
  }

  #mixRest(word: number, i: number): number {
    return mix(word, this.#rest[2 * i]!, this.#rest[2 * i + 1]!);
  }
}

const identities = [new FlowHash(0x6964_6869), new FlowHash(0x6964_6c6f)] as const;
const SECONDS_FACTORS = [0x9e37_79b1, 0x85eb_ca77] as const;
const NANOSECONDS_FACTORS = [0xc2b2_ae3d, 0x27d4_eb2f] as const;
const ORDINAL_FACTORS = [0x1656_67b1, 0xd6e8_feb9] as const;

/**
 * One half of the number that all records of a flow share, 32 bits: of its key, the time of its first packet, and the last bits
 * of the number of flows before it, which tell those apart that one moment saw begin and end.
 */
export function identityHalf(words: Int32Array, at: number, half: 0 | 1): number {
  const seconds = Math.imul(words[at + START_SECONDS]!, SECONDS_FACTORS[half]);
  const nanoseconds = Math.imul(words[at + START_NANOSECONDS]!, NANOSECONDS_FACTORS[half]);
  const ordinal = Math.imul(words[at + SEQUENCE]! >>> ORDINAL_SHIFT, ORDINAL_FACTORS[half]);
  return finish(identities[half].of(words, at) + finish(seconds + nanoseconds + ordinal)) >>> 0;
}

/** The upper half goes into the lower one first: a product has nothing in its lower bits but what they had. */
function fold(word: number, factor: number): number {
  return Math.imul(word ^ (word >>> 16), factor);
}

function mix(word: number, factor: number, secondFactor: number): number {
  return fold(fold(word, factor), secondFactor);
}

/** Spreads all bits over all bits. */
function finish(sum: number): number {
  const mixed = Math.imul(sum ^ (sum >>> 15), 0x85eb_ca6b);
  return mixed ^ (mixed >>> 15);
}
