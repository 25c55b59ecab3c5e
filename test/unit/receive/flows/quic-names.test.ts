import { describe, expect, test } from 'vitest';
import { nameHashes } from '../../../../src/app/name-hashes.ts';
import { AnalysisTally } from '../../../../src/receive/analysis-tally.ts';
import { clientInitialKeys } from '../../../../src/receive/flows/quic-keys.ts';
import type { QuicVersion } from '../../../../src/wire/quic-initial.ts';
import {
  applicationProtocols,
  clientHello,
  serverName,
  supportedVersions,
} from '../../../support/client-hello.ts';
import { hex, toHex } from '../../../support/hex.ts';
import { LookedFlow, makeFinder, namesIn } from '../../../support/name-looking.ts';
import { cryptoFrame, initialPacket, varint } from '../../../support/quic-client.ts';
import {
  quicCryptoFrame,
  quicFirstId,
  quicInitialVectors,
  quicServerInitial,
} from '../../../vectors/quic-initial.ts';

const destinationId = hex(quicFirstId);
const names = [
  'protocol quic',
  'tlsServerName example.com',
  'tlsAlpn alpn',
  'ja4 q13d0211an_62ed6f6ca7ad_4d634acda6c0',
];
const message = hex(quicCryptoFrame).subarray(4);

/** A datagram of the client, filled up to the least that one has. */
function datagram(...packets: Uint8Array[]) {
  const packed = Buffer.concat(packets);
  const filling = Buffer.alloc(Math.max(0, 1200 - packed.length));
  return { protocol: 'udp', payload: Buffer.concat([packed, filling]) } as const;
}

function crypto(from: number, to = message.length): Buffer {
  return cryptoFrame(from, message.subarray(from, to));
}

describe.each(quicInitialVectors)('$source', (row) => {
  test('keys', () => {
    const keys = clientInitialKeys(row.version as QuicVersion, destinationId, nameHashes);
    expect(toHex(keys.key)).toBe(row.key);
    expect(toHex(keys.iv)).toBe(row.iv);
    expect(toHex(keys.headerKey)).toBe(row.headerKey);
  });

  test('the packet is opened, and is left as it is', () => {
    const payload = hex(row.bytes);
    const flow = new LookedFlow(makeFinder().finder);
    flow.show({ protocol: 'udp', payload, ports: [1, 2] });
    expect(flow.names).toEqual(names);
    expect(flow.show({ protocol: 'udp', payload })).toBe(false);
    expect(payload).toEqual(hex(row.bytes));
  });

  test('cut, or with one bit changed, it says only what it is', () => {
    const bytes = hex(row.bytes);
    expect(namesIn([{ ...datagram(bytes.subarray(0, 1000)), whole: false }])).toEqual(names.slice(0, 1));
    expect(namesIn([{ ...datagram(bytes), whole: false }])).toEqual(names.slice(0, 1));
    for (const at of [7, 15, 18, 30, 1199]) {
      const changed = Uint8Array.from(bytes);
      changed[at]! ^= 0x10;
      expect(namesIn([datagram(changed)])).toEqual(names.slice(0, 1));
    }
  });

  test('the packet is what the tests themselves make', () => {
    const made = initialPacket({
      version: row.version === 1 ? 'v1' : 'v2',
      destinationId,
      packetNumber: 2,
      numberLen: 4,
      frames: Buffer.concat([hex(quicCryptoFrame), Buffer.alloc(917)]),
    });
    expect(toHex(made)).toBe(toHex(hex(row.bytes)));
  });
});

test('the answer of a server is not opened', () => {
  expect(namesIn([{ ...datagram(hex(quicServerInitial.bytes)), fromClient: false }])).toEqual(
    names.slice(0, 1),
  );
});

describe('frames', () => {
  const ack = Buffer.from([2, 5, 0, 1, 0, 0, 0]);
  const ackEcn = Buffer.from([3, 5, 0, 0, 0, 1, 1, 1]);
  const ping = Buffer.from([1]);
  const padding = Buffer.alloc(20);

  test.each([
    ['behind padding, pings and acknowledgements', [padding, ping, ack, padding, ackEcn, crypto(0)]],
    [
      'in pieces, in any order',
      [crypto(200), crypto(0, 50), ping, crypto(100, 200), padding, crypto(50, 100)],
    ],
    ['in pieces that overlap', [crypto(0, 100), crypto(50)]],
  ])('a hello %s', (_, frames) => {
    expect(namesIn([datagram(initialPacket({ destinationId, frames: Buffer.concat(frames) }))])).toEqual(
      names,
    );
  });

  test.each([1, 2, 3, 4])('packet numbers of %i bytes', (numberLen) => {
    const packetNumber = 2 ** (8 * numberLen) - 3;
    const packet = initialPacket({ destinationId, numberLen, packetNumber, frames: crypto(0) });
    expect(namesIn([datagram(packet)])).toEqual(names);
  });

  test('a token and a source id', () => {
    const packet = initialPacket({
      destinationId: Buffer.alloc(20, 3),
      sourceId: Buffer.alloc(8, 4),
      token: Buffer.alloc(90, 5),
      frames: crypto(0),
    });
    expect(namesIn([datagram(packet)])).toEqual(names);
  });

  test.each([
    ['of another kind', Buffer.from([0x1c])],
    ['an offset that is cut', Buffer.from([6, 0x40])],
    ['a length that is cut', Buffer.from([6, 0, 0x40])],
    ['an acknowledgement that is cut', Buffer.from([2, 5, 0])],
    ['an acknowledgement without count', Buffer.from([2, 5, 0, 0x40])],
    ['an acknowledgement of more ranges than fit', Buffer.from([2, 5, 0, 0xc1, 0, 0, 0, 0, 0, 0, 0])],
    ['an acknowledgement whose ranges are cut', Buffer.from([2, 5, 0, 2, 0, 0])],
  ])('a bad one ends the packet: %s', (_, frame) => {
    const packet = initialPacket({ destinationId, frames: Buffer.concat([frame, crypto(0)]) });
    const before = initialPacket({ destinationId, frames: Buffer.concat([crypto(0), frame]) });
    const found = namesIn([datagram(packet)]);
    expect(found).toEqual(names.slice(0, 1));
    expect(namesIn([datagram(before)])).toEqual(names);
  });

  test('data past the end of the packet is not taken', () => {
    const frames = Buffer.concat([Buffer.from([6, 0]), varint(message.length + 1), message]);
    expect(namesIn([datagram(initialPacket({ destinationId, frames }))])).toEqual(names.slice(0, 1));
  });

  test('crypto data far away', () => {
    const far = Buffer.concat([Buffer.from('06ffffffffffffffff04', 'hex'), Buffer.alloc(4)]);
    const packet = initialPacket({ destinationId, frames: Buffer.concat([far, crypto(0)]) });
    expect(namesIn([datagram(packet)])).toEqual(names);
  });
});

describe('datagrams', () => {
  const large = clientHello({
    extensions: [
      serverName('large.example'),
      applicationProtocols(Buffer.from('h3')),
      supportedVersions(0x0304),
      [0x0033, Buffer.alloc(1216, 1)],
    ],
  });
  const pieces = [0, 900].map((from, i) =>
    initialPacket({
      destinationId,
      packetNumber: i,
      frames: cryptoFrame(from, large.subarray(from, i === 0 ? 900 : large.length)),
    }),
  );
  const largeNames = ['protocol quic', 'tlsServerName large.example', 'tlsAlpn h3'];

  test.each([
    ['in order', [0, 1]],
    ['the second first', [1, 0]],
    ['the first twice', [0, 0, 1]],
  ])('a hello in two of them, %s', (_, order) => {
    const found = namesIn(order.map((i) => datagram(pieces[i]!)));
    expect(found).toEqual([...largeNames, expect.stringMatching(/^ja4 q13d0104h3_/)]);
  });

  test('one of two is missing: what is there is told, and six packets are waited', () => {
    const flow = new LookedFlow(makeFinder().finder);
    for (let i = 0; i < 6; i++) expect(flow.show(datagram(pieces[0]!))).toBe(true);
    expect(flow.show(datagram(pieces[1]!))).toBe(false);
    expect(flow.names).toEqual(largeNames);
  });

  test('several packets in one: 0-RTT before and a short header after', () => {
    const zeroRtt = Buffer.concat([
      Buffer.from('d000000001', 'hex'),
      Buffer.from([8]),
      destinationId,
      Buffer.from([0]),
      varint(30),
      Buffer.alloc(30),
    ]);
    const parts = [crypto(0, 100), crypto(100)].map((frames, packetNumber) =>
      initialPacket({ destinationId, packetNumber, frames }),
    );
    expect(namesIn([datagram(zeroRtt, ...parts, Buffer.alloc(50, 0x41))])).toEqual(names);
  });

  test('a hello that is none ends the waiting', () => {
    const packet = initialPacket({ destinationId, frames: cryptoFrame(0, Buffer.alloc(60, 2)) });
    const flow = new LookedFlow(makeFinder().finder);
    flow.show(datagram(packet));
    expect(flow.names).toEqual(['protocol quic']);
    expect(flow.show(datagram(packet))).toBe(false);
  });

  test.each([
    ['an id of seven bytes', { destinationId: Buffer.alloc(7) }],
    ['a token of more than a kilobyte', { destinationId, token: Buffer.alloc(1100) }],
  ])('not tried: %s', (_, parts) => {
    expect(namesIn([datagram(initialPacket({ ...parts, frames: crypto(0) }))])).toEqual(['protocol quic']);
  });

  test('not tried: a datagram shorter than a client sends', () => {
    const { payload } = datagram(initialPacket({ destinationId, frames: crypto(0) }));
    const shorter = { protocol: 'udp', payload: payload.subarray(0, 1199) } as const;
    expect(namesIn([shorter])).toEqual(['protocol quic']);
  });

  test('not tried: too short for a sample', () => {
    const short = Buffer.concat([
      Buffer.from('c000000001 08'.replace(' ', ''), 'hex'),
      destinationId,
      hex('00 00 05 0102030405'),
    ]);
    expect(namesIn([datagram(short)])).toEqual(['protocol quic']);
  });

  test('no hello in it, only padding', () => {
    expect(namesIn([datagram(initialPacket({ destinationId, frames: Buffer.alloc(100) }))])).toEqual([
      'protocol quic',
    ]);
  });

  test('on the port of DNS, and without room for names', () => {
    const packet = datagram(hex(quicInitialVectors[0]!.bytes));
    expect(namesIn([{ ...packet, ports: [53, 443] }])).toEqual(names);
    const flow = new LookedFlow(makeFinder(64).finder);
    flow.show(packet);
    expect(flow.names).toEqual([]);
  });
});

test('of a flood of connections only so many packets are opened in a while, and the others are counted', () => {
  const { finder, tally } = makeFinder();
  const [first] = quicInitialVectors;
  const packet = datagram(hex(first!.bytes));
  const opened = (flows: number): number =>
    Array.from({ length: flows }, () => {
      const flow = new LookedFlow(finder);
      flow.show(packet);
      return flow.names.length;
    }).filter((found) => found === names.length).length;
  expect(opened(600)).toBe(512);
  expect(tally[AnalysisTally.namesDropped]).toBe(88);
  expect(opened(1)).toBe(0);
  finder.refill();
  expect(opened(1)).toBe(1);
});
