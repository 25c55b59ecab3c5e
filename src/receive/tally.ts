import { FAULT_COUNT } from '../wire/fault.ts';

/**
 * The packet ledger of one worker, a row of 64-bit floats in shared memory: the worker alone writes it.
 *
 * Each bucket is two numbers, packets at the index named here and UDP payload bytes (0 for a packet that is
 * not UDP) right after it. At any moment
 * `received = delivered + notTunnel + filtered… + duplicate + Σ fault + held + lost`.
 */
export const Tally = {
  received: 0,
  delivered: 2,
  notTunnel: 4,
  /** The outer source address is not among `admission.sources`. */
  filteredSource: 6,
  /** The mirror source is not among `admission.mirrorSources`. */
  filteredMirrorSource: 8,
  /** The VNI is not among `admission.vnis`. */
  filteredVni: 10,
  duplicate: 12,
  held: 14,
  /** Taken in by a worker that died before it had put them into another bucket. Written by the main thread. */
  lost: 16,
  /** Counted besides the buckets: a reserved bit was set, and ignored. */
  reservedBits: 18,
  /** Counted besides the buckets: GENEVE without VXLAN inside. */
  geneveOnly: 20,
  /** Bytes of the outer packets as the input saw them, headers included. One number, no packets. */
  inputBytes: 22,
  /** The first of the faults: `fault + 2 * Fault.x`. */
  fault: 24,
} as const;

/** Floats in a row. */
export const TALLY_LENGTH = Tally.fault + 2 * FAULT_COUNT;

/** Counts one packet of `bytes` UDP payload bytes in a bucket. */
export function count(row: Float64Array, bucket: number, bytes: number): void {
  row[bucket]! += 1;
  row[bucket + 1]! += bytes;
}

/** Packets in the buckets of the ledger, all but `received`. */
export function settled(row: Float64Array, offset: 0 | 1): number {
  let sum =
    row[Tally.delivered + offset]! +
    row[Tally.notTunnel + offset]! +
    row[Tally.filteredSource + offset]! +
    row[Tally.filteredMirrorSource + offset]! +
    row[Tally.filteredVni + offset]! +
    row[Tally.duplicate + offset]! +
    row[Tally.held + offset]! +
    row[Tally.lost + offset]!;
  for (let fault = 0; fault < FAULT_COUNT; fault++) sum += row[Tally.fault + 2 * fault + offset]!;
  return sum;
}
