import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { NameKind } from '../../src/packet/flow-record.ts';
import { AnalysisTally } from '../../src/receive/analysis-tally.ts';
import * as dns from '../../src/wire/dns.ts';
import { HttpRequest, isResponse, readRequest } from '../../src/wire/http-request.ts';
import { NameText } from '../../src/wire/name-text.ts';
import * as quic from '../../src/wire/quic-initial.ts';
import { ClientHello, readClientHello } from '../../src/wire/tls-client-hello.ts';
import * as record from '../../src/wire/tls-record.ts';
import {
  applicationProtocols,
  clientHello,
  handshakeRecords,
  prefixed,
  serverName,
  signatureAlgorithms,
  supportedVersions,
} from '../support/client-hello.ts';
import { guardedBytes } from '../support/guarded-bytes.ts';
import { hex } from '../support/hex.ts';
import { LookedFlow, makeFinder } from '../support/name-looking.ts';
import { cryptoFrame, initialPacket } from '../support/quic-client.ts';
import { scaled } from '../support/scale.ts';
import { mutated, Seeded } from '../support/seeded.ts';
import { dnsHostile, dnsVectors } from '../vectors/dns.ts';
import { quicInitialVectors } from '../vectors/quic-initial.ts';

const hello = clientHello({
  ciphers: [0x0a0a, 0x1301, 0x1302],
  extensions: [
    serverName('www.example.com'),
    applicationProtocols(Buffer.from('h2'), Buffer.from('http/1.1')),
    supportedVersions(0x0304, 0x0303),
    signatureAlgorithms(0x0403, 0x0804),
    [0x0033, Buffer.alloc(300, 7)],
  ],
});
const request = Buffer.from('GET /index HTTP/1.1\r\nAccept: */*\r\nHost: www.example.com:8080\r\n\r\n');
const messages = [...dnsVectors, ...dnsHostile].map(({ bytes }) => Buffer.from(hex(bytes)));
const datagrams = quicInitialVectors.map(({ bytes }) => Buffer.from(hex(bytes)));

/** Parsers of names. `bytes` throws when a byte outside `at .. end - 1` is read, and when reading does not end. */
const parsers = [
  {
    name: 'dns',
    seeds: messages,
    parse(bytes: Uint8Array, at: number, end: number) {
      if (!dns.complete(at, end)) return;
      dns.plausible(bytes, at);
      const text = new NameText();
      const after = dns.putName(bytes, at, at + dns.HEADER_LEN, end, text);
      if (after < 0) return;
      expect(after).toBeLessThanOrEqual(end);
      if (!dns.recordComplete(bytes, after, end)) return;
      const dataAt = after + dns.RECORD_FIXED_LEN;
      text.clear();
      dns.putName(bytes, at, dataAt, dataAt + dns.dataLength(bytes, after), text);
    },
  },
  {
    name: 'TLS record',
    seeds: [handshakeRecords(hello)],
    parse(bytes: Uint8Array, at: number, end: number) {
      if (record.complete(at, end)) record.isHandshake(bytes, at);
    },
  },
  {
    name: 'ClientHello',
    seeds: [hello],
    parse(bytes: Uint8Array, at: number, end: number) {
      const found = new ClientHello();
      readClientHello(bytes, at, end, found);
      for (const part of [
        'ciphers',
        'extensions',
        'serverName',
        'protocol',
        'versions',
        'signatures',
      ] as const) {
        if (found[`${part}At`] === -1) continue;
        expect(found[`${part}At`]).toBeGreaterThan(at);
        expect(found[`${part}End`]).toBeGreaterThanOrEqual(found[`${part}At`]);
        expect(found[`${part}End`]).toBeLessThanOrEqual(end);
      }
    },
  },
  {
    name: 'HTTP request',
    seeds: [request],
    parse(bytes: Uint8Array, at: number, end: number) {
      const found = new HttpRequest();
      isResponse(bytes, at, end);
      readRequest(bytes, at, end, found);
      expect(found.methodEnd).toBeLessThan(end);
      expect(found.hostEnd).toBeLessThanOrEqual(end);
      expect(found.hostEnd).toBeGreaterThanOrEqual(found.hostAt);
    },
  },
  {
    name: 'QUIC long header',
    seeds: datagrams,
    parse(bytes: Uint8Array, at: number, end: number) {
      const found = new quic.LongHeader();
      if (!quic.isLongHeader(bytes, at, end) || !quic.readLongHeader(bytes, at, end, found)) return;
      expect(found.packetNumberAt).toBeLessThanOrEqual(found.packetEnd);
      expect(found.packetEnd).toBeLessThanOrEqual(end);
      expect(found.destinationIdAt + found.destinationIdLen).toBeLessThan(end);
    },
  },
];

test.each(parsers)('$name: no bytes make it read outside, write or not end', ({ parse, seeds }) => {
  const random = fc.uint8Array({ maxLength: 300 });
  const changed = fc
    .tuple(fc.constantFrom(...seeds), fc.integer())
    .map(([bytes, seed]) => mutated(new Seeded(seed), bytes));
  fc.assert(
    fc.property(fc.oneof(random, changed), fc.nat(20), fc.nat(20), (inner, before, after) => {
      const bytes = Buffer.concat([Buffer.alloc(before, 0x16), inner, Buffer.alloc(after, 0x61)]);
      parse(guardedBytes(bytes, before, before + inner.length), before, before + inner.length);
    }),
    { numRuns: scaled(20_000) },
  );
});

/** A few payloads of one flow: a conversation with mistakes in it. */
function conversation(random: Seeded) {
  const id = Buffer.alloc(8, random.below(256));
  const split = random.below(hello.length);
  const kind = random.below(6);
  const ports = random.pick([[40_000, 53] as const, [40_000, 443] as const]);
  const stream = random.pick([
    handshakeRecords(hello, 1 + random.below(600)),
    request,
    prefixed(messages[1]!, 2),
  ]);
  const frames = [cryptoFrame(0, hello.subarray(0, split)), cryptoFrame(split, hello.subarray(split))];
  const packets = frames.map((one, packetNumber) =>
    initialPacket({
      destinationId: id,
      packetNumber,
      frames: Buffer.concat([random.below(2) === 0 ? one : mutated(random, one), Buffer.alloc(1200)]),
    }),
  );
  return Array.from({ length: 8 }, () => {
    const from = random.below(3) === 0 ? random.below(stream.length) : 0;
    const to = Math.min(stream.length, from + random.below(stream.length + 1));
    const payload =
      kind < 3
        ? stream.subarray(from, to)
        : random.pick(kind === 3 ? messages : kind === 4 ? datagrams : packets);
    return {
      protocol: kind < 3 ? ('tcp' as const) : ('udp' as const),
      payload: random.below(3) === 0 ? mutated(random, payload) : payload,
      ports,
      sequence: (0xffff_ff00 + from) % 2 ** 32,
      fromClient: random.below(4) > 0,
      whole: random.below(4) > 0,
    };
  });
}

test('conversations with mistakes: what lies around a packet changes nothing, and all memory comes back', () => {
  const kinds = new Set<string>();
  for (let seed = 0; seed < scaled(3_000); seed++) {
    const [one, other] = [0x16, 0x00].map((filling) => {
      const random = new Seeded(seed);
      const { finder, tally } = makeFinder(random.below(2) === 0 ? 1 << 16 : 64 * (1 + random.below(20)));
      const flows = Array.from({ length: 3 }, () => ({
        flow: new LookedFlow(finder, filling),
        packets: conversation(random),
      }));
      for (let turn = 0; turn < 24; turn++) {
        const { flow, packets } = flows[turn % 3]!;
        flow.show(packets[Math.floor(turn / 3)]!);
        if (random.below(12) === 0) flow.end();
      }
      const names = flows.map(({ flow }) => flow.names);
      for (const { flow } of flows) flow.end();
      expect(tally[AnalysisTally.nameBytes]).toBe(0);
      return { names, dropped: tally[AnalysisTally.namesDropped] };
    });
    expect(one, `seed ${seed}`).toEqual(other);
    for (const name of one!.names.flat()) {
      expect(name, `seed ${seed}`).toMatch(/^\w+ [!-~]{1,255}$/);
      kinds.add(name.split(' ', 1)[0]!);
    }
  }
  expect([...kinds].toSorted()).toEqual(Object.keys(NameKind).toSorted());
});
