import { assert, constantFrom, integer, ipV4, ipV6, nat, oneof, property, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import { NamedSenders } from '../../../src/inputs/named-senders.ts';
import { HEADER_MAX_LEN, writeSocketHeader } from '../../../src/inputs/socket-header.ts';
import { Layers } from '../../../src/packet/layers.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { NOT_TUNNEL, readOuter, tunnelPorts } from '../../../src/receive/outer.ts';
import { formatAddress, parseAddress } from '../../../src/wire/address.ts';
import { blockOf } from '../../../src/wire/block.ts';
import { Fault } from '../../../src/wire/fault.ts';

const port = integer({ min: 0, max: 0xffff });
const ports = tunnelPorts([4789], [6081]);

/** The address as the receiver sees it: an IPv4-mapped one is IPv4. */
function plain(text: string): string {
  const { bytes, version } = parseAddress(text.replace(/%.*$/, '').replace(/^::ffff:(?=[^:]*\.)/, ''))!;
  return formatAddress(bytes, 0, version);
}

test('the receiver reads back what was written: payload, port and source, at any offset', () => {
  const senders = new NamedSenders();
  const sender = oneof(
    ipV4(),
    ipV4().map((address) => `::ffff:${address}`),
    ipV6(),
    constantFrom('::1', 'fe80::1%eth0', '2001:db8::ffff:1.2.3.4'),
  );
  const destination = oneof(constantFrom(4789, 6081), port);
  assert(
    property(
      sender,
      port,
      destination,
      uint8Array({ maxLength: 200 }),
      nat(50),
      (from, sport, dport, payload, at) => {
        const bytes = Buffer.alloc(at + HEADER_MAX_LEN + payload.length + 8, 0xa5);
        const address = senders.socketAddress(from, sport);
        const payloadAt = writeSocketHeader(blockOf(bytes).view, at, address, 0, dport, payload.length);
        bytes.set(payload, payloadAt);
        const end = payloadAt + payload.length;
        expect(payloadAt - at).toBeLessThanOrEqual(HEADER_MAX_LEN);
        expect(bytes.subarray(0, at).every((byte) => byte === 0xa5)).toBe(true);
        expect(bytes.subarray(end).every((byte) => byte === 0xa5)).toBe(true);

        const layers = new Layers();
        const outer = readOuter(bytes, at, end, LinkType.raw, ports, layers);
        expect(outer).toBe(dport === 4789 || dport === 6081 ? Fault.none : NOT_TUNNEL);
        expect(layers).toMatchObject({ destinationPort: dport, payloadAt, payloadEnd: end, snapped: 0 });
        expect(bytes.readUInt16BE(layers.udpAt)).toBe(sport);
        const sourceAt = layers.outerIpAt + (layers.outerVersion === 4 ? 12 : 8);
        expect(formatAddress(bytes, sourceAt, layers.outerVersion)).toBe(plain(from));
      },
    ),
  );
});

test('the largest datagrams of both families', () => {
  const senders = new NamedSenders();
  const bytes = Buffer.alloc(65_575 + 8);
  const layers = new Layers();
  for (const [sender, length] of [
    ['192.0.2.1', 65_507],
    ['2001:db8::1', 65_527],
  ] as const) {
    const from = senders.socketAddress(sender, 1);
    const payloadAt = writeSocketHeader(blockOf(bytes).view, 0, from, 0, 4789, length);
    expect(readOuter(bytes, 0, payloadAt + length, LinkType.raw, ports, layers)).toBe(Fault.none);
    expect(layers.payloadEnd - layers.payloadAt).toBe(length);
  }
});

test('more senders than are remembered are all told right', () => {
  const senders = new NamedSenders();
  const bytes = Buffer.alloc(HEADER_MAX_LEN);
  for (let number = 0; number < 10_000; number++) {
    const sender = `10.1.${number >>> 8}.${number & 0xff}`;
    writeSocketHeader(blockOf(bytes).view, 0, senders.socketAddress(sender, 1), 0, 4789, 0);
    expect(formatAddress(bytes, 12, 4)).toBe(sender);
  }
});

test.each([
  { name: 'a sender that is no address', sender: () => new NamedSenders().socketAddress('nobody', 1) },
  { name: 'a family that is not known', sender: () => new DataView(new Uint8Array(28).fill(0x11).buffer) },
])('$name counts as the unspecified one', ({ sender }) => {
  const bytes = Buffer.alloc(HEADER_MAX_LEN, 0xa5);
  writeSocketHeader(blockOf(bytes).view, 0, sender(), 0, 4789, 0);
  expect(formatAddress(bytes, 12, 4)).toBe('0.0.0.0');
});
