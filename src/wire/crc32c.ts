/**
 * CRC-32C (Castagnoli): polynomial 0x1EDC6F41, reflected, initial value and final XOR all ones. RFC 3720 section 12.1 has
 * it for iSCSI; Kafka's record batches carry it.
 *
 * Eight bytes a step, by eight tables ("slicing by 8"): table k says what a byte does that is followed by k more.
 */
const POLYNOMIAL = 0x82f63b78;
const TABLE_LEN = 256;
const SLICES = 8;

const table = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(SLICES * TABLE_LEN);
  for (let byte = 0; byte < TABLE_LEN; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = TABLE_LEN; at < tables.length; at++) {
    const shorter = tables[at - TABLE_LEN]!;
    tables[at] = (shorter >>> 8) ^ tables[shorter & 0xff]!;
  }
  return tables;
}

/** Checksum of the bytes from `at` up to `end`, unsigned. */
export function crc32c(bytes: Uint8Array, at: number, end: number): number {
  let crc = -1;
  let next = at;
  for (const last = end - SLICES; next <= last; next += SLICES) {
    const low =
      crc ^ (bytes[next]! | (bytes[next + 1]! << 8) | (bytes[next + 2]! << 16) | (bytes[next + 3]! << 24));
    crc =
      table[0x700 + (low & 0xff)]! ^
      table[0x600 + ((low >>> 8) & 0xff)]! ^
      table[0x500 + ((low >>> 16) & 0xff)]! ^
      table[0x400 + (low >>> 24)]! ^
      table[0x300 + bytes[next + 4]!]! ^
      table[0x200 + bytes[next + 5]!]! ^
      table[0x100 + bytes[next + 6]!]! ^
      table[bytes[next + 7]!]!;
  }
  for (; next < end; next++) crc = (crc >>> 8) ^ table[(crc ^ bytes[next]!) & 0xff]!;
  return ~crc >>> 0;
}
