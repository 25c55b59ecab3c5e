import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  echo,
  frame,
  ipv4Packet,
  ipv6Packet,
  opaque,
  tcpSegment,
  type Transport,
  udpDatagram,
} from '../../../samples/make/packets.ts';
import { client, server } from '../../../samples/make/traffic.ts';
import { Lost } from '../../../src/packet/frame-completer.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { Verdict } from '../../../src/packet/verdict.ts';
import { IpProtocol } from '../../../src/wire/ip-protocol.ts';
import { completed } from '../../support/cut-frames.ts';
import { readFrame } from '../../support/judging.ts';
import { requires } from '../../support/requires.ts';
import { tsharkFields } from '../../support/tshark-fields.ts';

const optionLists = ['', '020405b4', '0101080a1122334455667788', '020405b40402080a11223344000000000103 0307'];

/** Ports, and data, that no dissector takes for something it knows. */
function transport(kind: number, data: Buffer, options: number): Transport {
  const ports = { sourcePort: 50_001, destinationPort: 50_003 };
  const list = Buffer.from((optionLists[options] ?? '').replaceAll(' ', ''), 'hex');
  switch (kind) {
    case 0:
      return tcpSegment({
        ...ports,
        sequence: 77,
        acknowledgement: 99,
        flags: 0x10,
        data,
        options: list.subarray(0, list.length & ~3),
      });
    case 1:
      return udpDatagram(ports.sourcePort, ports.destinationPort, data);
    case 2:
      return echo(IpProtocol.icmp, 8, 1, 2, data.length);
    default:
      return opaque(253, data);
  }
}

const cases = fc
  .record({
    kind: fc.integer({ min: 0, max: 3 }),
    version: fc.constantFrom(4 as const, 6 as const),
    data: fc.uint8Array({ min: 0xf0, minLength: 1, maxLength: 400, size: 'max' }),
    options: fc.integer({ min: 0, max: 3 }),
    tags: fc.array(fc.integer({ min: 1, max: 4094 }), { maxLength: 2 }),
    raw: fc.boolean(),
    checksum: fc.constantFrom('valid' as const, 'partial' as const, 'zero' as const, 'bad' as const),
    keep: fc.integer({ min: 0, max: 1000 }),
    bytesMax: fc.integer({ min: 1, max: 600 }),
    how: fc.constantFrom('pad' as const, 'shorten' as const),
  })
  .map(({ kind, version, data, options, tags, raw, checksum, keep, bytesMax, how }) => {
    const of6 = version === 6 && kind === 2;
    const inner = of6
      ? echo(IpProtocol.icmpv6, 128, 1, 2, data.length)
      : transport(kind, Buffer.from(data), options);
    const packet =
      version === 4
        ? ipv4Packet(client.ipv4, server.ipv4, inner, { checksum })
        : ipv6Packet(client.ipv6, server.ipv6, inner, { checksum });
    const etherType = version === 4 ? 0x0800 : 0x86dd;
    const whole = raw ? packet : frame(client.mac, server.mac, packet, etherType, tags);
    const linkType = raw ? LinkType.raw : LinkType.ethernet;
    return {
      whole,
      linkType,
      keep: Math.round((whole.length * keep) / 1000),
      bytesMax,
      how,
      ipAt: whole.length - packet.length,
    };
  });

test('what leaves is never longer than it may be, and says of itself what is there, with right checksums', () => {
  fc.assert(
    fc.property(cases, ({ whole, linkType, keep, bytesMax, how, ipAt }) => {
      const { lost, frame: made, wasShortened } = completed(how, whole, keep, bytesMax, linkType);
      if (lost === Lost.header || made === undefined) return;
      expect(made.length).toBeLessThanOrEqual(bytesMax);
      const layers = readFrame(made, linkType);
      expect(layers.truncated).toBe(0);
      expect(layers.ipEnd - layers.frameAt).toBe(made.length);
      expect([Verdict.none, Verdict.valid]).toContain(layers.ipVerdict);
      expect([Verdict.none, Verdict.valid, Verdict.zero]).toContain(layers.transportVerdict);
      expect(wasShortened).toBe(made.length < whole.length || how === 'shorten');
      // tags and addresses are those that arrived
      expect(made.subarray(0, ipAt)).toEqual(whole.subarray(0, ipAt));
      expect(made.subarray(ipAt + 12, ipAt + 20)).toEqual(whole.subarray(ipAt + 12, ipAt + 20));
    }),
    { numRuns: 3000 },
  );
});

test('an IP packet without room for its UDP header: nothing is written behind it', () => {
  const bytes = Buffer.from('4500001500000000401163b20a00010a0a000214c351c353000a7126f0f0', 'hex');
  for (const keep of [21, 22, 25])
    expect(completed('shorten', bytes, keep, 21, LinkType.raw).frame?.length).toBe(21);
});

test('whatever the bytes: nothing is thrown, nothing around is changed, nothing is too long', () => {
  const changes = fc.array(fc.tuple(fc.integer({ min: 0, max: 120 }), fc.integer({ min: 0, max: 255 })), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(cases, changes, ({ whole, linkType, keep, bytesMax, how }, changed) => {
      const bytes = Buffer.from(whole);
      for (const [at, value] of changed) if (at < bytes.length) bytes[at] = value;
      const { lost, frame: made } = completed(how, bytes, keep, bytesMax, linkType);
      if (lost === Lost.header) expect(made).toBeUndefined();
      if (made === undefined) return;
      expect(made.length).toBeLessThanOrEqual(bytesMax);
      expect(readFrame(made, linkType).truncated).toBe(0);
    }),
    { numRuns: 5000 },
  );
});

test.skipIf(!requires('tshark')).each([
  ['Ethernet', LinkType.ethernet],
  ['raw IP', LinkType.raw],
] as const)('tshark has nothing to say against any of them: %s', (_name, linkType) => {
  const frames = fc
    .sample(cases, { numRuns: 3000, seed: 20_261_121, unbiased: true })
    .filter((one) => one.linkType === linkType)
    .flatMap(({ whole, keep, bytesMax, how }) => {
      const { lost, frame: made } = completed(how, whole, keep, bytesMax, linkType);
      return lost === Lost.header || made === undefined ? [] : [made];
    });
  expect(frames.length).toBeGreaterThan(300);
  const states = [
    'ip.checksum.status',
    'tcp.checksum.status',
    'udp.checksum.status',
    'icmp.checksum.status',
    'icmpv6.checksum.status',
  ];
  const rows = tsharkFields(frames, linkType, [
    '_ws.malformed',
    '_ws.short',
    '_ws.expert.severity',
    'frame.len',
    'ip.len',
    'ipv6.plen',
    ...states,
  ]);
  const ERROR = 8_388_608;
  const against = rows.flatMap((row, i) => {
    const isBad = states.some((state) => row[state]?.includes('0'));
    // its sender left the checksum out, which IPv6 does not allow
    const isAgainstRules = row['udp.checksum.status']?.[0] === '4';
    const severities = row['_ws.expert.severity'] ?? [];
    const isError = !isAgainstRules && severities.some((severity) => Number(severity) >= ERROR);
    const isMalformed = (row['_ws.malformed']?.length ?? 0) + (row['_ws.short']?.length ?? 0) > 0;
    return isBad || isError || isMalformed ? [{ frame: frames[i]?.toString('hex'), row }] : [];
  });
  expect(against).toEqual([]);
});
