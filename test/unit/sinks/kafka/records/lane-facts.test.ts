import { expect, test } from 'vitest';
import { BlockEntry, PacketBlockReader } from '../../../../../src/format/packet-block.ts';
import { makeLane } from '../../../../../src/packet/lane.ts';
import { type LaneFacts, LaneTable } from '../../../../../src/sinks/kafka/records/lane-facts.ts';
import { murmur2 } from '../../../../../src/wire/murmur2.ts';
import { packetBlock } from '../../../../support/packet-blocks.ts';

const frame = Buffer.alloc(20);

/** What the table says of the packets of a block, one of each of these lanes. */
function factsOf(table: LaneTable, vnis: readonly number[]): (LaneFacts | undefined)[] {
  const reader = new PacketBlockReader();
  reader.begin(packetBlock(vnis.map((vni) => ({ frame, lane: makeLane(1, vni, false, 0, 0, 1) }))));
  const facts: (LaneFacts | undefined)[] = [];
  while (reader.next() !== BlockEntry.end) facts.push(table.of(reader));
  return facts;
}

test('a lane is the same object in all blocks, and others are others', () => {
  const table = new LaneTable();
  const [first, second, again] = factsOf(table, [1, 2, 1]);
  expect(again).toBe(first);
  expect(factsOf(table, [2, 1])).toEqual([second, first]);
  expect(first?.id).not.toBe(second?.id);
  expect(first?.key.toString()).toBe('vni-1');
  expect(first?.hash).toBe(murmur2(Buffer.from('vni-1')));
});

test('many lanes are forgotten, but never between two packets of one call', () => {
  const table = new LaneTable(3);
  const [first] = factsOf(table, [0, 1, 2, 3, 4, 5]);
  const [again] = factsOf(table, [0]);
  expect(again).toBe(first);
  table.trim();
  const [later, other] = factsOf(table, [0, 1]);
  expect(later).not.toBe(first);
  expect(later?.id).not.toBe(first?.id);
  table.trim();
  expect(factsOf(table, [1, 0])).toEqual([other, later]);
});
