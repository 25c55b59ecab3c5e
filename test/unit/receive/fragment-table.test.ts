import { expect, test } from 'vitest';
import { echo, opaque, type Transport, tcpSegment, udpDatagram } from '../../../samples/make/packets.ts';
import { Encapsulation } from '../../../src/packet/lane.ts';
import { ANALYSIS_TALLY_LENGTH } from '../../../src/receive/analysis-tally.ts';
import { FragmentTable } from '../../../src/receive/fragment-table.ts';
import { AssertionFailure } from '../../../src/wire/assert.ts';
import { EtherType } from '../../../src/wire/ether-type.ts';
import { IpProtocol } from '../../../src/wire/ip-protocol.ts';
import { fragment4, fragment6, type Piece, pieces } from '../../support/fragmenting.ts';
import { hex } from '../../support/hex.ts';
import { InnermostBench } from '../../support/innermost.ts';
import { framed, tunnels } from '../../support/nesting.ts';
import { change } from '../../support/tunnels.ts';

const datagram = udpDatagram(1000, 2000, Buffer.alloc(4000, 'abcdefg'));
const segment = tcpSegment({
  sourcePort: 50_000,
  destinationPort: 443,
  sequence: 1,
  acknowledgement: 1,
  flags: 16,
  data: Buffer.alloc(200),
});
const ours = { protocol: 17, ports: '1000 > 2000', fragment: 1 };
const unknown = { protocol: 17, ports: 'unknown', fragment: 1 };

function at(list: readonly Buffer[], index: number): Buffer {
  const one = list[index];
  if (one === undefined) throw new Error(`There is no fragment ${index}.`);
  return one;
}

const four = pieces(datagram.bytes.length, 1480).map((piece) => fragment4(datagram, piece));
const six = pieces(datagram.bytes.length, 1448).map((piece) => fragment6(datagram, piece));

test.each([
  ['IPv4', four],
  ['IPv6', six],
])('%s: later fragments have the ports of the first', (_name, list) => {
  const bench = new InnermostBench();
  expect(list).toHaveLength(3);
  for (const one of list) expect(bench.read(one)).toMatchObject(ours);
  expect(bench.counts).toEqual({ fragments: 3, fragmentsMatched: 2 });
});

test.each([
  ['IPv4', four],
  ['IPv6', six],
])('%s: what comes before the first has no ports', (_name, list) => {
  const bench = new InnermostBench();
  expect(bench.read(at(list, 2))).toMatchObject({ ...unknown, transportAt: -1 });
  expect(bench.read(at(list, 0))).toMatchObject(ours);
  expect(bench.read(at(list, 1))).toMatchObject(ours);
  expect(bench.counts).toEqual({ fragments: 3, fragmentsMatched: 1, fragmentsUnmatched: 1 });
});

test('ICMP has type and code, ESP has no ports', () => {
  const bench = new InnermostBench();
  const ping = echo(IpProtocol.icmp, 8, 1, 1, 2000);
  const [first, last] = pieces(ping.bytes.length, 1480).map((piece) => fragment4(ping, piece));
  expect(bench.read(first!)).toMatchObject({ protocol: 1, ports: '8 > 0' });
  expect(bench.read(last!)).toMatchObject({ protocol: 1, ports: '8 > 0' });
  const esp = opaque(IpProtocol.esp, Buffer.alloc(2000));
  const ah = opaque(IpProtocol.ah, Buffer.alloc(2000));
  expect(bench.read(fragment4(ah, { offset: 800, length: 80 }, 9))).toMatchObject({ ports: 'none' });
  const [start, end] = pieces(2000, 1480).map((piece) => fragment4(esp, piece, 8));
  expect(bench.read(end!)).toMatchObject({ protocol: 50, ports: 'none' });
  expect(bench.read(start!)).toMatchObject({ protocol: 50, ports: 'none' });
  expect(bench.counts).toEqual({ fragments: 5, fragmentsMatched: 1, fragmentsUnmatched: 2 });
});

test('IPv6: the protocol behind extension headers is known to the first fragment alone', () => {
  const bench = new InnermostBench();
  const payload = Buffer.concat([hex('1100 010400000000'), datagram.bytes]);
  const [first, middle] = pieces(payload.length, 1448).map((piece) =>
    fragment6(datagram, piece, { next: 60, payload }),
  );
  expect(bench.read(middle!)).toMatchObject({ protocol: 60, ports: 'unknown' });
  expect(bench.read(first!)).toMatchObject(ours);
  expect(bench.read(middle!)).toMatchObject(ours);
});

test('fragments that the mirror cut: ports where they arrived, and no attack', () => {
  const bench = new InnermostBench();
  expect(bench.read(at(four, 0), { keep: 14 + 20 + 4 })).toMatchObject(ours);
  expect(bench.read(at(four, 1), { keep: 14 + 20 })).toMatchObject({ ...ours, wireLen: 1500 });
  expect(bench.read(at(six, 0), { keep: 14 + 48 + 4 })).toMatchObject(ours);
  expect(bench.read(at(six, 1), { keep: 14 + 48 })).toMatchObject({ ...ours, wireLen: 1496 });
  expect(bench.counts).toEqual({ fragments: 4, fragmentsMatched: 2 });
});

test('a first fragment cut before its ports has those of its other copy, and takes none from it', () => {
  const bench = new InnermostBench();
  expect(bench.read(at(four, 0), { keep: 14 + 20 + 3 })).toMatchObject(unknown);
  expect(bench.read(at(four, 1))).toMatchObject(unknown);
  expect(bench.read(at(four, 0))).toMatchObject(ours);
  expect(bench.read(at(four, 0), { keep: 14 + 20 + 3 })).toMatchObject(ours);
  expect(bench.read(at(four, 1))).toMatchObject(ours);
  expect(bench.counts).toEqual({ fragments: 5, fragmentsMatched: 1, fragmentsUnmatched: 1 });
});

test('IPv6: a chain of headers that the mirror cut is no tiny fragment, one that ends in no first fragment is', () => {
  const payload = Buffer.concat([hex('1100 010400000000'), datagram.bytes]);
  const first = fragment6(datagram, { offset: 0, length: 1448 }, { next: 60, payload });
  const bench = new InnermostBench();
  bench.read(first, { keep: 14 + 48 + 4 });
  expect(bench.counts).toEqual({ fragments: 1 });
  // RFC 7112: the header says 16 bytes, the fragment has 8
  const long = Buffer.concat([hex('1101 010400000000 0104000000000000'), datagram.bytes]);
  bench.read(fragment6(datagram, { offset: 0, length: 8 }, { next: 60, payload: long, identification: 8 }));
  expect(bench.counts).toEqual({ fragments: 2, fragmentsTiny: 1 });
  // ESP has no ports to hide
  const esp = Buffer.concat([hex('3200 010400000000'), Buffer.alloc(80)]);
  bench.read(fragment6(datagram, { offset: 0, length: 8 }, { next: 60, payload: esp, identification: 9 }));
  expect(bench.counts).toEqual({ fragments: 3, fragmentsTiny: 1 });
});

test('IPv4 options that were cut hide the ports, not the fragment', () => {
  const bench = new InnermostBench();
  const optioned = (bytes: Buffer): Buffer =>
    change(Buffer.concat([bytes.subarray(0, 34), hex('01010101'), bytes.subarray(34)]), 14, '4600 05e0');
  bench.read(optioned(at(four, 0)));
  expect(bench.read(optioned(at(four, 1)), { keep: 36 })).toMatchObject({ ...ours, transportAt: -1 });
  expect(bench.counts).toEqual({ fragments: 2, fragmentsMatched: 1 });
});

test('an IPv6 fragment header around a whole packet is no fragment (RFC 6946)', () => {
  const bench = new InnermostBench();
  const atomic = fragment6(datagram, { offset: 0, length: 1000, more: false });
  expect(bench.read(atomic)).toMatchObject({ ...ours, fragment: 0 });
  expect(bench.counts).toEqual({});
});

test('fragments within a tunnel are known by the packets inside; a tunnel in fragments is one flow', () => {
  const bench = new InnermostBench();
  for (const one of four) {
    const inside = { etherType: EtherType.ipv4, bytes: one.subarray(14) };
    expect(bench.read(framed(tunnels.gre(inside)))).toMatchObject({ ...ours, path: 'gre' });
  }
  expect(bench.counts).toEqual({ fragments: 3, fragmentsMatched: 2, nested: 3 });
  // the same identification under another key is another packet
  const [first, second] = four.map((one) => ({ etherType: EtherType.ipv4, bytes: one.subarray(14) }));
  expect(bench.read(framed(tunnels.grePlain(second!)))).toMatchObject({ ...unknown, path: 'gre' });
  // in another kind of tunnel as well
  bench.read(framed(tunnels.grePlain(first!)));

  expect(bench.read(framed(tunnels.ipv4(second!)))).toMatchObject({ ...unknown, path: 'ipv4' });

  const tunnel: Transport = opaque(
    IpProtocol.gre,
    Buffer.concat([hex('0000 0800'), at(four, 0).subarray(14)]),
  );
  for (const piece of pieces(tunnel.bytes.length, 800)) {
    expect(bench.read(fragment4(tunnel, piece, 9))).toMatchObject({ protocol: 47, ports: 'none', path: '' });
  }
});

test.each([
  ['identification', fragment4(datagram, { offset: 1480, length: 1480 }, 8), {}],
  ['protocol', fragment4(opaque(136, datagram.bytes), { offset: 1480, length: 1480 }), {}],
  ['VNI', at(four, 1), { vni: 8 }],
  ['encapsulation', at(four, 1), { encapsulation: Encapsulation.geneveVxlan }],
  ['endpoint', at(four, 1), { endpointLow: 5 }],
  ['endpoint, upper half', at(four, 1), { endpointHigh: 5 }],
  ['IP version', at(six, 1), {}],
  ['source', change(at(four, 1), 14 + 12, '0a000163'), {}],
  ['destination', change(at(four, 1), 14 + 16, '0a000163'), {}],
])('another %s is another packet', (_name, later, options) => {
  const bench = new InnermostBench();
  bench.read(at(four, 0));
  expect(bench.read(later, options)).toMatchObject({ ports: 'unknown' });
  expect(bench.read(at(four, 1))).toMatchObject(ours);
});

test('IPv6 addresses with the bytes of IPv4 ones are others', () => {
  const bench = new InnermostBench();
  // protocol 0, which the key of IPv6 has, and addresses of which only the first four bytes are not 0
  const later = change(at(four, 1), 14 + 9, '00');
  bench.read(change(at(four, 0), 14 + 9, '00'));
  const zeros = '00000000 00000000 00000000';
  const alike = change(at(six, 1), 14 + 8, `0a00010a ${zeros} 0a000214 ${zeros}`);
  bench.read(alike);
  expect(bench.counts).toEqual({ fragments: 2, fragmentsUnmatched: 1 });
  bench.read(later);
  expect(bench.counts).toMatchObject({ fragmentsMatched: 1 });
});

test('what two mirror sources deliver of one packet does not disturb', () => {
  const bench = new InnermostBench();
  const order = [0, 0, 1, 2, 1, 2, 0, 1];
  for (const index of order) expect(bench.read(at(four, index))).toMatchObject(ours);
  for (const index of [2, 2, 1, 1, 0, 0]) bench.read(at(six, index));
  expect(bench.counts).toEqual({
    fragments: 14,
    fragmentsMatched: 5,
    fragmentsUnmatched: 4,
  });
});

test('another packet with the identification of a whole one is no attack, and has its own ports', () => {
  const bench = new InnermostBench();
  for (const one of four) bench.read(one);
  const other = udpDatagram(3000, 4000, Buffer.alloc(3000));
  for (const piece of pieces(other.bytes.length, 1400)) {
    expect(bench.read(fragment4(other, piece))).toMatchObject({ ports: '3000 > 4000' });
  }
  // of the same length: the first fragment tells them apart
  const third = udpDatagram(5000, 6000, Buffer.alloc(3000));
  for (const piece of pieces(third.bytes.length, 1400)) {
    expect(bench.read(fragment4(third, piece))).toMatchObject({ ports: '5000 > 6000' });
  }
  expect(bench.counts).toEqual({ fragments: 9, fragmentsMatched: 6 });
});

test.each<[string, Transport, Piece, number]>([
  ['TCP without its flags', segment, { offset: 0, length: 8 }, 1],
  ['TCP with its flags', segment, { offset: 0, length: 16 }, 0],
  ['UDP with its ports', datagram, { offset: 0, length: 8 }, 0],
  ['UDP without its ports', datagram, { offset: 0, length: 2 }, 1],
  ['a later one below 8 bytes', datagram, { offset: 16, length: 4 }, 1],
  ['the last one may be short', datagram, { offset: 4000, length: 3, more: false }, 0],
  ['one of a protocol without ports', opaque(50, Buffer.alloc(100)), { offset: 0, length: 8 }, 0],
])('tiny: %s', (_name, transport, piece, tiny) => {
  for (const one of [fragment4(transport, piece), fragment6(transport, piece)]) {
    const bench = new InnermostBench();
    bench.read(one);
    expect(bench.counts['fragmentsTiny'] ?? 0).toBe(tiny);
  }
});

test('a packet is forgotten 30 seconds after its first fragment', () => {
  const bench = new InnermostBench();
  bench.read(at(four, 0), { seconds: 1000 });
  expect(bench.read(at(four, 1), { seconds: 1030 })).toMatchObject(ours);
  expect(bench.read(at(four, 2), { seconds: 1031 })).toMatchObject(unknown);
  // time does not go back a little: what is of 1010 when 1031 was is held for 30 seconds from then
  const late = pieces(2960, 1480).map((piece) => fragment4(datagram, piece, 8));
  bench.read(at(late, 0), { seconds: 1010 });
  expect(bench.read(at(late, 1), { seconds: 1061 })).toMatchObject(ours);
  expect(bench.read(at(late, 1), { seconds: 1062 })).toMatchObject(unknown);
});

test('time that goes back far begins anew', () => {
  const bench = new InnermostBench(8);
  for (let id = 1; id <= 8; id++) {
    bench.read(fragment4(datagram, { offset: 0, length: 1480 }, id), { seconds: 0xffff_ffff });
  }
  bench.read(at(four, 0), { seconds: 1000 });
  expect(bench.read(at(four, 1), { seconds: 1000 })).toMatchObject(ours);
  const stale = fragment4(datagram, { offset: 1480, length: 1480 }, 1);
  expect(bench.read(stale, { seconds: 1000 })).toMatchObject(unknown);
  expect(bench.read(at(four, 1), { seconds: 1031 })).toMatchObject(unknown);
  expect(bench.counts['fragmentsEvicted']).toBeUndefined();
});

test('a full table forgets the oldest, and says so', () => {
  const bench = new InnermostBench(8);
  const first = (id: number): Buffer => fragment4(datagram, { offset: 0, length: 1480 }, id);
  const later = (id: number): Buffer => fragment4(datagram, { offset: 1480, length: 1480 }, id);
  for (let id = 1; id <= 8; id++) bench.read(first(id), { seconds: 1000 + id });
  for (let id = 1; id <= 8; id++) expect(bench.read(later(id), { seconds: 1008 })).toMatchObject(ours);
  expect(bench.counts['fragmentsEvicted']).toBeUndefined();
  bench.read(first(9), { seconds: 1009 });
  expect(bench.counts['fragmentsEvicted']).toBe(1);
  expect(bench.read(later(2), { seconds: 1009 })).toMatchObject(ours);
  expect(bench.read(later(9), { seconds: 1009 })).toMatchObject(ours);
  expect(bench.read(later(1), { seconds: 1009 })).toMatchObject(unknown);
  expect(bench.counts['fragmentsEvicted']).toBe(2);
  // what is out of time makes room unnoticed
  for (let id = 20; id <= 25; id++) bench.read(first(id), { seconds: 1200 });
  expect(bench.counts['fragmentsEvicted']).toBe(2);
});

test('a table has 2^n entries, at least 8', () => {
  const tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  for (const entries of [0, 4, 12, 100]) {
    expect(() => new FragmentTable({ tally, entries, timeoutSeconds: 30 })).toThrow(AssertionFailure);
  }
});
