import { describe, expect, test } from 'vitest';
import { Ports } from '../../../../src/packet/innermost.ts';
import { ABSENT } from '../../../../src/packet/layers.ts';
import { AnalysisTally } from '../../../../src/receive/analysis-tally.ts';
import { IpProtocol } from '../../../../src/wire/ip-protocol.ts';
import {
  applicationProtocols,
  clientHello,
  handshakeRecords,
  serverName,
  supportedVersions,
} from '../../../support/client-hello.ts';
import { LookedFlow, makeFinder, namesIn } from '../../../support/name-looking.ts';
import { payloadPacket } from '../../../support/payload-packet.ts';

const message = clientHello({
  ciphers: [0x1301, 0x1302],
  extensions: [
    serverName('www.example.com'),
    applicationProtocols(Buffer.from('h2')),
    supportedVersions(0x0304),
    // what post-quantum key shares make of a hello: more than one segment
    [0x0033, Buffer.alloc(1200, 0x55)],
  ],
});
const hello = handshakeRecords(message);
/** Hashes of `1301,1302` and of `002b,0033`. */
const helloNames = [
  'protocol tls',
  'tlsServerName www.example.com',
  'tlsAlpn h2',
  'ja4 t13d0204h2_62ed6f6ca7ad_a56c5b993250',
];

/** A segment of the client with bytes `from .. to - 1` of a stream whose first sequence number is `first`. */
function segment(stream: Buffer, from: number, to: number, first = 1000) {
  return {
    protocol: 'tcp',
    payload: stream.subarray(from, to),
    sequence: (first + from) % 2 ** 32,
  } as const;
}

describe('wants', () => {
  const { finder } = makeFinder();
  const { innermost } = payloadPacket({ protocol: 'udp', payload: Buffer.alloc(1) });

  test('three packets of an unknown protocol, four of DNS', () => {
    expect([0, 1, 2, 3].map((looks) => finder.wants(innermost, 0, looks))).toEqual([true, true, true, false]);
    for (const port of [53, 5353, 5355]) {
      const dns = payloadPacket({ protocol: 'udp', payload: Buffer.alloc(1), ports: [port, 9] });
      expect([3, 4].map((looks) => finder.wants(dns.innermost, 0, looks))).toEqual([true, false]);
    }
  });

  test('nothing of other protocols, or where ports are not known', () => {
    const other = payloadPacket({ protocol: 'udp', payload: Buffer.alloc(1) });
    other.innermost.protocol = IpProtocol.sctp;
    expect(finder.wants(other.innermost, 0, 0)).toBe(false);
    other.innermost.protocol = IpProtocol.tcp;
    expect(finder.wants(other.innermost, 0, 0)).toBe(true);
    other.innermost.ports = Ports.unknown;
    expect(finder.wants(other.innermost, 0, 0)).toBe(false);
  });
});

test('a later fragment, an empty payload and another protocol are not looked into', () => {
  const { finder } = makeFinder();
  const placed = payloadPacket({ protocol: 'tcp', payload: hello });
  const { bytes, view, innermost, payloadAt, payloadEnd } = placed;
  expect(finder.look(bytes, view, innermost, payloadAt, payloadAt, true, 0)).toBe(0);
  innermost.transportAt = ABSENT;
  expect(finder.look(bytes, view, innermost, payloadAt, payloadEnd, true, 0)).toBe(0);
});

describe('TLS over TCP', () => {
  test('a hello in one segment is all that is wanted', () => {
    const flow = new LookedFlow(makeFinder().finder);
    expect(flow.show(segment(hello, 0, hello.length))).toBe(true);
    expect(flow.names).toEqual(helloNames);
    expect(flow.show(segment(hello, 0, hello.length))).toBe(false);
  });

  test('on any port', () => {
    expect(namesIn([{ ...segment(hello, 0, hello.length), ports: [53, 8080] }])).toEqual(helloNames);
  });

  const three = [segment(hello, 0, 500), segment(hello, 500, 1000), segment(hello, 1000, hello.length)];
  test.each([
    ['in order', [0, 1, 2]],
    ['the last before the middle', [0, 2, 1]],
    ['with one twice', [0, 1, 0, 1, 2]],
    ['with an answer of the other side between', [0, -1, 1, -1, 2]],
  ])('three segments %s', (_, order) => {
    const answer = {
      protocol: 'tcp',
      fromClient: false,
      payload: Buffer.alloc(500),
      sequence: 1500,
    } as const;
    expect(namesIn(order.map((i) => three[i] ?? answer))).toEqual(helloNames);
  });

  test.each([2, 3, 4, 5])('a segment that ends in the header of the first record, of %i bytes', (length) => {
    expect(namesIn([segment(hello, 0, length)])).toEqual(['protocol tls']);
    expect(namesIn([segment(hello, 0, length), segment(hello, length, hello.length)])).toEqual(helloNames);
  });

  test.each(['16', '1604', '160305', '1703', '16030141'])('%s is no such header', (bytes) => {
    const wrong = Buffer.from(bytes, 'hex');
    expect(namesIn([segment(wrong, 0, wrong.length)])).toEqual([]);
  });

  test('segments that overlap, and a sequence number that goes round', () => {
    for (const first of [0xffff_ffff, 2 ** 32 - 700]) {
      const packets = [
        segment(hello, 0, 600, first),
        segment(hello, 400, 900, first),
        segment(hello, 850, hello.length, first),
      ];
      expect(namesIn(packets)).toEqual(helloNames);
    }
  });

  test('data with the SYN begins one later', () => {
    const { finder } = makeFinder();
    const first = payloadPacket(segment(hello, 0, 500));
    first.bytes[first.innermost.transportAt + 13] = 0x02;
    const { bytes, view, innermost, payloadAt, payloadEnd } = first;
    const head = finder.look(bytes, view, innermost, payloadAt, payloadEnd, true, 0);
    const rest = payloadPacket(segment(hello, 500, hello.length, 1001));
    finder.look(rest.bytes, rest.view, rest.innermost, rest.payloadAt, rest.payloadEnd, true, head);
    expect(finder.names(head)).toHaveLength(4);
  });

  test('the same from an IPv6 address: its last bytes tell the sides apart', () => {
    const { finder } = makeFinder();
    const first = payloadPacket(segment(hello, 0, 500));
    const rest = payloadPacket(segment(hello, 500, hello.length));
    for (const { innermost } of [first, rest]) {
      innermost.ipVersion = 6;
      innermost.sourceAt = innermost.ipAt - 20;
    }
    rest.bytes.fill(1, 44, 48);
    first.bytes.fill(1, 44, 48);
    rest.bytes.fill(2, 56, 60);
    first.bytes.fill(3, 56, 60);
    const see = ({ bytes, view, innermost, payloadAt, payloadEnd }: typeof first, head: number) =>
      finder.look(bytes, view, innermost, payloadAt, payloadEnd, true, head);
    const head = see(first, 0);
    expect(see(rest, head)).toBe(head);
    expect(finder.names(head)).toHaveLength(3);
    rest.bytes.fill(3, 56, 60);
    see(rest, head);
    expect(finder.names(head)).toHaveLength(4);
  });

  test('a rest that never comes is waited for six packets long', () => {
    const flow = new LookedFlow(makeFinder().finder);
    flow.show(segment(hello, 0, 500));
    for (let i = 0; i < 5; i++) expect(flow.show(segment(hello, 800, hello.length))).toBe(true);
    expect(flow.show(segment(hello, 500, 800))).toBe(false);
    expect(flow.names).toEqual(helloNames.slice(0, 3));
  });

  test('a hello in several records, and in several segments too', () => {
    for (const contentLen of [1, 3, 700]) {
      const records = handshakeRecords(message, contentLen);
      if (records.length < 1500) expect(namesIn([segment(records, 0, records.length)])).toEqual(helloNames);
      const cuts = [0, 6, 900, records.length];
      const packets = [0, 1, 2].map((i) => segment(records, cuts[i]!, cuts[i + 1]!));
      expect(namesIn(packets)).toEqual(helloNames);
    }
  });

  test('a cut hello gives the names that are whole, no fingerprint, and no more is wanted', () => {
    const nameEnd = hello.indexOf('www.example.com') + 'www.example.com'.length;
    const flow = new LookedFlow(makeFinder().finder);
    flow.show({ ...segment(hello, 0, nameEnd), whole: false });
    expect(flow.names).toEqual(helloNames.slice(0, 2));
    expect(flow.show(segment(hello, nameEnd, hello.length))).toBe(false);
    expect(namesIn([{ ...segment(hello, 0, nameEnd - 1), whole: false }])).toEqual(['protocol tls']);
    expect(namesIn([{ ...segment(hello, 0, 6), whole: false }])).toEqual(['protocol tls']);
    expect(namesIn([{ ...segment(hello, 0, 2), whole: false }])).toEqual(['protocol tls']);
    expect(namesIn([{ ...segment(hello, 0, 1), whole: false }])).toEqual([]);
  });

  test('a first fragment is a cut packet, whatever arrived of it', () => {
    const { finder } = makeFinder();
    const { bytes, view, innermost, payloadAt, payloadEnd } = payloadPacket(segment(hello, 0, 500));
    innermost.fragment = 1;
    const head = finder.look(bytes, view, innermost, payloadAt, payloadEnd, true, 0);
    expect(finder.names(head)).toHaveLength(3);
    expect(finder.wants(innermost, head, 1)).toBe(false);
  });

  test('what is not the first of a stream is not taken for it', () => {
    expect(namesIn([segment(hello, 500, hello.length)])).toEqual([]);
  });

  test('an answer says that TLS is spoken, and its hello may still come', () => {
    const answer = {
      protocol: 'tcp',
      fromClient: false,
      payload: Buffer.from('160303005a02000056', 'hex'),
    } as const;
    const flow = new LookedFlow(makeFinder().finder);
    flow.show(answer);
    expect(flow.names).toEqual(['protocol tls']);
    flow.show(segment(hello, 0, hello.length));
    expect(flow.names).toEqual(helloNames);
  });

  test('a hello that contradicts itself is none, also when that is seen late', () => {
    const bad = Buffer.from(hello);
    bad[5 + 38] = 33;
    expect(namesIn([segment(bad, 0, bad.length)])).toEqual([]);
    const late = Buffer.from(hello);
    const badAt = late.length - 1202;
    late.writeUInt16BE(0xffff, badAt);
    const flow = new LookedFlow(makeFinder().finder);
    flow.show(segment(late, 0, badAt));
    flow.show(segment(late, badAt, late.length));
    expect(flow.names).toEqual(['protocol tls', 'tlsServerName www.example.com', 'tlsAlpn h2']);
    expect(flow.show(segment(late, badAt, late.length))).toBe(false);
  });

  test('a hello longer than what is put together', () => {
    const long = handshakeRecords(
      clientHello({ extensions: [serverName('a.example'), [1, Buffer.alloc(20_000)]] }),
    );
    const flow = new LookedFlow(makeFinder().finder);
    flow.show(segment(long, 0, 17_000));
    expect(flow.names).toEqual(['protocol tls', 'tlsServerName a.example']);
    expect(flow.show(segment(long, 17_000, long.length))).toBe(false);
  });
});

describe('HTTP', () => {
  const request = Buffer.from('GET /index HTTP/1.1\r\nAccept: */*\r\nHost: www.example.com:8080\r\n\r\n');
  const names = ['protocol http', 'httpMethod GET', 'httpHost www.example.com:8080'];

  test('the first request, on any port', () => {
    const flow = new LookedFlow(makeFinder().finder);
    flow.show({ ...segment(request, 0, request.length), ports: [1, 2] });
    expect(flow.names).toEqual(names);
    expect(flow.show(segment(request, 0, request.length))).toBe(false);
  });

  test('in two segments at any place behind its method', () => {
    for (let at = 5; at < request.length - 3; at++) {
      expect(namesIn([segment(request, 0, at), segment(request, at, request.length)])).toEqual(names);
    }
  });

  test('cut: a host that is not all there is none', () => {
    const hostEnd = request.indexOf('\r\n\r\n');
    expect(namesIn([{ ...segment(request, 0, hostEnd), whole: false }])).toEqual(names.slice(0, 2));
    expect(namesIn([{ ...segment(request, 0, hostEnd + 2), whole: false }])).toEqual(names);
  });

  test('an answer, then a request', () => {
    const answer = {
      protocol: 'tcp',
      fromClient: false,
      payload: Buffer.from('HTTP/1.1 200 OK\r\n'),
    } as const;
    const flow = new LookedFlow(makeFinder().finder);
    flow.show(answer);
    expect(flow.names).toEqual(['protocol http']);
    flow.show(segment(request, 0, request.length));
    expect(flow.names).toEqual(names);
  });

  test('odd bytes are escaped, and no host is none', () => {
    const odd = Buffer.from('GET / HTTP/1.1\r\nHost: a b\x01\\\xff\r\n\r\n', 'latin1');
    expect(namesIn([segment(odd, 0, odd.length)])[2]).toBe('httpHost a\\032b\\001\\\\\\255');
    const empty = Buffer.from('GET / HTTP/1.1\r\nHost:\r\n\r\n');
    expect(namesIn([segment(empty, 0, empty.length)])).toEqual(['protocol http', 'httpMethod GET']);
  });
});

describe('memory', () => {
  test('a full one makes no names and no errors', () => {
    const { finder, tally } = makeFinder(64);
    for (const packet of [segment(hello, 0, 500), segment(hello, 0, hello.length)]) {
      const flow = new LookedFlow(finder);
      flow.show(packet);
      expect(flow.names).toEqual([]);
      flow.end();
    }
    expect(tally[AnalysisTally.namesDropped]).toBeGreaterThan(0);
    expect(tally[AnalysisTally.nameBytes]).toBe(0);
  });

  test('64 hellos are put together at a time; of more, those begun first have no fingerprint', () => {
    const { finder, tally } = makeFinder();
    const flows = Array.from({ length: 65 }, () => new LookedFlow(finder));
    for (const flow of flows) flow.show(segment(hello, 0, 500));
    for (const flow of flows) flow.show(segment(hello, 500, hello.length));
    expect(flows[0]!.names).toEqual(helloNames.slice(0, 3));
    for (const flow of flows.slice(1)) expect(flow.names).toEqual(helloNames);
    expect(tally[AnalysisTally.namesDropped]).toBe(1);
    for (const flow of flows) flow.end();
    expect(tally[AnalysisTally.nameBytes]).toBe(0);
  });

  test('flows that end give back what they waited in', () => {
    const { finder, tally } = makeFinder();
    for (let i = 0; i < 1000; i++) {
      const flow = new LookedFlow(finder);
      flow.show(segment(hello, 0, 500));
      flow.end();
    }
    const flow = new LookedFlow(finder);
    flow.show(segment(hello, 0, 500));
    flow.show(segment(hello, 500, hello.length));
    expect(flow.names).toEqual(helloNames);
    expect(tally[AnalysisTally.namesDropped]).toBe(0);
  });

  test('a flow that takes the cells of another does not take its bytes', () => {
    const { finder } = makeFinder();
    const old = new LookedFlow(finder);
    old.show(segment(hello, 0, 500));
    old.end();
    const flow = new LookedFlow(finder);
    flow.show({ protocol: 'tcp', payload: Buffer.from('HTTP/1.1 200 OK\r\n'), sequence: 1 });
    flow.show(segment(hello, 500, hello.length));
    expect(flow.names).toEqual(['protocol http']);
  });
});
