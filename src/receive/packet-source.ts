import { ABSENT, type Layers } from '../packet/layers.ts';

/** Odd numbers with their bits well mixed. */
const FACTOR = 0x85eb_ca6b | 0;
const NEXT_FACTOR = 0xc2b2_ae35 | 0;
const VNI_FACTOR = 0x9e37_79b1 | 0;

/**
 * Hash of who delivered a packet: mirror source, encapsulation, VNI and Gateway Load Balancer endpoint. Two sources are
 * taken for one once in 2^32 pairs.
 */
export function sourceOf(view: DataView, layers: Layers): number {
  let hash = sessionOf(layers);
  if (layers.hasEndpoint === 1) hash = next(next(hash, layers.endpointHigh), layers.endpointLow);
  const at = layers.mirrorSourceAt;
  if (at === ABSENT) return hash;
  hash = next(hash, view.getInt32(at));
  if (layers.mirrorSourceVersion !== 6) return hash;
  return next(next(next(hash, view.getInt32(at + 4)), view.getInt32(at + 8)), view.getInt32(at + 12));
}

/** Hash of encapsulation and VNI: different for any two of them. */
export function sessionOf(layers: Layers): number {
  return Math.imul((layers.encapsulation << 24) ^ layers.vni, VNI_FACTOR);
}

function next(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, FACTOR);
  return Math.imul(mixed ^ (mixed >>> 15), NEXT_FACTOR);
}
