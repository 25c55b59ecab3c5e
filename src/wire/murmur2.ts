/**
 * MurmurHash2 of 32 bits as Kafka's Java clients compute it to choose the partition of a key: seed 0x9747b28c, words
 * little-endian. Source: Apache Kafka, `org.apache.kafka.common.utils.Utils.murmur2` and `toPositive`.
 */

const SEED = 0x9747_b28c;
const FACTOR = 0x5bd1_e995;
const ROTATION = 24;

/** The hash of all bytes, with a sign: -2^31 .. 2^31 - 1. */
export function murmur2(key: Uint8Array): number {
  const { length } = key;
  const wordsEnd = length & ~3;
  let hash = SEED ^ length;
  for (let at = 0; at < wordsEnd; at += 4) {
    const word = key[at]! | (key[at + 1]! << 8) | (key[at + 2]! << 16) | (key[at + 3]! << 24);
    const mixed = Math.imul(word, FACTOR);
    hash = Math.imul(hash, FACTOR) ^ Math.imul(mixed ^ (mixed >>> ROTATION), FACTOR);
  }
  if (wordsEnd < length) {
    for (let at = length - 1; at >= wordsEnd; at--) hash ^= key[at]! << (8 * (at - wordsEnd));
    hash = Math.imul(hash, FACTOR);
  }
  hash = Math.imul(hash ^ (hash >>> 13), FACTOR);
  return hash ^ (hash >>> 15);
}

/** The partition, 0 .. partitions - 1, of a key with this hash: what the default partitioner of Java clients chooses. */
export function partitionOf(hash: number, partitions: number): number {
  return (hash & 0x7fff_ffff) % partitions;
}
