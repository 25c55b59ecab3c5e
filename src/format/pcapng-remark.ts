import { copyBytes } from '../wire/copy.ts';
import { TRAILER_BYTES } from './pcapng-block.ts';
import {
  END_OF_OPTIONS_BYTES,
  endBlock,
  endOptions,
  OPT_COMMENT,
  optionText,
  textOptionBytes,
} from './pcapng-option.ts';

/** What a packet's comments say, to be added up. */
export const PacketRemark = {
  none: 0,
  /** A checksum in it was completed. */
  repaired: 1,
  /** It stands behind packets of its stream that belong behind it. */
  late: 2,
} as const;

const REPAIRED = 'mirrortap: checksum completed; it was not as it arrived';
const LATE = 'mirrortap: late; packets that belong behind it in its stream stand before it';
/** Options that hold these comments, by the sum of `PacketRemark` values. */
const REMARKS: readonly Buffer[] = [[], [REPAIRED], [LATE], [REPAIRED, LATE]].map(commentOptions);

/** Most bytes that `addRemarks` adds to a block that has options already. */
export const REMARKS_MAX_BYTES: number = textOptionBytes(REPAIRED) + textOptionBytes(LATE);

/**
 * Adds comments to the packet block that was just written and returns the offset just past it.
 *
 * @param out     room for what `packetBlock` asked for at `at`
 * @param at      where the block begins, and `end` one past it
 * @param flags   what the block was written with
 * @param remarks sum of `PacketRemark` values, not 0
 */
export function addRemarks(out: Buffer, at: number, end: number, flags: number, remarks: number): number {
  const options = REMARKS[remarks]!;
  const optionsEnd = end - TRAILER_BYTES - (flags === 0 ? 0 : END_OF_OPTIONS_BYTES);
  const next = copyBytes(options, 0, options.length, out, optionsEnd);
  return endBlock(out, at, endOptions(out, next));
}

function commentOptions(comments: readonly string[]): Buffer {
  const out = Buffer.alloc(comments.reduce((sum, comment) => sum + textOptionBytes(comment), 0));
  let at = 0;
  for (const comment of comments) at = optionText(out, at, OPT_COMMENT, comment);
  return out;
}
