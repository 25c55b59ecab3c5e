import type { SinkCounters } from '../../../pipeline/sink-counters.ts';

const TWO_32 = 2 ** 32;

/** What an earlier courier of this run has left. */
export interface LeftBehind {
  /** Records of blocks of the ring that were given back since it began, modulo 2^32. */
  readonly givenBack: number;
  /** Records that are in spools. */
  readonly spooled: number;
}

/**
 * Sets the ledger right after a courier died: `delivered = written + dropped + pending` again.
 *
 * What was given back is settled or in a spool. What is settled beyond that is of portions that were under way: part of them
 * was counted, and all of them are sent once more. It counts as delivered to the sink again, as what an earlier run has left
 * in a spool does. What should be in a spool and is not is lost.
 *
 * @param counters the courier's part of the ledger
 * @param left of each ring and spool that is counted there
 */
export function setRight(counters: SinkCounters, left: readonly (LeftBehind | undefined)[]): void {
  let twice = counters.written + counters.droppedTotal - counters.delivered;
  for (const part of left) if (part !== undefined) twice += part.spooled - part.givenBack;
  // as a number with a sign: it is far smaller than 2^31
  twice = (twice % TWO_32) | 0;
  if (twice > 0) counters.addDelivered(twice);
  else if (twice < 0) counters.addDropped('damaged', -twice);
}
