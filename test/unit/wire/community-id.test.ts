import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../../../src/wire/address.ts';
import { communityId, TUPLE_MAX_LEN, writeTuple } from '../../../src/wire/community-id.ts';
import { EtherType } from '../../../src/wire/ether-type.ts';
import * as ethernet from '../../../src/wire/ethernet.ts';
import * as icmp from '../../../src/wire/icmp.ts';
import { IpProtocol } from '../../../src/wire/ip-protocol.ts';
import * as ipv4 from '../../../src/wire/ipv4.ts';
import { ExtensionWalk, walk } from '../../../src/wire/ipv6-extension.ts';
import * as ipv6 from '../../../src/wire/ipv6.ts';
import * as udp from '../../../src/wire/udp.ts';
import { requiresCaptures } from '../../support/requires.ts';
import { communityIdVectors } from '../../vectors/community-id.ts';

const tuple = new Uint8Array(TUPLE_MAX_LEN);

function sha1(bytes: Uint8Array): Uint8Array {
  return createHash('sha1').update(bytes).digest();
}

/** The id of a flow between two addresses given as text. */
function idOf(protocol: number, source: string, destination: string, ports: readonly number[] | undefined) {
  const from = parseAddress(source)!;
  const to = parseAddress(destination)!;
  const bytes = Uint8Array.from([...from.bytes, ...to.bytes]);
  const [first, second] = ports ?? [0, 0];
  const len = writeTuple(
    tuple,
    0,
    bytes,
    from.version,
    0,
    from.bytes.length,
    protocol,
    first!,
    second!,
    ports !== undefined,
  );
  return communityId(tuple.subarray(0, len), sha1);
}

test.each(communityIdVectors)('$name', ({ protocol, source, destination, ports, id }) => {
  expect(idOf(protocol, source, destination, ports)).toBe(id);
});

test('the tuple is seed, addresses, protocol, padding and ports', () => {
  const bytes = Uint8Array.from([9, 9, 10, 0, 0, 2, 10, 0, 0, 1]);
  tuple.fill(0xa5);
  const len = writeTuple(tuple, 0x1234, bytes, 4, 2, 6, IpProtocol.tcp, 80, 0xabcd, true);
  const sorted = [0x12, 0x34, 10, 0, 0, 1, 10, 0, 0, 2, 6, 0, 0xab, 0xcd, 0, 80];
  expect([...tuple.subarray(0, len)]).toEqual(sorted);
  expect(tuple[len]).toBe(0xa5);
});

test.each([
  { protocol: IpProtocol.icmp, type: icmp.Type.timeExceeded },
  { protocol: IpProtocol.icmpv6, type: 3 },
])('a one-way type of protocol $protocol keeps its direction, also towards the lower address', (row) => {
  const bytes = Uint8Array.from([10, 0, 0, 2, 10, 0, 0, 1]);
  const len = writeTuple(tuple, 0, bytes, 4, 0, 4, row.protocol, row.type, 1, true);
  const kept = [0, 0, 10, 0, 0, 2, 10, 0, 0, 1, row.protocol, 0, 0, row.type, 0, 1];
  expect([...tuple.subarray(0, len)]).toEqual(kept);
});

test('without ports an ICMP fragment still has an id, the same both ways', () => {
  expect(idOf(1, '192.0.2.2', '192.0.2.1', undefined)).toBe(idOf(1, '192.0.2.1', '192.0.2.2', undefined));
});

test('between equal addresses the ports decide', () => {
  expect(idOf(6, '::1', '::1', [80, 9])).toBe(idOf(6, '::1', '::1', [9, 80]));
});

test('both directions of a flow have one id, and other ports or protocols another', () => {
  const address = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const port = fc.nat(0xffff);
  fc.assert(
    fc.property(address, address, port, port, (source, destination, first, second) => {
      const [a, b] = [formatAddress(source, 0, 6), formatAddress(destination, 0, 6)];
      const id = idOf(17, a, b, [first, second]);
      expect(idOf(17, b, a, [second, first])).toBe(id);
      expect(idOf(6, a, b, [first, second])).not.toBe(id);
      expect(idOf(17, a, b, [first, second ^ 1])).not.toBe(id);
    }),
  );
});

interface BaselineRow {
  readonly proto: number;
  readonly saddr: string;
  readonly daddr: string;
  readonly sport: number | null;
  readonly dport: number | null;
  readonly communityid: string;
}

const captures = requiresCaptures();

describe.skipIf(captures === undefined)('baseline of the specification', () => {
  const folder = join(captures ?? '', 'community-id');
  const baseline = (): BaselineRow[] => JSON.parse(readFileSync(join(folder, 'baseline.json'), 'utf8'));

  test('every row', () => {
    for (const row of baseline()) {
      const ports = row.sport === null || row.dport === null ? undefined : [row.sport, row.dport];
      expect(idOf(row.proto, row.saddr, row.daddr, ports)).toBe(row.communityid);
    }
  });

  test('the packets of its captures have the ids of its rows, and each row has a packet', () => {
    const files = ['tcp', 'udp', 'icmp', 'icmp6', 'ipv6', 'sctp', 'rsvp', 'arp'];
    const found = new Set(files.flatMap((file) => idsOfPcap(readFileSync(join(folder, `${file}.pcap`)))));
    expect([...found].toSorted()).toEqual(
      [...new Set(baseline().map((row) => `${row.saddr} ${row.daddr} ${row.communityid}`))].toSorted(),
    );
  });
});

/** `source destination id` of every IP packet of a little-endian pcap of Ethernet frames. */
function idsOfPcap(file: Buffer): string[] {
  const ids: string[] = [];
  for (let at = 24; at < file.length; at += 16 + file.readUInt32LE(at + 8)) {
    const id = idOfFrame(file, at + 16, at + 16 + file.readUInt32LE(at + 8));
    if (id !== undefined) ids.push(id);
  }
  return ids;
}

function idOfFrame(bytes: Uint8Array, at: number, end: number): string | undefined {
  const ipAt = at + ethernet.HEADER_LEN;
  switch (ethernet.etherType(bytes, at)) {
    case EtherType.ipv4: {
      const transportAt = ipAt + ipv4.headerLen(bytes, ipAt);
      return idOfPacket(
        bytes,
        4,
        ipAt + ipv4.SOURCE,
        ipAt + ipv4.DESTINATION,
        ipv4.protocol(bytes, ipAt),
        transportAt,
      );
    }
    case EtherType.ipv6: {
      const extensions = new ExtensionWalk();
      walk(bytes, ipAt, end, extensions);
      const { protocol, transportAt } = extensions;
      return idOfPacket(bytes, 6, ipAt + ipv6.SOURCE, ipAt + ipv6.DESTINATION, protocol, transportAt);
    }
    default:
      return undefined;
  }
}

function idOfPacket(
  bytes: Uint8Array,
  version: number,
  sourceAt: number,
  destinationAt: number,
  protocol: number,
  at: number,
): string {
  const isIcmp = protocol === IpProtocol.icmp || protocol === IpProtocol.icmpv6;
  const hasPorts =
    isIcmp || [IpProtocol.tcp, IpProtocol.udp, IpProtocol.sctp].some((known) => known === protocol);
  const first = isIcmp ? icmp.type(bytes, at) : udp.sourcePort(bytes, at);
  const second = isIcmp ? icmp.code(bytes, at) : udp.destinationPort(bytes, at);
  const len = writeTuple(
    tuple,
    0,
    bytes,
    version,
    sourceAt,
    destinationAt,
    protocol,
    first,
    second,
    hasPorts,
  );
  const id = communityId(tuple.subarray(0, len), sha1);
  return `${formatAddress(bytes, sourceAt, version)} ${formatAddress(bytes, destinationAt, version)} ${id}`;
}
