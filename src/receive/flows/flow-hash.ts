import {
  ENDPOINT_HIGH,
  ENDPOINT_LOW,
  HIGH,
  KIND,
  KIND_IPV6,
  KIND_MIRROR_IPV6,
  LANE_KEY,
  LOW,
  LOW_REST,
  MIRROR_SOURCE,
  NESTED_ID,
  NESTED_PATH,
  PORTS,
  START_NANOSECONDS,
  START_SECONDS,
} from './flow-layout.ts';

const ANY_IPV6 = KIND_IPV6 | KIND_MIRROR_IPV6;
const REST_WORDS = 9;
const MULTIPLIERS = 24;
/** Steps of the sequence that the multipliers are made of: 2 ** 32 divided by the golden ratio. */
const GOLDEN = 0x9e37_79b9;

/**
 * Hash of a flow's key: each word times an odd number of its own, folded, and the sum mixed once more.
 *
 * The numbers follow from a seed. Who sends the mirrored traffic may choose its addresses and ports so that the keys of many
 * flows meet in one place of the index: not without knowing the seed.
 */
export class FlowHash {
  readonly #multipliers = new Int32Array(MULTIPLIERS);

  constructor(seed: number) {
    for (let i = 0; i < MULTIPLIERS; i++) {
      this.#multipliers[i] = finish(seed + Math.imul(i + 1, GOLDEN)) | 1;
    }
  }

  /** Hash of the key in the row at `at`, 32 bits. */
  of(words: Int32Array, at: number): number {
    const factors = this.#multipliers;
    let sum =
      fold(words[at + PORTS]!, factors[0]!) +
      fold(words[at + LOW]!, factors[1]!) +
      fold(words[at + HIGH]!, factors[2]!) +
      fold(words[at + LANE_KEY]!, factors[3]!) +
      fold(words[at + MIRROR_SOURCE]!, factors[4]!) +
      fold(words[at + KIND]!, factors[5]!);
    sum |= 0;
    if (words[at + NESTED_PATH] !== 0) {
      sum =
        (sum + fold(words[at + NESTED_PATH]!, factors[6]!) + fold(words[at + NESTED_ID]!, factors[7]!)) | 0;
    }
    if ((words[at + ENDPOINT_HIGH]! | words[at + ENDPOINT_LOW]!) !== 0) {
      sum =
        (sum + fold(words[at + ENDPOINT_HIGH]!, factors[8]!) + fold(words[at + ENDPOINT_LOW]!, factors[9]!)) |
        0;
    }
    if ((words[at + KIND]! & ANY_IPV6) !== 0) {
      for (let i = 0; i < REST_WORDS; i++)
        sum = (sum + fold(words[at + LOW_REST + i]!, factors[10 + i]!)) | 0;
    }
    return finish(sum);
  }
}

const identities = [new FlowHash(0x6964_6869), new FlowHash(0x6964_6c6f)] as const;

/** One half of the number that all records of a flow share, 32 bits: of its key and the time of its first packet. */
export function identityHalf(words: Int32Array, at: number, half: 0 | 1): number {
  const start = Math.imul(words[at + START_SECONDS]!, GOLDEN) ^ words[at + START_NANOSECONDS]!;
  return finish(identities[half].of(words, at) ^ finish(start + half)) >>> 0;
}

function fold(word: number, factor: number): number {
  const product = Math.imul(word, factor);
  return product ^ (product >>> 15);
}

/** Spreads all bits over all bits: the finaliser of MurmurHash3. */
function finish(sum: number): number {
  let mixed = sum ^ (sum >>> 16);
  mixed = Math.imul(mixed, 0x85eb_ca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}
