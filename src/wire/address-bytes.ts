/** Bytes of an address of this version: 4 or 16; 0 for any other version, of which no address is known. */
export function addressBytes(version: number): number {
  return version === 4 ? 4 : version === 6 ? 16 : 0;
}
