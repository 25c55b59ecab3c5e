import { type Innermost, Ports } from '../../packet/innermost.ts';
import { ABSENT } from '../../packet/layers.ts';
import { IpProtocol } from '../../wire/ip-protocol.ts';
import * as tcp from '../../wire/tcp.ts';

const SEQUENCE = 4;
/** Header length in words in the upper four bits, flags in the lower eight. */
const LENGTH_AND_FLAGS = 12;
/** Bytes of a TCP header down to its flags: what has to be there of a packet that is put in order. */
const NEEDED_LEN = 14;
const COUNTED_FLAGS = tcp.Flag.syn | tcp.Flag.fin;

/**
 * Where a TCP packet has its place in its stream. One instance serves all packets of a worker.
 *
 * Sequence numbers here are signed 32-bit integers: the difference of two, cut to 32 bits, says which comes first
 * (RFC 9293 section 3.4), whatever their signs.
 */
export class Segment {
  /** Of the first byte, or of the SYN. */
  sequence = 0;
  /** That of the byte after the last one, SYN and FIN counted. */
  end = 0;
  flags = 0;

  /**
   * Says whether the packet has a place in a stream that can be told, and reads it. How many bytes it carried is taken
   * from the IP header, for the frame may have been cut: no more than the first 14 bytes of the TCP header are needed.
   */
  read(view: DataView, innermost: Innermost): boolean {
    const at = innermost.transportAt;
    if (innermost.protocol !== IpProtocol.tcp || innermost.ports !== Ports.known) return false;
    if (innermost.fragment === 1 || at === ABSENT || at + NEEDED_LEN > innermost.end) return false;
    const lengthAndFlags = view.getUint16(at + LENGTH_AND_FLAGS);
    const headerLen = (lengthAndFlags >>> 12) * 4;
    const dataLen = innermost.ipAt + innermost.wireLen - at - headerLen;
    if (headerLen < tcp.HEADER_LEN || dataLen < 0) return false;

    const flags = lengthAndFlags & 0xff;
    const sequence = view.getInt32(at + SEQUENCE);
    this.flags = flags;
    this.sequence = sequence;
    this.end = (sequence + dataLen + ((flags & COUNTED_FLAGS) === 0 ? 0 : countedOf(flags))) | 0;
    return true;
  }
}

function countedOf(flags: number): number {
  return ((flags & tcp.Flag.syn) === 0 ? 0 : 1) + ((flags & tcp.Flag.fin) === 0 ? 0 : 1);
}
