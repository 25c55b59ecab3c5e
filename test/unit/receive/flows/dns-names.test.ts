import { describe, expect, test } from 'vitest';
import { LookedFlow, makeFinder, namesIn } from '../../../support/name-looking.ts';
import { prefixed } from '../../../support/client-hello.ts';
import { hex } from '../../../support/hex.ts';
import { dnsHostile, dnsVectors } from '../../../vectors/dns.ts';

const ports = [40_000, 53] as const;
const [query, response] = [dnsVectors[0]!, dnsVectors[1]!].map(({ bytes }) => hex(bytes));
const allNames = [
  'protocol dns',
  'dnsQuestion www.example.com',
  'dnsAnswer api.example.com',
  'dnsAnswer 192.0.2.1',
  'dnsAnswer 192.0.2.2',
];

test.each(dnsVectors)('$name', ({ bytes, questions, answers }) => {
  expect(namesIn([{ protocol: 'udp', payload: hex(bytes), ports }])).toEqual([
    'protocol dns',
    ...questions.map((name) => `dnsQuestion ${name}`),
    ...answers.map((name) => `dnsAnswer ${name}`),
  ]);
});

test.each(dnsHostile)('hostile: $name', ({ bytes, names }) => {
  const [protocol, ...questions] = names;
  const expected =
    protocol === undefined ? [] : ['protocol dns', ...questions.map((name) => `dnsQuestion ${name}`)];
  expect(namesIn([{ protocol: 'udp', payload: hex(bytes), ports }])).toEqual(expected);
});

test('on other ports than 53, 5353 and 5355 nothing is taken for DNS', () => {
  for (const port of [53, 5353, 5355]) {
    expect(namesIn([{ protocol: 'udp', payload: query!, ports: [port, port] }])).toHaveLength(2);
  }
  expect(namesIn([{ protocol: 'udp', payload: query!, ports: [1053, 54] }])).toEqual([]);
  expect(namesIn([{ protocol: 'tcp', payload: prefixed(query!, 2), ports: [1053, 54] }])).toEqual([]);
});

test('a datagram cut anywhere gives the names that are whole in it', () => {
  for (let end = 0; end <= response!.length; end++) {
    const found = namesIn([{ protocol: 'udp', payload: response!.subarray(0, end), ports, whole: false }]);
    const whole = [12, 29, 51, 67, 83].filter((needed, i) =>
      i === 0 ? end >= needed : end >= needed,
    ).length;
    expect(found).toEqual(allNames.slice(0, whole));
  }
});

test('query and answer of one flow: each name once, and four datagrams are looked into', () => {
  const flow = new LookedFlow(makeFinder().finder);
  flow.show({ protocol: 'udp', payload: query!, ports });
  flow.show({ protocol: 'udp', payload: response!, ports, fromClient: false });
  expect(flow.names).toEqual(allNames);
  flow.show({ protocol: 'udp', payload: query!, ports });
  expect(flow.show({ protocol: 'udp', payload: hex(dnsVectors[4]!.bytes), ports })).toBe(true);
  expect(flow.show({ protocol: 'udp', payload: query!, ports })).toBe(false);
  expect(flow.names).toEqual([...allNames, 'dnsQuestion .']);
});

test('of a message with very many questions the first two are kept', () => {
  const question = hex('0161 00 0001 0001');
  const header = hex('0001 0000 ffff 0000 0000 0000');
  const payload = Buffer.concat([header, ...Array.from({ length: 3000 }, () => question)]);
  expect(namesIn([{ protocol: 'udp', payload, ports }])).toEqual(['protocol dns', 'dnsQuestion a']);
});

test('of a message with very many records the first 32 are looked at', () => {
  const other = 'c00c 0010 0001 00000001 0003 026869';
  const address = 'c00c 0001 0001 00000001 0004 c0000201';
  const namesBehind = (others: number) =>
    namesIn([
      {
        protocol: 'udp',
        payload: hex(`0001 8180 0001 00ff 0000 0000 0161 00 0001 0001 ${other.repeat(others)} ${address}`),
        ports,
      },
    ]);
  expect(namesBehind(30)).toEqual(['protocol dns', 'dnsQuestion a', 'dnsAnswer 192.0.2.1']);
  expect(namesBehind(31)).toEqual(['protocol dns', 'dnsQuestion a']);
});

describe('over TCP', () => {
  const asked = prefixed(query!, 2);
  const answered = prefixed(response!, 2);
  const client = (from: number, to: number) =>
    ({ protocol: 'tcp', payload: asked.subarray(from, to), ports, sequence: 1 + from }) as const;
  const server = (from: number, to: number) =>
    ({
      protocol: 'tcp',
      payload: answered.subarray(from, to),
      ports,
      sequence: 7000 + from,
      fromClient: false,
    }) as const;

  test('query and answer', () => {
    expect(namesIn([client(0, asked.length), server(0, answered.length)])).toEqual(allNames);
  });

  test('the length in a segment of its own, and an answer in two', () => {
    const packets = [client(0, 2), client(2, asked.length), server(0, 40), server(40, answered.length)];
    expect(namesIn(packets)).toEqual(allNames);
  });

  test('a length in a segment of its own, where nothing else tells the name', () => {
    expect(namesIn([client(0, 2)])).toEqual(['protocol dns']);
    expect(namesIn([client(0, 2), client(2, asked.length)])).toEqual(allNames.slice(0, 2));
    expect(namesIn([server(0, 2), server(2, answered.length)])).toEqual(allNames);
    const both = [client(0, 2), client(2, asked.length), server(0, 2), server(2, answered.length)];
    expect(namesIn(both)).toEqual(allNames);
  });

  test('two bytes that are too large for a length tell nothing', () => {
    expect(namesIn([{ ...client(0, 0), payload: hex('1001') }])).toEqual([]);
    expect(namesIn([{ ...client(0, 0), payload: Buffer.from('hi') }])).toEqual([]);
  });

  test('a second message in the segment is not read', () => {
    expect(
      namesIn([{ ...client(0, 0), payload: Buffer.concat([asked, prefixed(hex(dnsVectors[4]!.bytes), 2)]) }]),
    ).toEqual(allNames.slice(0, 2));
  });

  test('a message that its length cuts short is not waited for', () => {
    const short = prefixed(query!.subarray(0, 20), 2);
    const packets = [{ ...client(0, 0), payload: short }, server(0, answered.length)];
    expect(namesIn(packets)).toEqual(allNames);
  });

  test('a cut answer gives what is whole in it', () => {
    expect(namesIn([{ ...server(0, 2 + 51), whole: false }])).toEqual(allNames.slice(0, 3));
  });

  test('bytes that are no length and header are no DNS', () => {
    for (const text of ['', '0', 'ff', '00050000000000', '000c', '000c000000000000000000000000']) {
      expect(namesIn([{ ...client(0, 0), payload: Buffer.from(text, 'hex') }])).toEqual([]);
    }
  });
});
