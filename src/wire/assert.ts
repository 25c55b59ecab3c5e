/** Thrown when the program itself is wrong: never for what a packet, a file or a user says. */
export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure';
}

/** States what must hold whatever the input. A failure stops the worker, which is then started anew. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}
