/** Offsets in the TCP header of what the tracker reads; see wire/tcp.ts. */
export const SEQUENCE = 4;
export const ACKNOWLEDGEMENT = 8;
/** Four bits, then the flags in the lower byte. */
export const DATA_OFFSET = 12;
export const WINDOW = 14;
export const WINDOW_END = 16;
