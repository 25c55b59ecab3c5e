import { MirrorError } from '../observe/error.ts';

/** A UDP port that cannot be received on. */
export function bindFailed(address: string, port: number, cause: unknown): MirrorError {
  const message = `Cannot receive UDP on ${address} port ${port}.`;
  return new MirrorError('UDP_BIND_FAILED', message, { address, port }, { cause });
}
