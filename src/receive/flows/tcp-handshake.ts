import { TcpState } from '../../packet/flow-record.ts';
import { Flag } from '../../wire/tcp.ts';
import { Letter, note } from './history.ts';
import type { TcpStream } from './tcp-stream.ts';
import { countHigh, countLow, Phase, SideBit, SideWord, Word } from './tcp-words.ts';

/** Bits of what `TcpTracker.see` returns. */
export const TcpEvent = {
  none: 0,
  /** The second side has sent FIN. */
  closed: 1,
  /** A RST ended the connection. */
  reset: 2,
  /** The packet begins a new connection with the addresses and ports of an old one, and was not noted. */
  reopened: 4,
} as const;

/** How far from the next expected sequence number a SYN, FIN or RST may lie and be of the connection: 16 MiB. */
const NEAR_MAX = 0x100_0000;
/** How far a SYN may come behind its own data: the largest window without scaling. */
const LATE_SYN_MAX = 0xffff;

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

/** Notes a SYN or SYN-ACK that is of this connection. */
export function takeSyn(
  words: Int32Array,
  at: number,
  own: number,
  peer: number,
  direction: number,
  flags: number,
  sequence: number,
  us: number,
  stream: TcpStream,
): void {
  const isAnswer = (flags & Flag.ack) !== 0;
  note(words, at, own, direction, isAnswer ? Letter.synAck : Letter.syn);
  const wasSeen = (words[own + SideWord.bits]! & Flag.syn) !== 0;
  place(words, own, (sequence + 1) | 0, wasSeen, stream);

  let state = words[at + Word.state]!;
  if ((state & (Phase.openedBy0 | Phase.openedBy1)) === 0) {
    state |= openedBy(isAnswer ? 1 - direction : direction);
  }
  const hasOpened = (state & openedBy(direction)) !== 0;
  if ((state & Phase.shaken) === 0) {
    if (isAnswer) state = timeAnswer(words, at, own, peer, state, us);
    // a first SYN behind its answer tells no time
    else if (wasSeen || (words[peer + SideWord.bits]! & Flag.syn) === 0) {
      state |= Phase.awaitsSynAck;
      words[own + SideWord.advancedUs] = us;
    }
  }
  words[at + Word.state] = withState(state, afterSyn(state & Phase.state, isAnswer, hasOpened));
}

/** Where the side's data begins, as its SYN says. */
function place(words: Int32Array, own: number, first: number, wasSeen: boolean, stream: TcpStream): void {
  const bits = words[own + SideWord.bits]!;
  const hasData = (bits & SideBit.data) !== 0;
  const below = (words[own + SideWord.base]! - first) | 0;
  if ((bits & SideBit.known) === 0) {
    stream.start(words, own, first);
  } else if (wasSeen && below === 0) {
    countLow(words, own + SideWord.retransmissions);
  } else if (below >= 0 && below <= LATE_SYN_MAX) {
    countLow(words, own + SideWord.outOfOrder);
    if (!hasData) stream.start(words, own, first);
    else if (below > 0) stream.lead(words, own, first);
  } else if (!hasData) {
    // one more try with another number
    stream.start(words, own, first);
    words[own + SideWord.bits]! &= ~SideBit.ackKnown;
  }
}

/** Round-trip time of the server: from the latest SYN to the first SYN-ACK after it. */
function timeAnswer(
  words: Int32Array,
  at: number,
  own: number,
  peer: number,
  state: number,
  us: number,
): number {
  if ((state & Phase.awaitsSynAck) !== 0) {
    words[at + Word.serverRttUs] = elapsed(us, words[peer + SideWord.advancedUs]!);
  }
  words[own + SideWord.advancedUs] = us;
  return (state & ~Phase.awaitsSynAck) | Phase.awaitsAck;
}

function afterSyn(state: number, isAnswer: boolean, hasOpened: boolean): number {
  if (state === TcpState.none) return isAnswer ? TcpState.synReceived : TcpState.synSent;
  if (state === TcpState.synSent) return isAnswer || !hasOpened ? TcpState.synReceived : state;
  // both sides have opened, and both answer
  if (state === TcpState.synReceived && isAnswer && hasOpened) return TcpState.established;
  return state;
}

/** Notes a segment without SYN and RST: the end of the handshake, or a connection that was there before. */
export function takeEstablished(
  words: Int32Array,
  at: number,
  own: number,
  peer: number,
  direction: number,
  len: number,
  ack: number,
  us: number,
): void {
  let state = words[at + Word.state]!;
  const isFirst = (words[own + SideWord.bits]! & SideBit.active) === 0;
  const isOpener = (state & openedBy(direction)) !== 0;
  words[own + SideWord.bits]! |= SideBit.active;
  if (isOpener && isFirst && (state & Phase.awaitsAck) !== 0) {
    // data that the server sent without waiting has taken the place of the time of its SYN-ACK
    const isTimed = (words[peer + SideWord.bits]! & SideBit.data) === 0;
    if (isTimed && ack === words[peer + SideWord.next]!) {
      words[at + Word.clientRttUs] = elapsed(us, words[peer + SideWord.advancedUs]!);
    }
    state |= Phase.shaken;
  }
  const before = state & Phase.state;
  let after = before;
  if (before === TcpState.none) after = TcpState.established;
  else if (before <= TcpState.synReceived) {
    if (isOpener || len > 0) after = TcpState.established;
    else after = TcpState.synReceived;
  }
  words[at + Word.state] = withState(state, after);
}

/** Notes a FIN; returns an event. One that lies far away from the side's data is in the flags and the history alone. */
export function takeFin(
  words: Int32Array,
  at: number,
  own: number,
  peer: number,
  direction: number,
  end: number,
): number {
  note(words, at, own, direction, Letter.fin);
  const state = words[at + Word.state]!;
  const before = state & Phase.state;
  if (before >= TcpState.closed || !isNear(words, own, end)) return TcpEvent.none;
  const isLast = (words[peer + SideWord.bits]! & Flag.fin) !== 0;
  words[at + Word.state] = withState(state, isLast ? TcpState.closed : TcpState.closing);
  return isLast ? TcpEvent.closed : TcpEvent.none;
}

/**
 * Notes a RST; returns an event. It is counted in any case. One that lies far away from the side's data does not end
 * the connection: whoever sent it was guessing (RFC 5961 section 3).
 */
export function takeRst(
  words: Int32Array,
  at: number,
  own: number,
  peer: number,
  direction: number,
  flags: number,
  sequence: number,
  ack: number,
): number {
  note(words, at, own, direction, Letter.rst);
  countHigh(words, own + SideWord.retransmissions);
  if ((flags & Flag.ack) !== 0 && (words[peer + SideWord.bits]! & (SideBit.ackKnown | SideBit.data)) === 0) {
    // which SYN it answers, should that come later
    words[peer + SideWord.acked] = ack;
    words[peer + SideWord.bits]! |= SideBit.ackKnown;
  }
  const state = words[at + Word.state]!;
  if ((state & Phase.state) >= TcpState.closed || !isNear(words, own, sequence)) return TcpEvent.none;
  words[at + Word.state] = withState(state, TcpState.reset);
  return TcpEvent.reset;
}

/** The direction whose side opened the connection; -1 while unknown. */
export function openerOf(state: number): number {
  if ((state & Phase.openedBy0) !== 0) return 0;
  return (state & Phase.openedBy1) === 0 ? -1 : 1;
}

function isNear(words: Int32Array, own: number, sequence: number): boolean {
  if ((words[own + SideWord.bits]! & SideBit.known) === 0) return true;
  return Math.abs((sequence - words[own + SideWord.next]!) | 0) <= NEAR_MAX;
}

function openedBy(direction: number): number {
  return direction === 0 ? Phase.openedBy0 : Phase.openedBy1;
}

function withState(word: number, state: number): number {
  return (word & ~Phase.state) | state;
}

/** Microseconds between two times modulo 2^32; -1 where the second was not before the first. */
function elapsed(us: number, before: number): number {
  return Math.max(-1, (us - before) | 0);
}
