import { expect, test } from 'vitest';
import {
  echo,
  frame4,
  frame6,
  type IpFields,
  ipv6Packet,
  tcpSegment,
  type Transport,
  udpDatagram,
} from '../../../samples/make/packets.ts';
import { client, server } from '../../../samples/make/traffic.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { coveredEnd, isHeaderWrong } from '../../../src/receive/repair.ts';
import { IpProtocol } from '../../../src/wire/ip-protocol.ts';
import { blockOf } from '../../../src/wire/block.ts';
import { readFrame } from '../../support/judging.ts';
import { change } from '../../support/tunnels.ts';

/** Where `readFrame` puts a frame in its block. */
const BEFORE = 13;

function coveredBytes(frame: Buffer, keep = frame.length): number {
  const layers = readFrame(frame, LinkType.ethernet, keep);
  const block = Buffer.concat([Buffer.alloc(BEFORE), frame]);
  const end = coveredEnd(block, layers);
  return end < 0 ? end : end - layers.transportAt;
}

const data = Buffer.alloc(21, 0x37);
const tcp = tcpSegment({
  sourcePort: 1,
  destinationPort: 2,
  sequence: 3,
  acknowledgement: 4,
  flags: 16,
  data,
});
const udp = udpDatagram(1, 2, data);
const over4 = (inner: Transport, fields: IpFields = {}): Buffer => frame4(client, server, inner, fields);
const over6 = (inner: Transport): Buffer => frame6(client, server, inner);

test.each([
  ['TCP', over4(tcp), 41],
  ['TCP over IPv6', over6(tcp), 41],
  ['UDP', over4(udp), 29],
  ['UDP shorter than its packet', change(over4(udp), 38, '0014'), 20],
  ['UDP of length 0', change(over4(udp), 38, '0000'), 29],
  ['ICMP', over4(echo(IpProtocol.icmp, 8, 1, 2, 5)), 13],
  ['ICMPv6', over6(echo(IpProtocol.icmpv6, 128, 1, 2, 5)), 13],
  ['with padding behind', Buffer.concat([over4(tcp), Buffer.alloc(5)]), 41],
  ['a first fragment', over4(tcp, { flagsAndOffset: 0x2000 }), -1],
  ['a later fragment', over4(tcp, { flagsAndOffset: 0x0001 }), -1],
  ['no IP length', change(over4(tcp), 16, '0000'), -1],
  ['TCP without a whole header', change(over4(tcp), 16, '0027'), -1],
  ['UDP without a whole header', change(over4(udp), 16, '001b'), -1],
  ['UDP without a checksum', over4(udp, { checksum: 'zero' }), -1],
  ['UDP of less than a header', change(over4(udp), 38, '0007'), -1],
  ['UDP longer than its packet', change(over4(udp), 38, '001e'), -1],
  ['ICMP without a checksum field', change(over4(echo(IpProtocol.icmp, 8, 1, 2, 5)), 16, '0017'), -1],
  ['ICMP over IPv6', over6(echo(IpProtocol.icmp, 8, 1, 2, 5)), -1],
  ['ICMPv6 over IPv4', over4(echo(IpProtocol.icmpv6, 128, 1, 2, 5)), -1],
  ['another protocol', over4({ protocol: 132, bytes: data, checksumAt: -1 }), -1],
  ...[tcp, udp, echo(IpProtocol.icmpv6, 128, 1, 2, 5)].map((inner): [string, Buffer, number] => [
    `protocol ${inner.protocol} behind a routing header of an unknown type`,
    Buffer.concat([
      over6(inner).subarray(0, 14),
      ipv6Packet(
        client.ipv6,
        server.ipv6,
        inner,
        {},
        43,
        Buffer.from([inner.protocol, 0, 253, 1, 0, 0, 0, 0]),
      ),
    ]),
    -1,
  ]),
])('%s', (_name, frame, bytes) => {
  expect(coveredBytes(frame)).toBe(bytes);
});

test('what is cut has no end', () => {
  for (const frame of [over4(tcp), over6(tcp), over4(udp), over6(udp)]) {
    for (let keep = 0; keep < frame.length; keep++) expect(coveredBytes(frame, keep)).toBe(-1);
  }
});

test('a wrong IPv4 header: only where the packet is whole', () => {
  const wrong = change(over4(tcp), 24, 'dead');
  const block = blockOf(Buffer.concat([Buffer.alloc(BEFORE), wrong]));
  for (let keep = 0; keep <= wrong.length; keep++) {
    const layers = readFrame(wrong, LinkType.ethernet, keep);
    expect(isHeaderWrong(block.view, block.bytes, layers)).toBe(keep === wrong.length);
  }
  const right = blockOf(Buffer.concat([Buffer.alloc(BEFORE), over4(tcp)]));
  expect(isHeaderWrong(right.view, right.bytes, readFrame(over4(tcp)))).toBe(false);
  const offloaded = blockOf(Buffer.concat([Buffer.alloc(BEFORE), change(over4(tcp), 16, '0000')]));
  const layers = readFrame(change(over4(tcp), 16, '0000'));
  expect(isHeaderWrong(offloaded.view, offloaded.bytes, layers)).toBe(false);
});
