import type { Fault } from '../../src/wire/fault.ts';

/** What the receiver is to do with a packet: deliver it, leave it alone, or refuse it for this fault. */
export type Outcome = 'delivered' | 'notTunnel' | Exclude<keyof typeof Fault, 'none'>;

/** A packet that lies, is cut or does not belong here, and what becomes of it. */
export interface HostilePacket {
  readonly what: string;
  readonly outcome: Outcome;
  readonly bytes: Buffer;
  /** Bytes the packet had where the capture cut it. */
  readonly wireLen?: number;
}

/** A copy with some bytes changed. */
export function changed(bytes: Buffer, change: (bytes: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
}
