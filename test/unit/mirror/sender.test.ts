import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DATAGRAM_MAX, MirrorSender } from '../../../src/mirror/sender.ts';
import { makeSession, WHOLE_FRAME } from '../../../src/mirror/session.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { frame4, host, udpDatagram } from '../../../samples/make/packets.ts';
import { toHex } from '../../support/hex.ts';

const address = Uint8Array.of(10, 0, 0, 1);
const target = { type: 'network-interface', address, endpointHigh: 0, endpointLow: 0 } as const;
const out = Buffer.alloc(70_000);

function makeSender(packetLength: number = WHOLE_FRAME): MirrorSender {
  return new MirrorSender(makeSession({ address }, target, 42, packetLength));
}

test('a frame becomes VXLAN header and frame, cut to the packet length', () => {
  const sender = makeSender(3);
  const frame = Buffer.from('..abcdef..');
  expect(sender.accept(6, LinkType.ethernet)).toBe(true);
  expect(sender.datagramLen(6)).toBe(11);
  const end = sender.mirror(frame, 2, 8, out, 5);
  expect(toHex(out.subarray(5, end))).toBe('0800000000002a00616263');
  expect(sender).toMatchObject({ received: 1, receivedBytes: 6, mirrored: 1, truncated: 1 });
});

test('the hash is that of the whole frame, also where its ports are cut off', () => {
  const frame = frame4(
    host(1, '10.0.0.1', '::1'),
    host(2, '10.0.0.2', '::2'),
    udpDatagram(1, 2, Buffer.alloc(9)),
  );
  const whole = makeSender();
  const cut = makeSender(20);
  whole.mirror(frame, 0, frame.length, out, 0);
  cut.mirror(frame, 0, frame.length, out, 0);
  expect(cut.hash).toBe(whole.hash);
  expect(cut.hash).not.toBe(0);
});

test('what is not Ethernet is dropped and counted', () => {
  const sender = makeSender();
  expect(sender.accept(100, LinkType.raw)).toBe(false);
  expect(sender.accept(100, LinkType.linuxSll)).toBe(false);
  expect(sender.dropped).toEqual({ linkType: 2, tooLong: 0 });
});

test('what no datagram can hold is dropped and counted', () => {
  const sender = makeSender();
  expect(sender.accept(DATAGRAM_MAX - 8, LinkType.ethernet)).toBe(true);
  expect(sender.accept(DATAGRAM_MAX - 7, LinkType.ethernet)).toBe(false);
  expect(sender.dropped).toEqual({ linkType: 0, tooLong: 1 });
  expect(makeSender(8500).accept(DATAGRAM_MAX, LinkType.ethernet)).toBe(true);
});

test('the ledger adds up', () => {
  const frames = fc.array(fc.record({ len: fc.nat(66_000), linkType: fc.constantFrom(1, 1, 101, 0) }));
  const block = Buffer.alloc(66_000);
  fc.assert(
    fc.property(frames, fc.nat(8500), (list, packetLength) => {
      const sender = makeSender(packetLength);
      for (const { len, linkType } of list) {
        if (sender.accept(len, linkType)) sender.mirror(block, 0, len, out, 0);
      }
      const { linkType, tooLong } = sender.dropped;
      expect(sender.received).toBe(list.length);
      expect(sender.mirrored + linkType + tooLong).toBe(sender.received);
      expect(sender.receivedBytes).toBe(list.reduce((sum, { len }) => sum + len, 0));
    }),
    { numRuns: 30 },
  );
});
