/**
 * The block itself, or a copy where it is memory that threads share: views of that go to libraries, which may look for
 * an ArrayBuffer, and hand memory on to the kernel or to threads of their own.
 */
export function privateBlock(block: Buffer): Buffer {
  if (!(block.buffer instanceof SharedArrayBuffer)) return block;
  const copy = Buffer.allocUnsafeSlow(block.length);
  block.copy(copy);
  return copy;
}
