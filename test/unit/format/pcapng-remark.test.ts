import { expect, test } from 'vitest';
import { packetBlock } from '../../../src/format/pcapng-encoder.ts';
import { addRemarks, PacketRemark } from '../../../src/format/pcapng-remark.ts';
import { blockOf } from '../../../src/wire/block.ts';
import { hex } from '../../support/hex.ts';
import { option, enhancedPacket } from '../../support/capture-bytes.ts';

const frame = Buffer.from(hex('ffffffffffff 020000000001 0800 aabb'));
const repaired = 'mirrortap: checksum completed; it was not as it arrived';
const late = 'mirrortap: late; packets that belong behind it in its stream stand before it';
const { repaired: REPAIRED, late: LATE } = PacketRemark;

test.each([
  { name: 'repaired', remarks: REPAIRED, flags: 0, comments: [repaired] },
  { name: 'late', remarks: LATE, flags: 0, comments: [late] },
  { name: 'both', remarks: REPAIRED + LATE, flags: 0, comments: [repaired, late] },
  { name: 'both, behind flags', remarks: REPAIRED + LATE, flags: 0x201, comments: [repaired, late] },
])('$name', ({ remarks, flags, comments }) => {
  const out = Buffer.alloc(512, 0xa5);
  const end = packetBlock(blockOf(out), 7, 3, 0, 5, blockOf(frame), 0, 15, 60, flags);
  const next = addRemarks(out, 7, end, flags, remarks);
  const value = Buffer.alloc(4);
  value.writeUInt32LE(flags);
  const block = enhancedPacket(true, {
    interfaceId: 3,
    time: 5n,
    data: frame.subarray(0, 15),
    wireLen: 60,
    options: [
      ...(flags === 0 ? [] : [option(true, 2, value)]),
      ...comments.map((comment) => option(true, 1, Buffer.from(comment))),
      option(true, 0, new Uint8Array()),
    ],
  });
  expect(out.toString('hex', 7, next)).toBe(block.toString('hex'));
  expect(out.toString('hex', next, next + 8)).toBe('a5'.repeat(8));
  expect(out.toString('hex', 0, 7)).toBe('a5'.repeat(7));
});
