import { memory } from './constants.ts';
import { systemCallFailed } from './failure.ts';
import { systemCalls } from './library.ts';
import { checked } from './retry.ts';

/** What `mmap` returns instead of an address: MAP_FAILED of sys/mman.h, -1 as a pointer. */
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/**
 * Maps the memory behind a descriptor, such as a packet ring: shared with the kernel, to read and to write.
 *
 * @returns its address, the same in every thread of the process
 * @throws MirrorError `SYSTEM_CALL_FAILED`
 */
export function mapMemory(descriptor: number, bytes: number): bigint {
  const { mmap, errno } = systemCalls();
  const protection = memory.PROT_READ | memory.PROT_WRITE;
  const address = mmap(null, bytes, protection, memory.MAP_SHARED, descriptor, 0);
  if (BigInt.asUintN(64, address) === MAP_FAILED) throw systemCallFailed('mmap', errno(), `${bytes} bytes`);
  return address;
}

/**
 * The mapped memory itself, not a copy, in this thread. Touching it after `unmapMemory` ends the process.
 *
 * @param bytes the whole mapping, or less
 */
export function viewMemory(address: bigint, bytes: number): Buffer {
  return Buffer.from(systemCalls().view(address, bytes));
}

/**
 * Gives a mapping back; no view of it may be used any more, in any thread.
 *
 * @throws MirrorError `SYSTEM_CALL_FAILED`
 */
export function unmapMemory(address: bigint, bytes: number): void {
  const { munmap } = systemCalls();
  checked('munmap', () => munmap(address, bytes), `${bytes} bytes`);
}
