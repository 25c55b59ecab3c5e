import type { Contents } from './contents.ts';
import type { Reader } from './reader.ts';
import { endOf, type Place, type Segment } from './segment.ts';

const READ_BYTES = 1024 * 1024;

type From = Place & { readonly segment: Segment };
type Read = Reader['read'];

/**
 * Drops what is older than a time from the beginning of a spool, whole segments where all in them is, and returns how many records
 * that were. It stops at what is read and not acknowledged.
 */
export async function dropExpired(
  contents: Contents,
  beforeMs: number,
  read: Read,
  isClosed: () => boolean,
): Promise<number> {
  let records = 0;
  while (!isClosed() && contents.isNothingOut) {
    const from = contents.nextToAcknowledge();
    if (from === undefined) break;
    const { turn } = contents;
    const isOld = from.segment.newestMs < beforeMs;
    const to = isOld ? endOf(from.segment) : await expired(from, beforeMs, read);
    if (to === undefined || turn !== contents.turn) break;
    records += to.amount.records - from.amount.records;
    contents.drop(to);
  }
  return records;
}

/** The place behind the blocks that are too old; undefined where there is none. */
async function expired(from: From, beforeMs: number, read: Read): Promise<Place | undefined> {
  const { blocks, place } = await read(from, READ_BYTES);
  const young = blocks.findIndex(({ block }) => block.head.timeMs >= beforeMs);
  return young === -1 ? place : blocks[young - 1]?.behind;
}
