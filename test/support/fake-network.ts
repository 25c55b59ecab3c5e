import { constants } from 'node:os';
import { MirrorError } from '../../src/observe/error.ts';
import type { FrameVector } from '../../src/native/frame-vector.ts';
import { iovec, mmsghdr, sockaddrLl } from '../../src/native/layout.ts';
import { loadNative, systemCalls } from '../../src/native/library.ts';
import type { FoundInterface, Network } from '../../src/sinks/inject/network.ts';
import type { InjectSettings } from '../../src/sinks/inject/settings.ts';

/** Settings of a sink of kind `inject`: the defaults, and these. */
export function injecting(some: Partial<InjectSettings> = {}): InjectSettings {
  return { interface: 'mirror0', maxInterfaces: 64, cut: 'pad', vlan: 'none', vlans: [], ...some };
}

/** A frame as the kernel would have got it. */
export interface SentFrame {
  readonly to: number;
  readonly frame: Buffer;
}

/**
 * Network interfaces that are none: what is sent is read from where the kernel would have read it. Interfaces have the
 * numbers 1, 2, 3 … in the order of `interfaces`, unless a test says otherwise.
 */
export class FakeNetwork implements Network {
  readonly sent: SentFrame[] = [];
  /** Longest IP packet by name; a name that is not here is none. */
  readonly mtus: Map<string, number>;
  /** Error that every frame is refused with; by the number of the interface. */
  readonly refusals = new Map<number, number>();
  /** So many calls more find no room; Infinity: all. */
  fullCalls = 0;
  /** Most frames that a call takes. */
  atATime = Infinity;
  opened = 0;
  closed = 0;
  calls = 0;
  /** Names that were asked for. */
  readonly asked: string[] = [];

  constructor(mtus: Readonly<Record<string, number>> = { mirror0: 9001 }) {
    this.mtus = new Map(Object.entries(mtus));
  }

  async open(): Promise<void> {
    await loadNative();
    this.opened++;
  }

  find(name: string): FoundInterface {
    this.asked.push(name);
    const mtuBytes = this.mtus.get(name);
    if (mtuBytes === undefined)
      throw new MirrorError('INTERFACE_UNKNOWN', 'There is none.', { interface: name });
    return { index: [...this.mtus.keys()].indexOf(name) + 1, mtuBytes };
  }

  send(vector: FrameVector, from: number, count: number): number {
    this.calls++;
    if (this.fullCalls > 0) {
      this.fullCalls--;
      return 0;
    }
    const most = Math.min(count, this.atATime);
    for (let i = 0; i < most; i++) {
      const one = readMessage(vector, from + i);
      const errno = this.refusals.get(one.to);
      if (errno !== undefined) return i === 0 ? -errno : i;
      this.sent.push(one);
    }
    return most;
  }

  close(): void {
    this.closed++;
  }

  /** The interface is taken away: its number is of none. */
  goAway(name: string): void {
    this.refusals.set(this.find(name).index, constants.errno.ENXIO);
    this.mtus.delete(name);
  }

  /** It is made anew. */
  comeBack(name: string, mtuBytes: number): void {
    this.mtus.set(name, mtuBytes);
    this.refusals.delete(this.find(name).index);
  }

  /** Frames that were sent, to all interfaces or one of them. */
  frames(to?: number): Buffer[] {
    return this.sent.filter((one) => to === undefined || one.to === to).map(({ frame }) => frame);
  }
}

/** Message `i` as sendmmsg reads it: its address, and all its pieces one after the other. */
function readMessage({ bytes }: FrameVector, i: number): SentFrame {
  const at = i * mmsghdr.bytes;
  const name = memory(bytes.readBigUInt64LE(at + mmsghdr.at['msg_hdr.msg_name']), sockaddrLl.bytes);
  const count = Number(bytes.readBigUInt64LE(at + mmsghdr.at['msg_hdr.msg_iovlen']));
  const vectors = memory(bytes.readBigUInt64LE(at + mmsghdr.at['msg_hdr.msg_iov']), count * iovec.bytes);
  const pieces = Array.from({ length: count }, (_, piece) => {
    const length = Number(vectors.readBigUInt64LE(piece * iovec.bytes + iovec.at.iov_len));
    return memory(vectors.readBigUInt64LE(piece * iovec.bytes + iovec.at.iov_base), length);
  });
  return { to: name.readInt32LE(sockaddrLl.at.sll_ifindex), frame: Buffer.concat(pieces) };
}

function memory(address: bigint, bytes: number): Buffer {
  return bytes === 0 ? Buffer.alloc(0) : Buffer.from(systemCalls().view(address, bytes));
}
