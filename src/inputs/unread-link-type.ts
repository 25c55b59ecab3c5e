import type { PacketBatch } from '../packet/batch.ts';
import { LinkType } from '../packet/link-type.ts';

/** As `receive/outer.ts` reads them, which a test compares: its own names, and further numbers of the same forms. */
const read: ReadonlySet<number> = new Set([...Object.values(LinkType), 12, 14, 108, 228, 229]);

/**
 * The first link type in a batch of which the receiver knows no header: such packets count as no tunnel, and whoever
 * gave the capture should know why. Undefined where there is none.
 */
export function unreadLinkType({ count, linkType }: PacketBatch): number | undefined {
  let before: number | undefined;
  for (let slot = 0; slot < count; slot++) {
    const type = linkType[slot];
    if (type === before) continue;
    if (type !== undefined && !read.has(type)) return type;
    before = type;
  }
  return undefined;
}
