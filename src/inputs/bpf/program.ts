import { assemble } from './assembler.ts';
import { ret } from './instructions.ts';

/**
 * A classic BPF program as the kernel takes it: `struct sock_filter` (linux/filter.h) after `struct sock_filter`, eight
 * bytes each, little-endian.
 */
export type Program = Uint8Array;

/** For a socket that only holds a port: whatever comes is dropped before it takes any memory. */
export const dropAll: Program = assemble([ret(0)]);
