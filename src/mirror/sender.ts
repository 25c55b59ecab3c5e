import { LinkType } from '../packet/link-type.ts';
import { encapsulate, headersLen } from './encapsulate.ts';
import type { MirrorSession } from './session.ts';
import { FlowHash } from './source-port.ts';
import { keptLen } from './truncate.ts';

/** Largest UDP payload over IPv4: 65,535 less the IP and UDP headers. Over IPv6 it would be 20 bytes more. */
export const DATAGRAM_MAX = 65_507;

/** Why a frame cannot be mirrored, by name. Datagrams that the kernel refuses are counted where they are sent. */
export interface MirrorDrops {
  /** The frame is not Ethernet: VXLAN carries nothing else. */
  linkType: number;
  /** Frame and headers are longer than a UDP datagram can be. */
  tooLong: number;
}

/**
 * One session at work: frame in, datagram out. Holds counters and no packet.
 *
 * `received = mirrored + Σ dropped`, at any moment.
 */
export class MirrorSender {
  readonly #session: MirrorSession;
  readonly #headersLen: number;
  readonly #flowHash = new FlowHash();

  /** Frames offered, and their bytes as captured. */
  received = 0;
  receivedBytes = 0;
  /** Frames that became a datagram. */
  mirrored = 0;
  /** Those of them that the session's packet length cut. */
  truncated = 0;
  readonly dropped: MirrorDrops = { linkType: 0, tooLong: 0 };
  /** Flow hash of the datagram that `mirror` wrote last, 0..0xffffffff: picks the source port. */
  hash = 0;

  constructor(session: MirrorSession) {
    this.#session = session;
    this.#headersLen = headersLen(session);
  }

  /** Bytes of the datagram that a frame of so many bytes becomes. */
  datagramLen(frameLen: number): number {
    return this.#headersLen + keptLen(frameLen, this.#session.packetLength);
  }

  /**
   * Counts a frame in and says whether it can be mirrored; if not it is counted as dropped.
   *
   * @param linkType what the frame begins with, a `LinkType`
   */
  accept(frameLen: number, linkType: number): boolean {
    this.received++;
    this.receivedBytes += frameLen;
    if (linkType !== LinkType.ethernet) {
      this.dropped.linkType++;
      return false;
    }
    if (this.datagramLen(frameLen) > DATAGRAM_MAX) {
      this.dropped.tooLong++;
      return false;
    }
    return true;
  }

  /**
   * Writes the frame `frameAt .. frameEnd - 1`, which `accept` took, as a datagram at `at` of `target` and returns
   * the offset just past it. `target` holds `datagramLen(frameEnd - frameAt)` bytes there. Sets `hash`.
   */
  mirror(frame: Uint8Array, frameAt: number, frameEnd: number, target: Uint8Array, at: number): number {
    const frameLen = frameEnd - frameAt;
    const kept = keptLen(frameLen, this.#session.packetLength);
    this.mirrored++;
    if (kept < frameLen) this.truncated++;
    this.hash = this.#flowHash.hash(frame, frameAt, frameEnd);
    return encapsulate(this.#session, frame, frameAt, frameAt + kept, this.hash, target, at);
  }
}
