import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Layers } from '../../../src/packet/layers.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { readInner } from '../../../src/receive/inner.ts';
import { readOuter, tunnelPorts } from '../../../src/receive/outer.ts';
import { readPlainInner, readPlainOuter } from '../../../src/receive/plain.ts';
import { blockOf } from '../../../src/wire/block.ts';
import { Fault } from '../../../src/wire/fault.ts';
import { hex } from '../../support/hex.ts';

const ports = tunnelPorts([4789], [6081]);
// Ethernet, IPv4 of 40 bytes, UDP to 4789 of 20 bytes, 12 bytes of payload
const plain = hex(
  '020000000001 020000000002 0800' +
    '4500 0028 0000 4000 ff 11 0000 0a000001 0a000002 c000 12b5 0014 0000 0800000000002a00 11223344',
);

/** The packet with some bytes changed and some cut off or added, somewhere in a block. */
const nearlyPlain = fc
  .record({
    changes: fc.array(fc.tuple(fc.nat(plain.length - 1), fc.nat(255)), { maxLength: 3 }),
    length: fc.oneof(fc.constant(plain.length), fc.nat(plain.length + 8)),
    before: fc.nat(20),
    linkType: fc.constantFrom(LinkType.ethernet, LinkType.ethernet, LinkType.raw, LinkType.linuxSll),
  })
  .map(({ changes, length, before, linkType }) => {
    const bytes = Buffer.alloc(before + length + 40, 0x5a);
    bytes.set(plain.subarray(0, length), before);
    for (const [at, value] of changes) bytes[before + at] = value;
    const at = linkType === LinkType.raw ? before + 14 : before;
    return { block: blockOf(bytes), at, end: Math.max(at, before + length), linkType };
  });

function outerOf({
  outerVersion,
  outerIpAt,
  udpAt,
  destinationPort,
  payloadAt,
  payloadEnd,
  snapped,
}: Layers) {
  return { outerVersion, outerIpAt, udpAt, destinationPort, payloadAt, payloadEnd, snapped };
}

test('an ordinary mirrored packet is plain, outside and inside', () => {
  const layers = new Layers();
  const { view } = blockOf(Buffer.from(plain));
  expect(readPlainOuter(view, 0, plain.length, LinkType.ethernet, ports, layers)).toBe(true);
  expect(layers).toMatchObject({ payloadAt: 42, payloadEnd: 54, destinationPort: 4789 });
  layers.frameAt = 0;
  layers.frameEnd = plain.length;
  layers.linkType = LinkType.ethernet;
  expect(readPlainInner(view, layers)).toBe(true);
  expect(layers).toMatchObject({ ipAt: 14, ipEnd: 54, transportAt: 34, protocol: 17 });
});

test('the outer headers of a plain packet are what readOuter finds', () => {
  let known = 0;
  fc.assert(
    fc.property(nearlyPlain, ({ block, at, end, linkType }) => {
      const [quick, right] = [new Layers(), new Layers()];
      if (!readPlainOuter(block.view, at, end, linkType, ports, quick)) {
        expect(quick).toEqual(new Layers());
        return;
      }
      known++;
      expect(readOuter(block.bytes, at, end, linkType, ports, right)).toBe(Fault.none);
      expect(outerOf(quick)).toEqual(outerOf(right));
    }),
    { numRuns: 20_000 },
  );
  expect(known).toBeGreaterThan(1_000);
});

test('the inner headers of a plain frame are what readInner finds', () => {
  let known = 0;
  fc.assert(
    fc.property(nearlyPlain, ({ block, at, end, linkType }) => {
      const [quick, right] = [new Layers(), new Layers()];
      for (const layers of [quick, right]) {
        layers.frameAt = at;
        layers.frameEnd = end;
        layers.linkType = linkType === LinkType.linuxSll ? LinkType.ethernet : linkType;
      }
      if (!readPlainInner(block.view, quick)) {
        expect(quick.ipAt).toBe(-1);
        return;
      }
      known++;
      readInner(block.bytes, right);
      expect(quick).toEqual(right);
    }),
    { numRuns: 20_000 },
  );
  expect(known).toBeGreaterThan(1_000);
});
