import * as flowRecord from '../../packet/flow-record.ts';
import * as tcp from '../../wire/tcp.ts';
import { note } from './history.ts';
import * as history from './history.ts';
import { isAnother, isNear } from './tcp-reuse.ts';
import * as reuse from './tcp-reuse.ts';
import type { TcpStream } from './tcp-stream.ts';
import { countHigh, countLow, sideAt } from './tcp-words.ts';
import * as tcpWords from './tcp-words.ts';

// for speed: see "Constants" in src/README.md
const { TcpState } = flowRecord;
const { Flag } = tcp;
const { Letter } = history;
const { LATE_SYN_MAX } = reuse;
const { Phase, SideBit, SideWord, Word } = tcpWords;

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

/** Takes what is not an ordinary segment of an established connection; returns an event. */
export function takeControl(
  words: Int32Array,
  at: number,
  direction: number,
  flags: number,
  sequence: number,
  ack: number,
  len: number,
  us: number,
  stream: TcpStream,
): number {
  const own = sideAt(at, direction);
  const peer = sideAt(at, 1 - direction);
  const hasSyn = (flags & Flag.syn) !== 0;
  if (hasSyn && (flags & (Flag.rst | Flag.fin)) === 0 && isAnother(words, at, own, flags, sequence)) {
    return TcpEvent.reopened;
  }
  if ((flags & (Flag.fin | Flag.rst)) === (Flag.fin | Flag.rst)) {
    note(words, at, own, direction, Letter.inconsistent);
  }
  if (hasSyn && (flags & (Flag.fin | Flag.rst)) !== 0) note(words, at, own, direction, Letter.multiFlag);

  if ((flags & Flag.rst) !== 0) {
    const event = takeRst(words, at, own, peer, direction, flags, sequence, ack);
    words[own + SideWord.bits]! |= flags;
    return event;
  }
  if (hasSyn) {
    takeSyn(words, at, own, peer, direction, flags, sequence, us, stream);
    return TcpEvent.none;
  }
  if ((words[own + SideWord.bits]! & SideBit.known) === 0) stream.start(words, own, sequence, us);
  if ((flags & Flag.ack) !== 0) takeEstablished(words, at, own, peer, direction, len, ack, us);
  if ((flags & Flag.fin) === 0) return TcpEvent.none;
  const event = takeFin(words, at, own, peer, direction, (sequence + len) | 0);
  if (len > 0) return event;
  if ((words[own + SideWord.bits]! & Flag.fin) !== 0) countLow(words, own + SideWord.retransmissions);
  else stream.reach(words, own, sequence, us);
  return event;
}

/** Notes a SYN or SYN-ACK that is of this connection. */
function takeSyn(
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
  place(words, own, (sequence + 1) | 0, wasSeen, us, stream);

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
function place(
  words: Int32Array,
  own: number,
  first: number,
  wasSeen: boolean,
  us: number,
  stream: TcpStream,
): void {
  const bits = words[own + SideWord.bits]!;
  const hasData = (bits & SideBit.data) !== 0;
  const below = (words[own + SideWord.base]! - first) | 0;
  if ((bits & SideBit.known) === 0) {
    stream.start(words, own, first, us);
  } else if (wasSeen && below === 0) {
    countLow(words, own + SideWord.retransmissions);
  } else if (below >= 0 && below <= LATE_SYN_MAX) {
    countLow(words, own + SideWord.outOfOrder);
    if (!hasData) stream.start(words, own, first, us);
    else if (below > 0) stream.lead(words, own, first);
  } else if (!hasData) {
    // one more try with another number
    stream.start(words, own, first, us);
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
function takeEstablished(
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
  const before = state & Phase.state;
  if (isFirst && (isOpener || before === TcpState.none)) {
    // data that the server sent without waiting has taken the place of the time of its SYN-ACK
    const isTimed = (words[peer + SideWord.bits]! & SideBit.data) === 0;
    if ((state & Phase.awaitsAck) !== 0 && isTimed && ack === words[peer + SideWord.next]!) {
      words[at + Word.clientRttUs] = elapsed(us, words[peer + SideWord.advancedUs]!);
    }
    state |= Phase.shaken;
  }
  let after = before;
  if (before === TcpState.none) after = TcpState.established;
  else if (before <= TcpState.synReceived) {
    if (isOpener || len > 0) after = TcpState.established;
    else after = TcpState.synReceived;
  }
  words[at + Word.state] = withState(state, after);
}

/** Notes a FIN; returns an event. One that lies far away from the side's data is in the flags and the history alone. */
function takeFin(
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
function takeRst(
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
