import { BlockEntry, type PacketBlockReader } from '../../../format/packet-block.ts';
import type { TopicNames } from './topic-names.ts';

/** The topics that the entries of these blocks go to. */
export function topicsOf(
  names: TopicNames,
  reader: PacketBlockReader,
  blocks: readonly Buffer[],
): ReadonlySet<string> {
  const topics = new Set<string>();
  if (names.fixed !== undefined) return topics.add(names.fixed);
  for (const block of blocks) {
    reader.begin(block);
    let lastVni = -1;
    while (reader.next() !== BlockEntry.end) {
      if (reader.vni === lastVni) continue;
      lastVni = reader.vni;
      const name = names.of(lastVni);
      if (name !== undefined) topics.add(name);
    }
  }
  return topics;
}
