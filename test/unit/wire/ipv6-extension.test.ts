import { expect, test } from 'vitest';
import { ExtensionWalk, isExtension, walk } from '../../../src/wire/ipv6-extension.ts';
import * as ipv6 from '../../../src/wire/ipv6.ts';
import { hex } from '../../support/hex.ts';
import { extensionVectors } from '../../vectors/ipv6-extension.ts';

const address = new Uint8Array(16);
/** One walk for all rows: what one packet leaves behind must not show in the next. */
const found = new ExtensionWalk();

test.each(extensionVectors)('$name', (row) => {
  const ipAt = 14;
  const behind = hex(row.bytes);
  const bytes = new Uint8Array(ipAt + ipv6.HEADER_LEN + behind.length + 64).fill(0x3c);
  ipv6.emit(bytes, ipAt, behind.length, row.first, 64, address, address);
  bytes.set(behind, ipAt + ipv6.HEADER_LEN);

  walk(bytes, ipAt, ipAt + ipv6.HEADER_LEN + behind.length, found);

  const destinationAt = row.destinationAt ?? ipv6.DESTINATION;
  expect(found).toMatchObject({
    protocol: row.protocol,
    transportAt: row.transportAt < 0 ? -1 : ipAt + row.transportAt,
    complete: row.complete,
    fragment: row.fragment ?? 0,
    fragmentOffset: row.fragmentOffset ?? 0,
    moreFragments: row.moreFragments ?? 0,
    fragmentAt: row.fragmentAt === undefined ? -1 : ipAt + row.fragmentAt,
    pseudoDestinationAt: destinationAt < 0 ? -1 : ipAt + destinationAt,
  });
});

test('the numbers that a walk goes through', () => {
  const numbers = Array.from({ length: 256 }, (_, number) => number);
  expect(numbers.filter(isExtension)).toEqual([0, 43, 44, 51, 60]);
});
