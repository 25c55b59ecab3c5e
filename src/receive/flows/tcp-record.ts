import type { FlowRecord, FlowSide, TcpState } from '../../packet/flow-record.ts';
import { historyText } from './history.ts';
import type { SideGaps } from './side-gaps.ts';
import {
  ackedBytes,
  highCount,
  lowCount,
  Phase,
  SideBit,
  sideAt,
  SideWord,
  unseenBytes,
  Word,
  zeroCounters,
} from './tcp-words.ts';

/**
 * Puts what is known of the connection whose words begin at `at` into a record, and begins to count anew.
 *
 * @param source the direction of `record.source`
 */
export function fillRecord(
  words: Int32Array,
  at: number,
  source: 0 | 1,
  record: FlowRecord,
  sides: SideGaps,
): void {
  record.tcpState = (words[at + Word.state]! & Phase.state) as TcpState;
  record.serverRttUs = words[at + Word.serverRttUs]!;
  record.clientRttUs = words[at + Word.clientRttUs]!;
  record.history = historyText(words, at, source);
  record.oneSided = isOneSided(words, at);
  fillSide(words, sideAt(at, source), record.source, sides);
  fillSide(words, sideAt(at, 1 - source), record.destination, sides);
}

function fillSide(words: Int32Array, side: number, out: FlowSide, sides: SideGaps): void {
  out.tcpFlags = words[side + SideWord.bits]! & SideBit.tcpFlags;
  out.retransmissions = lowCount(words, side + SideWord.retransmissions);
  out.resets = highCount(words, side + SideWord.retransmissions);
  out.outOfOrder = lowCount(words, side + SideWord.outOfOrder);
  out.zeroWindows = highCount(words, side + SideWord.outOfOrder);
  out.ackedBytes = ackedBytes(words, side);
  out.unseenBytes = unseenBytes(words, side);
  sides.settleRecord(words, side);
  zeroCounters(words, side);
}

/** Whether one side's data or ACKs came, and of the other nothing at all. */
export function isOneSided(words: Int32Array, at: number): boolean {
  const first = words[sideAt(at, 0) + SideWord.bits]!;
  const second = words[sideAt(at, 1) + SideWord.bits]!;
  const silent = SideBit.tcpFlags | SideBit.known;
  return (
    ((first & SideBit.active) !== 0 && (second & silent) === 0) ||
    ((second & SideBit.active) !== 0 && (first & silent) === 0)
  );
}
