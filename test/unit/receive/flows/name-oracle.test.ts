import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { frame4, host, tcpSegment, udpDatagram } from '../../../../samples/make/packets.ts';
import { helloOfNode, helloOfOpenssl, queryOfNode, requestOfNode } from '../../../support/client-bytes.ts';
import { hex } from '../../../support/hex.ts';
import { type LookedAt, namesIn } from '../../../support/name-looking.ts';
import { cryptoFrame, initialPacket } from '../../../support/quic-client.ts';
import { requires } from '../../../support/requires.ts';
import { tsharkFields } from '../../../support/tshark-fields.ts';
import { dnsVectors } from '../../../vectors/dns.ts';
import { quicCryptoFrame, quicInitialVectors } from '../../../vectors/quic-initial.ts';

/** What real clients send, and every vector, read by tshark and by us. */
const without = !requires('tshark');
const ETHERNET = 1;
const PSH_ACK = 0x18;
const client = host(1, '192.0.2.1', '2001:db8::1');
const server = host(2, '198.51.100.2', '2001:db8::2');

const FIELDS = [
  'dns.qry.name',
  'dns.a',
  'dns.aaaa',
  'dns.cname',
  'dns.ptr.domain_name',
  'http.host',
  'http.request.method',
  'tls.handshake.type',
  'tls.handshake.version',
  'tls.handshake.extensions_server_name',
  'tls.handshake.extensions_alpn_str',
  'tls.handshake.ciphersuite',
  'tls.handshake.extension.type',
  'tls.handshake.sig_hash_alg',
  'tls.handshake.extensions.supported_version',
  'quic.version',
] as const;

type Read = Record<(typeof FIELDS)[number], string[]>;

/** What tshark finds in each of some conversations, in order; each gets a client port of its own. */
function tsharkReads(conversations: readonly (readonly LookedAt[])[]): Read[] {
  const frames = conversations.flatMap((packets, i) => packets.map((packet) => frameOf(packet, 20_000 + i)));
  const records = tsharkFields(frames, ETHERNET, FIELDS);
  let at = 0;
  return conversations.map((packets) => {
    const own = records.slice(at, (at += packets.length));
    const entries = FIELDS.map((field) => [field, own.flatMap((record) => record[field] ?? [])]);
    return Object.fromEntries(entries) as Read;
  });
}

function frameOf(
  { protocol, payload, ports, sequence = 1, fromClient = true }: LookedAt,
  clientPort: number,
) {
  const serverPort = ports?.[1] ?? 443;
  const [sourcePort, destinationPort] = fromClient ? [clientPort, serverPort] : [serverPort, clientPort];
  const transport =
    protocol === 'udp'
      ? udpDatagram(sourcePort, destinationPort, payload)
      : tcpSegment({
          sourcePort,
          destinationPort,
          sequence,
          acknowledgement: 1,
          flags: PSH_ACK,
          data: payload,
        });
  return fromClient ? frame4(client, server, transport) : frame4(server, client, transport);
}

/** JA4 made of what tshark prints. */
function ja4Of(read: Read, transport: 't' | 'q'): string {
  const grease = /^0x(.a)\1$/;
  const list = (field: keyof Read) =>
    read[field]
      .map((value) => (value.startsWith('0x') ? value : `0x${Number(value).toString(16).padStart(4, '0')}`))
      .filter((value) => !grease.test(value))
      .map((value) => value.slice(2));
  const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12);
  const count = (values: string[]) => String(values.length).padStart(2, '0');
  const ciphers = list('tls.handshake.ciphersuite');
  const types = list('tls.handshake.extension.type');
  const versions = list('tls.handshake.extensions.supported_version');
  const version = versions.toSorted().at(-1) ?? read['tls.handshake.version'][0]?.slice(2);
  const versionName = { '0304': '13', '0303': '12', '0302': '11', '0301': '10' }[version ?? ''];
  const protocol = read['tls.handshake.extensions_alpn_str'][0] ?? '00';
  const hashed = types.filter((type) => type !== '0000' && type !== '0010').toSorted();
  const algorithms = list('tls.handshake.sig_hash_alg');
  const tail = algorithms.length > 0 ? `_${algorithms.join(',')}` : '';
  return [
    `${transport}${versionName}${types.includes('0000') ? 'd' : 'i'}${count(ciphers)}${count(types)}`,
    `${protocol.at(0)}${protocol.at(-1)}_${digest(ciphers.toSorted().join(','))}_${digest(hashed.join(',') + tail)}`,
  ].join('');
}

/** The names of a hello by what tshark reads. */
function namesOfHello(read: Read, transport: 't' | 'q'): string[] {
  return [
    ...read['tls.handshake.extensions_server_name'].slice(0, 1).map((name) => `tlsServerName ${name}`),
    ...read['tls.handshake.extensions_alpn_str'].slice(0, 1).map((name) => `tlsAlpn ${name}`),
    `ja4 ${ja4Of(read, transport)}`,
  ];
}

const servername = 'www.example.org';

/** A stream of the client in segments of so many bytes. */
function segments(stream: Buffer, length: number): LookedAt[] {
  const packets: LookedAt[] = [];
  for (let at = 0; at < stream.length; at += length) {
    packets.push({ protocol: 'tcp', payload: stream.subarray(at, at + length), sequence: 1 + at });
  }
  return packets;
}

/** Names that we find and that tshark reads, a conversation each. */
function expectAgreement(
  conversations: readonly { readonly name: string; readonly packets: readonly LookedAt[] }[],
  expected: (read: Read, packets: readonly LookedAt[]) => string[],
): void {
  const reads = tsharkReads(conversations.map(({ packets }) => packets));
  for (const [i, { name, packets }] of conversations.entries()) {
    const names = namesIn(packets);
    expect(names.length, name).toBeGreaterThan(1);
    expect(names, name).toEqual(expected(reads[i]!, packets));
  }
}

describe('TLS', () => {
  const expected = (read: Read) => ['protocol tls', ...namesOfHello(read, 't')];

  test.skipIf(without)('hellos of Node, in one segment and in several', async () => {
    const options = {
      'as it comes': { servername },
      'with protocols': { servername, ALPNProtocols: ['h2', 'http/1.1'] },
      'without a name': { ALPNProtocols: ['x-own'] },
      'of TLS 1.2': { servername, maxVersion: 'TLSv1.2' },
      'of TLS 1.3 alone': { servername, minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' },
      'with few algorithms': {
        servername,
        ciphers: 'ECDHE-RSA-AES128-GCM-SHA256',
        sigalgs: 'RSA-PSS+SHA256',
      },
    } satisfies Record<string, Parameters<typeof helloOfNode>[0]>;
    const conversations = [];
    for (const [name, one] of Object.entries(options)) {
      const hello = await helloOfNode(one);
      for (const length of [16_384, 600, 50]) {
        // no more than six packets of a flow are looked into
        if (hello.length / length <= 6) {
          conversations.push({ name: `${name}, ${length}`, packets: segments(hello, length) });
        }
      }
    }
    expectAgreement(conversations, expected);
  });

  test.skipIf(without || !requires('openssl'))('hellos of OpenSSL', async () => {
    const args = {
      'as it comes': ['-servername', servername],
      'without name, with protocols': ['-noservername', '-alpn', 'http/1.1,h2'],
      'of TLS 1.2': ['-tls1_2', '-servername', servername],
    };
    const conversations = [];
    for (const [name, one] of Object.entries(args)) {
      conversations.push({ name, packets: segments(await helloOfOpenssl(one), 16_384) });
    }
    expectAgreement(conversations, expected);
  });
});

test.skipIf(without)('HTTP: requests of Node', async () => {
  const requests = [
    ['GET', '/', {}],
    ['POST', '/form?a=b', { host: 'www.example.com' }],
    ['PROPFIND', '/folder', { host: 'dav.example.com:8080', accept: '*/*' }],
  ] as const;
  const conversations = [];
  for (const [method, path, headers] of requests) {
    const payload = await requestOfNode(method, path, headers);
    const packet = { protocol: 'tcp', payload, ports: [40_000, 80] } as const;
    conversations.push({ name: method, packets: [packet] });
  }
  expectAgreement(conversations, (read) => [
    'protocol http',
    `httpMethod ${read['http.request.method'][0]}`,
    `httpHost ${read['http.host'][0]}`,
  ]);
});

test.skipIf(without)('DNS: queries of Node, and the vectors', async () => {
  const ports = [40_000, 53] as const;
  const queries = [
    ['www.example.com', 'A'],
    ['a.very.long.name.with.many.labels.example', 'AAAA'],
    ['_service._tcp.example.com', 'TXT'],
  ] as const;
  const conversations: { name: string; packets: LookedAt[] }[] = [];
  for (const [name, type] of queries) {
    const payload = await queryOfNode(name, type);
    expect(namesIn([{ protocol: 'udp', payload, ports }])).toEqual(['protocol dns', `dnsQuestion ${name}`]);
    conversations.push({ name, packets: [{ protocol: 'udp', payload, ports }] });
  }
  for (const { name, bytes, answers } of dnsVectors) {
    // escapes, and answers past those that are kept, are our own
    if (bytes.includes('5cff') || answers.length === 4) continue;
    const payload = hex(bytes);
    conversations.push({
      name,
      packets: [{ protocol: 'udp', payload, ports, fromClient: isQuery(payload) }],
    });
  }
  expectAgreement(conversations, (read, packets) => [
    'protocol dns',
    ...read['dns.qry.name'].map((name) => `dnsQuestion ${name === '<Root>' ? '.' : name}`),
    ...(isQuery(packets[0]!.payload) ? [] : ANSWERS.flatMap((field) => read[field])).map(
      (name) => `dnsAnswer ${name}`,
    ),
  ]);
});

const ANSWERS = ['dns.cname', 'dns.ptr.domain_name', 'dns.a', 'dns.aaaa'] as const;

function isQuery(message: Uint8Array): boolean {
  return message[2]! < 0x80;
}

describe('QUIC', () => {
  const message = hex(quicCryptoFrame).subarray(4);
  /** A client's datagram of the usual size. */
  function datagram(id: number, packetNumber: number, ...frames: Uint8Array[]): LookedAt {
    const padded = Buffer.concat([...frames, Buffer.alloc(1000)]);
    const payload = initialPacket({ destinationId: Buffer.alloc(12, id), packetNumber, frames: padded });
    return { protocol: 'udp', payload };
  }

  test.skipIf(without).each([
    // tshark knows a connection by its id, and both have the same
    ...quicInitialVectors.map(({ source, bytes }) => [
      { name: source, packets: [{ protocol: 'udp', payload: hex(bytes) } as const] },
    ]),
    [
      { name: 'the packets that our tests make', packets: [datagram(1, 0, cryptoFrame(0, message))] },
      {
        name: 'in pieces',
        packets: [
          datagram(2, 0, cryptoFrame(0, message.subarray(0, 90)), cryptoFrame(90, message.subarray(90))),
        ],
      },
    ],
  ])('$name', (...conversations) => {
    expectAgreement(conversations, (read) => {
      expect(read['quic.version'].length).toBeGreaterThan(0);
      return ['protocol quic', ...namesOfHello(read, 'q')];
    });
  });
});
