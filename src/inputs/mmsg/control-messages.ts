import { level, socketOption } from '../../native/constants.ts';
import { cmsghdr, timespec } from '../../native/layout.ts';
import type { MessageVector } from '../../native/messages.ts';

/** Control messages begin at multiples of this (`CMSG_ALIGN` of sys/socket.h). */
const ALIGNMENT = 8;
const DROPS_BYTES = 4;

/** Room for what the kernel says of one datagram: the time of its arrival, and the drops before it. */
export const CONTROL_BYTES = aligned(cmsghdr.bytes + timespec.bytes) + aligned(cmsghdr.bytes + DROPS_BYTES);

/**
 * What the kernel says beside a datagram, as options of its socket ask for it (socket(7)).
 *
 * SO_TIMESTAMPNS brings a `struct timespec`: on 64-bit Linux its seconds have 64 bits, so the option of that name which
 * is known to every kernel does, and the newer one with `_NEW` says the same. SO_RXQ_OVFL brings a 32-bit count of
 * dropped packets, from the first that was dropped on.
 */
export class ControlMessages {
  /** Says whether the kernel told the time. */
  hasTime = false;
  /** Arrival: whole seconds since the epoch, to 2106. */
  seconds = 0;
  /** Arrival: nanoseconds within the second. */
  nanoseconds = 0;
  /**
   * Packets that the socket had dropped when the datagram arrived, modulo 2^32. Stays as it is where the kernel does not
   * say, which means 0 of one that has dropped nothing yet.
   */
  drops = 0;

  /** Reads those of message `i`. */
  read(vector: MessageVector, i: number): void {
    const { view } = vector;
    let at = vector.controlAt(i);
    const end = at + vector.controlLength(i);
    this.hasTime = false;
    while (at + cmsghdr.bytes <= end) {
      // a size_t, of which the kernel needs no more than the low half
      const bytes = view.getUint32(at + cmsghdr.at.cmsg_len, true);
      if (bytes < cmsghdr.bytes) return;
      if (view.getInt32(at + cmsghdr.at.cmsg_level, true) === level.SOL_SOCKET) {
        this.#take(view, view.getInt32(at + cmsghdr.at.cmsg_type, true), at + cmsghdr.bytes);
      }
      at += aligned(bytes);
    }
  }

  #take(view: DataView, type: number, dataAt: number): void {
    if (type === socketOption.SO_TIMESTAMPNS) {
      this.hasTime = true;
      this.seconds = view.getUint32(dataAt + timespec.at.tv_sec, true);
      this.nanoseconds = view.getUint32(dataAt + timespec.at.tv_nsec, true);
    } else if (type === socketOption.SO_RXQ_OVFL) {
      this.drops = view.getUint32(dataAt, true);
    }
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
