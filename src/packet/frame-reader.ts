import type { Innermost } from './innermost.ts';
import type { LinkType } from './link-type.ts';

/** Reads frames outside the receiver: for sinks that must know whose packet they have. `app` hands it in. */
export interface FrameReader {
  /**
   * Finds the innermost IP packet of a frame, as flows do; later fragments get the ports of the first.
   *
   * @param seconds when the packet came, seconds since the epoch
   */
  read(
    bytes: Buffer,
    view: DataView,
    frameAt: number,
    frameEnd: number,
    linkType: LinkType,
    seconds: number,
    innermost: Innermost,
  ): void;
}
