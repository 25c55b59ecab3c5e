import * as flowRecord from '../../packet/flow-record.ts';
import type { Innermost } from '../../packet/innermost.ts';
import * as tcp from '../../wire/tcp.ts';
import * as history from './history.ts';
import type { LossCounter } from './loss-counter.ts';
import * as sequences from './sequence.ts';
import * as tcpFields from './tcp-fields.ts';
import { countRetransmission, isProbe } from './tcp-repeats.ts';
import { sideAt } from './tcp-words.ts';
import * as tcpWords from './tcp-words.ts';

// for speed: see "Constants" in src/README.md
const { TcpState } = flowRecord;
const { Flag, HEADER_LEN } = tcp;
const { Letter } = history;
const { JUMP_MAX } = sequences;
const { ACKNOWLEDGEMENT, DATA_OFFSET, SEQUENCE, WINDOW, WINDOW_END } = tcpFields;
const { LETTER_BIT_SHIFT, Phase, SideBit, SideWord, Word } = tcpWords;

/** Flags that change what state the connection is in. */
const CONTROL = Flag.syn | Flag.fin | Flag.rst;
const ACK_LETTER = 1 << (LETTER_BIT_SHIFT + Letter.ack);
/** Bits of a side that has sent more than a SYN. */
const ORDINARY = SideBit.known | SideBit.active;
/** Of the first bits, `UNEVEN…`, a side without gaps has the second ones only: for next data, old data, an acknowledgement. */
const UNEVEN = SideBit.data | SideBit.gapCount | SideBit.openEnd;
const UNEVEN_OLD = SideBit.data | SideBit.gapCount;
const EVEN_ACK = SideBit.data | SideBit.ackKnown;
const UNEVEN_ACK = EVEN_ACK | SideBit.gapCount | SideBit.askedOnce | SideBit.askedTwice;

/**
 * Takes what nearly every packet is: in an open connection without gaps the next data, data that was seen before, or an
 * acknowledgement. False, with nothing done, for any other. What follows in `TcpTracker` does the same, and costs twice as
 * much; a test compares them.
 */
export function seePlain(
  words: Int32Array,
  at: number,
  direction: number,
  view: DataView,
  innermost: Innermost,
  lane: number,
  us: number,
  loss: LossCounter,
): boolean {
  const tcpAt = innermost.transportAt;
  if (tcpAt < 0 || tcpAt + WINDOW_END > innermost.end || innermost.fragment === 1) return false;
  const lengthAndFlags = view.getUint16(tcpAt + DATA_OFFSET);
  const headerLen = (lengthAndFlags >>> 12) << 2;
  const len = innermost.wireLen - (tcpAt - innermost.ipAt) - headerLen;
  const flags = lengthAndFlags & 0xff;
  const own = sideAt(at, direction);
  const bits = words[own + SideWord.bits]!;
  if (headerLen < HEADER_LEN || len < 0 || ((flags & CONTROL) | (flags & ~bits)) !== 0) return false;
  if ((flags & Flag.ack) === 0 || (bits & ORDINARY) !== ORDINARY) return false;
  if ((words[at + Word.state]! & Phase.state) < TcpState.established) return false;
  if (view.getUint16(tcpAt + WINDOW) === 0) return false;

  const ack = view.getInt32(tcpAt + ACKNOWLEDGEMENT);
  const sequence = view.getInt32(tcpAt + SEQUENCE);
  const peer = sideAt(at, 1 - direction);
  let isRepeated = false;
  if (len === 0) {
    if ((bits & ACK_LETTER) === 0 || ((sequence - words[own + SideWord.next]!) | 0) > 0) return false;
  } else if (!isNext(words, own, sequence, len)) {
    if (!isOld(words, own, sequence, len)) return false;
    isRepeated = true;
  }
  if (!saysNothing(words, peer, ack, len) && !acknowledgeNext(words, peer, ack, lane, loss)) return false;
  if (isRepeated) {
    const below = (words[own + SideWord.next]! - sequence) | 0;
    if (!isProbe(below, len)) countRetransmission(words, at, direction);
  } else if (len > 0) {
    step(words, own, sequence, len, us);
  }
  return true;
}

/**
 * Whether data is what nearly all data is: next in a side that has had some, with no gap, nothing acknowledged before it
 * came, and no need to look farther.
 */
function isNext(words: Int32Array, side: number, sequence: number, len: number): boolean {
  return (
    words[side + SideWord.next]! === sequence &&
    (words[side + SideWord.bits]! & UNEVEN) === SideBit.data &&
    ((words[side + SideWord.acked]! - sequence) | 0) <= 0 &&
    ((sequence + len - words[side + SideWord.base]!) | 0) <= JUMP_MAX
  );
}

function step(words: Int32Array, side: number, sequence: number, len: number, us: number): void {
  words[side + SideWord.next] = (sequence + len) | 0;
  words[side + SideWord.advancedUs] = us;
}

/** Whether all of this data was seen before, in a side without gaps. */
function isOld(words: Int32Array, side: number, sequence: number, len: number): boolean {
  const below = (words[side + SideWord.next]! - sequence) | 0;
  return (
    below >= len &&
    below <= JUMP_MAX &&
    (words[side + SideWord.bits]! & UNEVEN_OLD) === SideBit.data &&
    ((sequence - words[side + SideWord.base]!) | 0) >= 0
  );
}

/** Whether an acknowledgement, in a segment with `len` bytes, tells nothing that the other side had not said before. */
function saysNothing(words: Int32Array, side: number, ack: number, len: number): boolean {
  const bits = words[side + SideWord.bits]!;
  const news = (ack - words[side + SideWord.acked]!) | 0;
  if (news > 0 || (bits & SideBit.ackKnown) === 0) return false;
  // said again, it asks for what is in the first gap
  return news < 0 || len > 0 || (bits & SideBit.gapCount) === 0;
}

/** Takes an acknowledgement of more data of a side without gaps; false, with nothing done, for any other. */
function acknowledgeNext(
  words: Int32Array,
  side: number,
  ack: number,
  lane: number,
  loss: LossCounter,
): boolean {
  const acked = words[side + SideWord.acked]!;
  const news = (ack - acked) | 0;
  if (news <= 0 || (words[side + SideWord.bits]! & UNEVEN_ACK) !== EVEN_ACK) return false;
  const ahead = (ack - words[side + SideWord.next]!) | 0;
  if (ahead > 0 || ahead < -JUMP_MAX || ((acked - words[side + SideWord.base]!) | 0) < 0) return false;
  words[side + SideWord.acked] = ack;
  loss.addAcked(words, side, news, lane);
  return true;
}
