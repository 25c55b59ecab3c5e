import { TcpState } from '../../packet/flow-record.ts';
import { Flag } from '../../wire/tcp.ts';
import { Phase, SideBit, SideWord, Word } from './tcp-words.ts';

/** How far from the next expected sequence number a SYN, FIN or RST may lie and be of the connection: 16 MiB. */
const NEAR_MAX = 0x100_0000;
/** How far a SYN may come behind its own data: the largest window without scaling. */
export const LATE_SYN_MAX = 0xffff;

/**
 * Whether a SYN or SYN-ACK begins another connection than the one that the words are of.
 *
 * Never where it repeats the first one's sequence number, where that fits right before the data that was seen first (it
 * comes late), or where it is the one that the other side has acknowledged already (its answer overtook it). Else a
 * connection that is closed or reset makes room for any; a SYN that nobody has answered for none (it is one more try);
 * an open one for a SYN that lies outside its window (RFC 9293 section 3.10.7.4 would have it answered by an ACK alone:
 * the end of the old connection was not seen here, or an address translator gave the ports away).
 */
export function isAnother(
  words: Int32Array,
  at: number,
  own: number,
  flags: number,
  sequence: number,
): boolean {
  const bits = words[own + SideWord.bits]!;
  const first = (sequence + 1) | 0;
  const isKnown = (bits & SideBit.known) !== 0;
  const isAckKnown = (bits & SideBit.ackKnown) !== 0;
  const base = words[own + SideWord.base]!;
  const acked = words[own + SideWord.acked]!;
  if (isKnown && (base - first) >>> 0 <= LATE_SYN_MAX) return false;
  if (isAckKnown && acked === first) return false;

  const state = words[at + Word.state]! & Phase.state;
  if (state === TcpState.closed || state === TcpState.reset) return true;
  if ((flags & Flag.ack) !== 0 || state === TcpState.none || state === TcpState.synSent) return false;
  if (isKnown) return ((first - base) | 0) < 0 || ((first - words[own + SideWord.next]!) | 0) > NEAR_MAX;
  return isAckKnown && Math.abs((first - acked) | 0) > NEAR_MAX;
}

/** Whether a FIN or RST with this sequence number may be of the connection. */
export function isNear(words: Int32Array, own: number, sequence: number): boolean {
  if ((words[own + SideWord.bits]! & SideBit.known) === 0) return true;
  return Math.abs((sequence - words[own + SideWord.next]!) | 0) <= NEAR_MAX;
}
