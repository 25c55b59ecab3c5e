import { expect, test } from 'vitest';
import { echo, frame4, frame6, tcpSegment, udpDatagram } from '../../../../samples/make/packets.ts';
import { client, server } from '../../../../samples/make/traffic.ts';
import { Innermost } from '../../../../src/packet/innermost.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { InnerFrameReader } from '../../../../src/receive/inner-frame-reader.ts';
import { flowNumber } from '../../../../src/receive/select/flow-sample.ts';
import { IpProtocol } from '../../../../src/wire/ip-protocol.ts';
import { blockOf } from '../../../support/batches.ts';
import { fragment4, pieces } from '../../../support/fragmenting.ts';
import { ethernetIn, framed, tunnels } from '../../../support/nesting.ts';

function numberOf(frame: Buffer, reader = new InnerFrameReader()): number {
  const { bytes, view } = blockOf(frame);
  const innermost = new Innermost();
  reader.read(bytes, view, 0, frame.length, LinkType.ethernet, 1000, innermost);
  return flowNumber(view, innermost);
}

const data = Buffer.alloc(100, 1);
const udp = (source: number, destination: number) => udpDatagram(source, destination, data);
const tcp = (sourcePort: number, destinationPort: number) =>
  tcpSegment({ sourcePort, destinationPort, sequence: 1, acknowledgement: 1, flags: 16, data });

test.each([
  ['TCP over IPv4', frame4(client, server, tcp(50_000, 443)), frame4(server, client, tcp(443, 50_000))],
  ['UDP over IPv6', frame6(client, server, udp(50_000, 53)), frame6(server, client, udp(53, 50_000))],
  [
    'ICMP',
    frame4(client, server, echo(IpProtocol.icmp, 8, 1, 1, 20)),
    frame4(server, client, echo(IpProtocol.icmp, 0, 1, 1, 20)),
  ],
  [
    'in a tunnel and outside',
    frame4(client, server, tcp(50_000, 443)),
    framed(tunnels.vxlan(ethernetIn(frame4(server, client, tcp(443, 50_000))))),
  ],
])('both directions have one number: %s', (_name, there, back) => {
  expect(numberOf(there)).toBe(numberOf(back));
});

test('ports, protocols and addresses make other flows', () => {
  const frames = [
    frame4(client, server, tcp(50_000, 443)),
    frame4(client, server, tcp(50_001, 443)),
    frame4(client, server, tcp(443, 50_000)),
    frame4(client, server, udp(50_000, 443)),
    frame4(client, client, tcp(50_000, 443)),
    frame6(client, server, tcp(50_000, 443)),
    frame6(client, server, udp(50_000, 443)),
  ];
  expect(new Set(frames.map((frame) => numberOf(frame))).size).toBe(frames.length);
});

test('fragments behind their first have its number', () => {
  const reader = new InnerFrameReader();
  const datagram = udp(50_000, 443);
  const numbers = pieces(datagram.bytes.length, 24).map((piece) =>
    numberOf(fragment4(datagram, piece), reader),
  );
  expect(numbers.length).toBeGreaterThan(2);
  expect(new Set(numbers)).toEqual(new Set([numberOf(frame4(client, server, datagram))]));
});

test('the numbers never change: appliances of all versions choose the same flows', () => {
  expect([
    numberOf(frame4(client, server, tcp(50_000, 443))),
    numberOf(frame6(client, server, udp(50_000, 53))),
  ]).toEqual([1_215_853_774, 3_646_664_948]);
});

test.each([2, 3, 7, 10, 1000])('one flow in %i is chosen', (interval) => {
  const flows = 20 * 1000;
  const reader = new InnerFrameReader();
  let chosen = 0;
  for (let port = 0; port < flows; port++)
    if (numberOf(frame4(client, server, udp(port, 53)), reader) % interval === 0) chosen++;
  const expected = flows / interval;
  expect(Math.abs(chosen - expected)).toBeLessThan(5 * Math.sqrt(expected));
});
