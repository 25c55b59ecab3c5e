/**
 * Shared memory of the symmetry meter: 65,536 slots of 32 bits, one connection each. All workers write to it, the main
 * thread reads and clears it.
 *
 *   bit 16-31  the half of the connection's hash that is not the slot's number
 *   bit 10-15  the worker that saw it first
 *   bit 4      packets of one direction were seen
 *   bit 3      packets of the other direction were seen
 *   bit 2      another worker has seen packets of it too
 *   bit 1      TCP
 *   bit 0      a connection is here
 */
export const SLOTS = 65_536;

export const USED = 0x01;
export const TCP = 0x02;
export const SPLIT = 0x04;
export const FORWARD = 0x08;
export const BACKWARD = 0x10;
export const WORKER = 0xfc00;
export const WORKER_SHIFT = 10;
/** Workers that can be told apart. */
export const WORKERS_MAX = 64;
/** Of the hash: what a slot keeps. */
export const TAG = 0xffff_0000;

/** An empty sample. */
export function allocateSymmetry(): SharedArrayBuffer {
  return new SharedArrayBuffer(SLOTS * Int32Array.BYTES_PER_ELEMENT);
}

/** What a sample of connections says. */
export interface SymmetryReading {
  /** Connections in the sample, TCP and UDP. */
  readonly sampled: number;
  /** Those of which more than one worker has seen packets. */
  readonly split: number;
  /** TCP connections in the sample. */
  readonly tcp: number;
  /** Those of which packets of one direction only were seen. */
  readonly oneSided: number;
}

/** Reads the sample as it is now. */
export function readSymmetry(memory: SharedArrayBuffer): SymmetryReading {
  let [sampled, split, tcp, oneSided] = [0, 0, 0, 0];
  for (const word of new Int32Array(memory)) {
    if (word === 0) continue;
    sampled++;
    if ((word & SPLIT) !== 0) split++;
    if ((word & TCP) === 0) continue;
    tcp++;
    if ((word & FORWARD) === 0 || (word & BACKWARD) === 0) oneSided++;
  }
  return { sampled, split, tcp, oneSided };
}

/** Begins a new sample. */
export function clearSymmetry(memory: SharedArrayBuffer): void {
  new Int32Array(memory).fill(0);
}
