import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ABSENT, ExtensionWalk, walk } from '../../src/wire/ipv6-extension.ts';
import * as arp from '../../src/wire/arp.ts';
import * as aws from '../../src/wire/aws-option.ts';
import { sum } from '../../src/wire/checksum.ts';
import { TUPLE_MAX_LEN, writeTuple } from '../../src/wire/community-id.ts';
import * as ethernet from '../../src/wire/ethernet.ts';
import { Fault } from '../../src/wire/fault.ts';
import * as geneve from '../../src/wire/geneve.ts';
import * as gre from '../../src/wire/gre.ts';
import * as icmp from '../../src/wire/icmp.ts';
import * as icmpv6 from '../../src/wire/icmpv6.ts';
import * as ipv4 from '../../src/wire/ipv4.ts';
import * as ipv6 from '../../src/wire/ipv6.ts';
import * as tcp from '../../src/wire/tcp.ts';
import * as udp from '../../src/wire/udp.ts';
import * as vlan from '../../src/wire/vlan.ts';
import * as vxlan from '../../src/wire/vxlan.ts';
import { guardedBytes } from '../support/guarded-bytes.ts';
import { hex } from '../support/hex.ts';
import { scaled } from '../support/scale.ts';
import { arpVectors } from '../vectors/arp.ts';
import { ethernetVectors } from '../vectors/ethernet.ts';
import { geneveFaults, geneveVectors } from '../vectors/geneve.ts';
import { greVectors } from '../vectors/gre.ts';
import { icmpVectors } from '../vectors/icmp.ts';
import { icmpv6Vectors } from '../vectors/icmpv6.ts';
import { ipv4Incomplete, ipv4Vectors } from '../vectors/ipv4.ts';
import { extensionVectors } from '../vectors/ipv6-extension.ts';
import { ipv6Vectors } from '../vectors/ipv6.ts';
import { tcpIncomplete, tcpVectors } from '../vectors/tcp.ts';
import { udpVectors } from '../vectors/udp.ts';
import { vlanVectors } from '../vectors/vlan.ts';
import { vxlanVectors } from '../vectors/vxlan.ts';

/**
 * Every parser with every reader that its check allows. `bytes` throws when a byte outside `at .. end - 1` is
 * read, when one is written and when reading does not end: no byte string may make a parser do any of it.
 */
interface Parser {
  readonly name: string;
  /** Says whether the check let the header pass; the readers are called where it did. */
  readonly parse: (bytes: Uint8Array, at: number, end: number) => boolean;
  /** Known headers, good and bad, to start mutations from. */
  readonly seeds: readonly { readonly bytes: string }[];
}

const walked = new ExtensionWalk();
const tuple = new Uint8Array(TUPLE_MAX_LEN);

const parsers: readonly Parser[] = [
  {
    name: 'ethernet',
    seeds: ethernetVectors,
    parse(bytes, at, end) {
      if (!ethernet.complete(at, end)) return false;
      expectWithin(ethernet.etherType(bytes, at), 0xffff);
      return true;
    },
  },
  {
    name: 'vlan',
    seeds: vlanVectors,
    parse(bytes, at, end) {
      if (!vlan.complete(at, end)) return false;
      expectWithin(vlan.id(bytes, at), vlan.ID_MAX);
      expectWithin(vlan.priority(bytes, at), vlan.PRIORITY_MAX);
      vlan.dropEligible(bytes, at);
      expectWithin(vlan.etherType(bytes, at), 0xffff);
      return true;
    },
  },
  {
    name: 'arp',
    seeds: arpVectors,
    parse(bytes, at, end) {
      if (!arp.complete(bytes, at, end)) return false;
      expectWithin(arp.operation(bytes, at), 0xffff);
      return true;
    },
  },
  {
    name: 'ipv4',
    seeds: [...ipv4Vectors, ...ipv4Incomplete],
    parse(bytes, at, end) {
      if (!ipv4.complete(bytes, at, end)) return false;
      expect(ipv4.version(bytes, at)).toBe(4);
      expectWithin(ipv4.headerLen(bytes, at), end - at);
      expectWithin(ipv4.totalLength(bytes, at), ipv4.TOTAL_LEN_MAX);
      expectWithin(ipv4.typeOfService(bytes, at), 0xff);
      expectWithin(ipv4.identification(bytes, at), 0xffff);
      expectWithin(ipv4.fragmentOffset(bytes, at), 65_528);
      expect(ipv4.isFragment(bytes, at)).toBe(
        ipv4.moreFragments(bytes, at) || ipv4.fragmentOffset(bytes, at) > 0,
      );
      ipv4.dontFragment(bytes, at);
      expectWithin(ipv4.ttl(bytes, at), 0xff);
      expectWithin(ipv4.protocol(bytes, at), 0xff);
      expectWithin(ipv4.headerChecksum(bytes, at), 0xffff);
      const length = writeTuple(
        tuple,
        0,
        bytes,
        4,
        at + ipv4.SOURCE,
        at + ipv4.DESTINATION,
        ipv4.protocol(bytes, at),
        8,
        0,
        true,
      );
      expect(length).toBe(16);
      return true;
    },
  },
  {
    name: 'ipv6',
    seeds: ipv6Vectors,
    parse(bytes, at, end) {
      if (!ipv6.complete(bytes, at, end)) return false;
      expectWithin(ipv6.trafficClass(bytes, at), 0xff);
      expectWithin(ipv6.flowLabel(bytes, at), 0xf_ffff);
      expectWithin(ipv6.payloadLength(bytes, at), ipv6.PAYLOAD_LEN_MAX);
      expectWithin(ipv6.hopLimit(bytes, at), 0xff);
      const protocol = ipv6.nextHeader(bytes, at);
      const [sourceAt, destinationAt] = [at + ipv6.SOURCE, at + ipv6.DESTINATION];
      expect(writeTuple(tuple, 0, bytes, 6, sourceAt, destinationAt, protocol, 128, 0, true)).toBe(40);
      return true;
    },
  },
  {
    name: 'ipv6-extension',
    seeds: extensionVectors.map(({ first, bytes }) => ({
      bytes: `60000000 0000 ${first.toString(16).padStart(2, '0')} 40 ${'00'.repeat(32)} ${bytes}`,
    })),
    parse(bytes, at, end) {
      if (!ipv6.complete(bytes, at, end)) return false;
      walk(bytes, at, end, walked);
      const { transportAt, pseudoDestinationAt } = walked;
      expectWithin(walked.protocol, 0xff);
      if (transportAt !== ABSENT) {
        expect(walked.complete).toBe(1);
        expectWithin(transportAt - at - ipv6.HEADER_LEN, end - at - ipv6.HEADER_LEN);
      }
      if (pseudoDestinationAt !== ABSENT) expect(pseudoDestinationAt + 16).toBeLessThanOrEqual(end);
      if (walked.complete === 1 && walked.fragmentOffset === 0) expect(transportAt).not.toBe(ABSENT);
      return walked.complete === 1;
    },
  },
  {
    name: 'udp',
    seeds: udpVectors,
    parse(bytes, at, end) {
      if (!udp.complete(at, end)) return false;
      for (const read of [udp.sourcePort, udp.destinationPort, udp.length, udp.checksum]) {
        expectWithin(read(bytes, at), 0xffff);
      }
      return true;
    },
  },
  {
    name: 'tcp',
    seeds: [...tcpVectors, ...tcpIncomplete],
    parse(bytes, at, end) {
      if (!tcp.complete(bytes, at, end)) return false;
      for (const read of [tcp.sourcePort, tcp.destinationPort, tcp.window, tcp.checksum, tcp.urgent]) {
        expectWithin(read(bytes, at), 0xffff);
      }
      expectWithin(tcp.sequence(bytes, at), 0xffff_ffff);
      expectWithin(tcp.acknowledgement(bytes, at), 0xffff_ffff);
      expectWithin(tcp.flags(bytes, at), 0xff);
      const optionsEnd = at + tcp.headerLen(bytes, at);
      expect(optionsEnd).toBeLessThanOrEqual(end);
      for (const kind of Object.values(tcp.OptionKind)) {
        const optionAt = tcp.findOption(bytes, at, kind);
        if (optionAt < 0) continue;
        expect(bytes[optionAt]).toBe(kind);
        expect(optionAt + bytes[optionAt + 1]!).toBeLessThanOrEqual(optionsEnd);
      }
      return true;
    },
  },
  { name: 'icmp', seeds: icmpVectors, parse: (bytes, at, end) => parseIcmp(icmp, bytes, at, end) },
  { name: 'icmpv6', seeds: icmpv6Vectors, parse: (bytes, at, end) => parseIcmp(icmpv6, bytes, at, end) },
  {
    name: 'vxlan',
    seeds: vxlanVectors,
    parse(bytes, at, end) {
      if (vxlan.check(bytes, at, end) !== Fault.none) return false;
      expectWithin(vxlan.vni(bytes, at), vxlan.VNI_MAX);
      vxlan.reservedBits(bytes, at);
      return true;
    },
  },
  {
    name: 'geneve',
    seeds: [...geneveVectors, ...geneveFaults],
    parse(bytes, at, end) {
      if (geneve.check(bytes, at, end) !== Fault.none) return false;
      expectWithin(geneve.vni(bytes, at), geneve.VNI_MAX);
      expectWithin(geneve.protocolType(bytes, at), 0xffff);
      expectWithin(geneve.headerLen(bytes, at), end - at);
      expect(geneve.isControl(bytes, at)).toBe(false);
      geneve.reservedBits(bytes, at);
      for (const type of [aws.ENDPOINT, aws.ATTACHMENT, aws.FLOW_COOKIE]) {
        const dataAt = geneve.findOption(bytes, at, aws.CLASS, type);
        if (dataAt < 0) continue;
        const dataEnd = dataAt + geneve.optionDataLen(bytes, dataAt);
        expect(dataEnd).toBeLessThanOrEqual(at + geneve.headerLen(bytes, at));
      }
      return true;
    },
  },
  {
    name: 'gre',
    seeds: greVectors,
    parse(bytes, at, end) {
      if (!gre.complete(bytes, at, end)) return false;
      expectWithin(gre.headerLen(bytes, at), end - at);
      expectWithin(gre.protocolType(bytes, at), 0xffff);
      if (gre.hasKey(bytes, at)) expectWithin(gre.key(bytes, at), 0xffff_ffff);
      return true;
    },
  },
];

function parseIcmp(header: typeof icmp | typeof icmpv6, bytes: Uint8Array, at: number, end: number): boolean {
  if (!header.complete(at, end)) return false;
  expectWithin(header.type(bytes, at), 0xff);
  expectWithin(header.code(bytes, at), 0xff);
  for (const read of [header.checksum, header.echoId, header.echoSequence]) {
    expectWithin(read(bytes, at), 0xffff);
  }
  return true;
}

function expectWithin(value: number, max: number): void {
  if (!(Number.isInteger(value) && value >= 0 && value <= max)) expect(value).toBe(`an integer in 0..${max}`);
}

/** Random bytes, and known headers with some bytes changed, cut or lengthened. */
function candidates(seeds: readonly { readonly bytes: string }[]): fc.Arbitrary<Uint8Array> {
  const known = fc.constantFrom(...seeds.map((seed) => hex(seed.bytes)));
  const change = fc.tuple(
    fc.nat(300),
    fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x3c, 0x2b, 0x2c, 0x80, 0xff)),
  );
  const mutated = fc
    .tuple(known, fc.uint8Array({ maxLength: 60 }), fc.array(change, { maxLength: 6 }), fc.nat(360))
    .map(([header, more, changes, len]) => {
      const bytes = Uint8Array.from([...header, ...more]);
      for (const [where, value] of changes) if (bytes.length > 0) bytes[where % bytes.length] = value;
      return bytes.slice(0, len);
    });
  return fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    { weight: 4, arbitrary: mutated },
  );
}

test.each(parsers)('$name: no bytes make it read outside, loop, write or throw', ({ parse, seeds }) => {
  let passed = 0;
  const numRuns = scaled(25_000);
  fc.assert(
    fc.property(candidates(seeds), fc.nat(20), (packet, at) => {
      const block = new Uint8Array(at + packet.length + 80).fill(0xff);
      block.set(packet, at);
      const end = at + packet.length;
      if (parse(guardedBytes(block, at, end), at, end)) passed++;
    }),
    { numRuns },
  );
  expect(passed).toBeGreaterThan(numRuns / 50);
});

test.each(parsers)('$name: what stands behind the end changes nothing', ({ parse, seeds }) => {
  fc.assert(
    fc.property(candidates(seeds), fc.nat(255), (packet, filling) => {
      const block = new Uint8Array(packet.length + 80).fill(filling);
      block.set(packet);
      const exact = packet.slice();
      expect(parse(block, 0, packet.length)).toBe(parse(exact, 0, exact.length));
    }),
    { numRuns: scaled(5_000) },
  );
});

test('checksum: nothing outside the range is summed, and a range that reaches the end of memory is fine', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(9), fc.nat(255), (packet, at, filling) => {
      const block = new Uint8Array(at + packet.length + 40).fill(filling);
      block.set(packet, at);
      const total = sum(new DataView(packet.buffer), 0, packet.length);
      expect(sum(new DataView(block.buffer), at, at + packet.length)).toBe(total);
    }),
    { numRuns: scaled(20_000) },
  );
});

test('the guard itself notices what it is there for', () => {
  const bytes = guardedBytes(new Uint8Array(10), 2, 6);
  expect(bytes[2]).toBe(0);
  expect(() => bytes[6]).toThrow('outside');
  expect(() => bytes[1]).toThrow('outside');
  expect(() => bytes.length).toThrow('no byte');
  expect(() => {
    bytes[3] = 1;
  }).toThrow('wrote');
  expect(() => {
    for (;;) expect(bytes[3]).toBe(0);
  }).toThrow('read more');
});
