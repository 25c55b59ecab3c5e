/** Far more bytes than any parser of one header needs: reaching it means that a loop does not end. */
const READS_MAX = 10_000;

/**
 * A view of `bytes` that throws as soon as a byte outside `from .. end - 1` is read or anything is written,
 * and after READS_MAX reads. What surrounds the range is there in memory, as in a block full of packets.
 */
export function guardedBytes(bytes: Uint8Array, from: number, end: number): Uint8Array {
  let reads = 0;
  return new Proxy(bytes, {
    get(target, key) {
      const index = typeof key === 'string' ? Number(key) : Number.NaN;
      if (!Number.isInteger(index)) throw new Error(`asked for ${String(key)}, which is no byte`);
      if (index < from || index >= end) throw new Error(`read byte ${index}, outside ${from}..${end - 1}`);
      if (++reads > READS_MAX) throw new Error(`read more than ${READS_MAX} bytes`);
      return target[index];
    },
    set(_target, key) {
      throw new Error(`wrote byte ${String(key)}`);
    },
  });
}
