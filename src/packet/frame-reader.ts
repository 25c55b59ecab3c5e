import type { Innermost } from './innermost.ts';
import type { LinkType } from './link-type.ts';

/** Reads frames outside the receiver: for sinks that must know whose packet they have. `app` hands it in. */
export interface FrameReader {
  /**
   * Finds the innermost IP packet of a frame, as flows do; later fragments get the ports of the first.
   *
   * @param seconds when the packet came, seconds since the epoch
   * @returns whether the frame is cut: its IP length promises more than is here, or it ends inside its Ethernet, VLAN or
   *   IP header
   */
  read(
    bytes: Buffer,
    view: DataView,
    frameAt: number,
    frameEnd: number,
    linkType: LinkType,
    seconds: number,
    innermost: Innermost,
  ): boolean;
}
