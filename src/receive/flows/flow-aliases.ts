/**
 * Copies of a flow: packets that came from another mirror source too, or under another VNI. The key of the copies is an alias
 * of the flow, so that whichever copy comes first is counted in it, and in it alone.
 *
 * An alias names the row of its flow. That row may have been given to another flow since: it is the right one if it has the same
 * addresses, ports and protocol.
 */
import { isSameTuple } from './flow-key.ts';
import {
  IS_ALIAS,
  IS_FLOW,
  IS_OVER,
  NO_ROW,
  OWNER,
  ROW_WORDS,
  START_NANOSECONDS,
  START_SECONDS,
  STATE,
} from './flow-layout.ts';

/** Aliases of aliases: an alias whose flow was found to be a copy itself. */
const STEPS_MAX = 4;

/** The flow that a row stands for: the row itself unless it is an alias, NO_ROW where its flow is gone. */
export function flowOf(words: Int32Array, row: number): number {
  let found = row;
  for (let step = 0; step < STEPS_MAX; step++) {
    const at = found * ROW_WORDS;
    const state = words[at + STATE]!;
    if ((state & IS_ALIAS) === 0) return (state & IS_FLOW) === 0 ? NO_ROW : found;
    const owner = words[at + OWNER]!;
    if (words[owner * ROW_WORDS + STATE] === 0 || !isSameTuple(words, at, owner * ROW_WORDS)) return NO_ROW;
    found = owner;
  }
  return NO_ROW;
}

/** Makes one of two flows an alias of the other: the younger one, or the one that is over. Returns the other. */
export function join(words: Int32Array, row: number, otherRow: number): number {
  const isOver = (words[row * ROW_WORDS + STATE]! & IS_OVER) !== 0;
  const isOtherOver = (words[otherRow * ROW_WORDS + STATE]! & IS_OVER) !== 0;
  const keepsRow = isOver === isOtherOver ? !isOlder(words, otherRow, row) : isOtherOver;
  const kept = keepsRow ? row : otherRow;
  point(words, keepsRow ? otherRow : row, kept);
  return kept;
}

/** Makes a row an alias of a flow. */
export function point(words: Int32Array, row: number, flow: number): void {
  words[row * ROW_WORDS + STATE]! |= IS_ALIAS;
  words[row * ROW_WORDS + OWNER] = flow;
}

function isOlder(words: Int32Array, row: number, otherRow: number): boolean {
  const seconds = words[row * ROW_WORDS + START_SECONDS]! >>> 0;
  const otherSeconds = words[otherRow * ROW_WORDS + START_SECONDS]! >>> 0;
  if (seconds !== otherSeconds) return seconds < otherSeconds;
  return words[row * ROW_WORDS + START_NANOSECONDS]! < words[otherRow * ROW_WORDS + START_NANOSECONDS]!;
}
