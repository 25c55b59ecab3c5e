/** The hash of steering in the words of its documentation (`src/inputs/bpf/steering-hash.ts`), for tests to compare. */
import type { Conversation } from './steered.ts';

function fold(hash: number, word: number): number {
  const first = Math.imul(hash ^ word, 0x85ebca6b);
  return Math.imul(first ^ (first >>> 13), 0xc2b2ae35) >>> 0;
}

export function finish(hash: number): number {
  const mixed = fold(0, hash ^ (hash >>> 16));
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Of four bytes or sixteen. */
function ofAddress(address: Uint8Array): number {
  const bytes = Buffer.from(address);
  let hash = 0;
  for (let at = 0; at < bytes.length; at += 4) hash = fold(hash, bytes.readUInt32BE(at));
  return hash;
}

/** @param hasPorts whether the packet is one whose ports may be looked at */
export function expected(
  steering: 'flow' | 'flow-ports' | 'vni',
  { addresses, ports: [one, other] }: Conversation,
  hasPorts: boolean,
  vni: number,
): number {
  if (steering === 'vni') return finish(vni);
  const sum = ofAddress(addresses[0]) + ofAddress(addresses[1]);
  const both = steering === 'flow-ports' && hasPorts ? fold(0, one) + fold(0, other) : 0;
  return finish((sum + both) % 2 ** 32);
}

/** Of two addresses without ports. */
export function ofPair(one: Uint8Array, other: Uint8Array): number {
  return finish((ofAddress(one) + ofAddress(other)) % 2 ** 32);
}
