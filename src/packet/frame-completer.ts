import type { Block } from '../wire/block.ts';
import type { LinkType } from './link-type.ts';

/** What a frame has lost. */
export const Lost = {
  /** Nothing, as far as it says itself. */
  nothing: 0,
  /** Bytes of its end: its IP length promises more than arrived. */
  data: 1,
  /** It ends inside its Ethernet, VLAN, IP, TCP, UDP or ICMP header: nobody knows what would have come. */
  header: 2,
} as const;
export type Lost = (typeof Lost)[keyof typeof Lost];

/** Says that a frame cannot be given the wanted length. */
export const NO_FRAME = -1;

/**
 * Makes packets that nothing refuses out of those that were cut: for sinks that hand them to programs which do. `app`
 * hands it in. Allocates nothing.
 */
export interface FrameCompleter {
  /** Looks at a frame; what the other calls do, they do with a copy of this one, which must still lie there. */
  look(source: Block, frameAt: number, frameEnd: number, linkType: LinkType): Lost;

  /** Says whether the frame that was written last is shorter than it was before anything cut it. */
  readonly wasShortened: boolean;

  /**
   * Writes the frame as long as its IP length says, zeros for what is missing, with right checksums. Where that were more
   * than `bytesMax`, it is made so long, and its IP and UDP lengths say so.
   *
   * @param target has room for `bytesMax` bytes at `at`
   * @returns one past its last byte, or NO_FRAME where it has lost headers, they do not fit, or it is no IP packet and too long
   */
  pad(target: Block, at: number, bytesMax: number): number;

  /**
   * Writes what arrived of the frame, at most `bytesMax` bytes, with IP and UDP lengths that say so and right checksums.
   * TCP options that were cut in two are left out; a fragment that others follow keeps a multiple of 8 bytes.
   *
   * @returns as `pad`
   */
  shorten(target: Block, at: number, bytesMax: number): number;
}
