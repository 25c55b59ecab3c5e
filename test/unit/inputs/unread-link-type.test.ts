import { expect, test } from 'vitest';
import { unreadLinkType } from '../../../src/inputs/unread-link-type.ts';
import { PacketBatch } from '../../../src/packet/batch.ts';
import { Layers } from '../../../src/packet/layers.ts';
import { NOT_TUNNEL, readOuter, tunnelPorts } from '../../../src/receive/outer.ts';

/** IPv4, UDP to port 4789, VXLAN: 36 bytes. */
const PACKET = '4500002400000000401100000700000107000002000112b5001000000800000000002a00';
/** What stands before the IP header: nothing, four bytes, Ethernet, the two "cooked" forms. */
const LINKS = [0, 4, 14, 16, 20];
const TYPES = 400;

function batchOf(...linkTypes: readonly number[]): PacketBatch {
  const batch = new PacketBatch(linkTypes.length, Buffer.alloc(64));
  linkTypes.forEach((type, slot) => (batch.linkType[slot] = type));
  batch.count = linkTypes.length;
  return batch;
}

/** Whether the receiver finds the tunnel behind some header of that link type. */
function isRead(linkType: number): boolean {
  return LINKS.some((length) => {
    const bytes = Buffer.concat([Buffer.alloc(length), Buffer.from(PACKET, 'hex')]);
    for (const at of [length - 2, 0]) if (length >= 14) bytes.writeUInt16BE(0x0800, at);
    const ports = tunnelPorts([4789], []);
    return readOuter(bytes, 0, bytes.length, linkType, ports, new Layers()) !== NOT_TUNNEL;
  });
}

test('told are exactly the link types that the receiver does not read', () => {
  const types = Array.from({ length: TYPES }, (_, type) => type);
  const unread = types.filter((type) => !isRead(type));
  expect(unread.length).toBeGreaterThan(TYPES / 2);
  expect(types.filter((type) => unreadLinkType(batchOf(type)) === type)).toEqual(unread);
});

test('also behind packets of others', () => {
  expect(unreadLinkType(batchOf(1, 1, 113, 127, 147))).toBe(127);
  expect(unreadLinkType(batchOf(1, 1, 113))).toBeUndefined();
});
