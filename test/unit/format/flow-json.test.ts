import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { Compile } from 'typebox/schema';
import { describe, expect, test } from 'vitest';
import { encodeFlow, FLOW_JSON_MAX_BYTES } from '../../../src/format/flow-json.ts';
import { type FlowRecord, NameKind } from '../../../src/packet/flow-record.ts';
import { durationOf, flowObject } from '../../support/flow-object.ts';
import { anyRecord, flowRecord, largestRecord, type TestRecord } from '../../support/flow-records.ts';

const schemaPath = new URL('../../../src/format/flow-record.schema.json', import.meta.url);
const schema = JSON.parse(readFileSync(schemaPath, 'utf8')) as Record<string, unknown>;
const validator = Compile(schema);

/** The line of a record; what lies before and behind is untouched. */
function line(record: FlowRecord, observer = 'host'): string {
  const at = 5;
  const out = Buffer.alloc(at + FLOW_JSON_MAX_BYTES + 16, 0xa5);
  const end = encodeFlow(record, observer, out, at);
  expect(end - at).toBeLessThanOrEqual(FLOW_JSON_MAX_BYTES);
  expect(out.subarray(0, at).every((byte) => byte === 0xa5)).toBe(true);
  expect(out.subarray(end).every((byte) => byte === 0xa5)).toBe(true);
  const text = out.toString('utf8', at, end);
  expect(text.indexOf('\n')).toBe(text.length - 1);
  return text;
}

type Json = Record<string, never>;

function read(fields: TestRecord): Json {
  const text = line(flowRecord(fields));
  const object = JSON.parse(text) as Json;
  expectValid(object);
  return object;
}

function expectValid(object: unknown): void {
  const [valid, errors] = validator.Errors(object);
  expect({ valid, errors }).toEqual({ valid: true, errors: [] });
}

test('the schema refuses what it should', () => {
  const record = read({}) as Record<string, unknown>;
  expect(validator.Check({ ...record, more: 1 })).toBe(false);
  expect(validator.Check({ ...record, source: { ip: '10.0.0.1' } })).toBe(false);
  expect(validator.Check({ ...record, '@timestamp': '2026-11-21T04:00:00Z' })).toBe(false);
  expect(validator.Check({ ...record, event: { ...(record['event'] as object), category: [] } })).toBe(false);
});

test('any record: the object that it says, and valid', () => {
  fc.assert(
    fc.property(anyRecord, fc.string({ maxLength: 30 }), (record, observer) => {
      const object = JSON.parse(line(record, observer)) as unknown;
      expectValid(object);
      // names of protocols are looked at below
      delete (object as { network: Record<string, unknown> }).network['transport'];
      expect(object).toEqual(flowObject(record, observer));
    }),
    { numRuns: 500 },
  );
});

test('any duration is exact', () => {
  fc.assert(
    fc.property(anyRecord, (record) => {
      expect(line(record)).toContain(`"duration":${durationOf(record)}}`);
    }),
  );
});

describe('room', () => {
  test('the largest record', () => {
    const text = line(largestRecord(), '\u0001'.repeat(1000));
    expectValid(JSON.parse(text));
    expect(text.length).toBeGreaterThan(FLOW_JSON_MAX_BYTES / 2);
  });

  test('a usual one has little more than a kilobyte', () => {
    expect(line(flowRecord()).length).toBeLessThan(1024);
  });
});

test('members come in the order in which the page explains them', () => {
  expect(Object.keys(read({}))).toEqual([
    '@timestamp',
    'ecs',
    'event',
    'source',
    'destination',
    'network',
    'observer',
    'mirrortap',
  ]);
});

describe('transport', () => {
  test.each([
    [0, 'hopopt'],
    [1, 'icmp'],
    [6, 'tcp'],
    [17, 'udp'],
    [47, 'gre'],
    [50, 'esp'],
    [58, 'ipv6-icmp'],
    [132, 'sctp'],
    [200, '200'],
    [255, '255'],
  ])('%d is %s', (protocol, transport) => {
    expect(read({ protocol, ports: 0 })['network']).toMatchObject({
      iana_number: String(protocol),
      transport,
    });
  });
});

describe('event.type', () => {
  test.each([
    ['the only record', 0, 1, ['connection', 'start', 'end']],
    ['the first', 0, 0, ['connection', 'start']],
    ['one between', 3, 0, ['connection']],
    ['the last', 4, 2, ['connection', 'end']],
  ] as const)('%s', (_name, sequence, endReason, type) => {
    expect(read({ sequence, endReason })['event']).toMatchObject({ type });
  });
});

describe('ports', () => {
  test('unknown: none, and said', () => {
    const record = read({ ports: 2 });
    expect(record['source']).not.toHaveProperty('port');
    expect(record['mirrortap']).toMatchObject({ ports_unknown: true });
  });

  test('none where the protocol has none', () => {
    const record = read({ protocol: 50, ports: 0 });
    expect(record['source']).not.toHaveProperty('port');
    expect(record['mirrortap']).not.toHaveProperty('ports_unknown');
  });

  test('port 0 is a port', () => {
    expect(read({ source: { address: '10.0.0.1', port: 0 } })['source']).toMatchObject({ port: 0 });
  });

  test.each([
    ['echo request', 1, 8, 0, 0],
    ['echo reply, without its request', 1, 0, 8, 0],
    ['time stamp, which is answered by type 14', 1, 13, 14, 0],
    ['port unreachable', 1, 3, 3, 3],
    ['neighbour solicitation', 58, 135, 136, 0],
    ['address unreachable', 58, 1, 3, 3],
  ])('ICMP has type and code instead: %s', (_name, protocol, type, other, code) => {
    const record = read({
      protocol,
      source: { address: '10.0.0.1', port: type },
      destination: { port: other },
    });
    expect(record['source']).not.toHaveProperty('port');
    expect(record['mirrortap']).toMatchObject({ icmp: { type, code } });
  });
});

describe('names', () => {
  const named = (...names: readonly (readonly [NameKind, string])[]) =>
    read({ names: names.map(([kind, text]) => ({ kind, text })) });

  test('DNS: the question, all answers, and those that are addresses', () => {
    const record = named(
      [NameKind.protocol, 'dns'],
      [NameKind.dnsQuestion, 'a.example'],
      [NameKind.dnsAnswer, 'b.example'],
      [NameKind.dnsAnswer, '192.0.2.1'],
      [NameKind.dnsAnswer, '2001:db8::1'],
      [NameKind.dnsAnswer, '999.0.2.1'],
    );
    expect(record['dns']).toEqual({
      question: { name: 'a.example' },
      answers: [{ data: 'b.example' }, { data: '192.0.2.1' }, { data: '2001:db8::1' }, { data: '999.0.2.1' }],
      resolved_ip: ['192.0.2.1', '2001:db8::1'],
    });
    expect(record['network']).toMatchObject({ protocol: 'dns' });
    expect(record['destination']).not.toHaveProperty('domain');
  });

  test('DNS: further questions are ours', () => {
    const record = named([NameKind.dnsQuestion, 'a.example'], [NameKind.dnsQuestion, 'b.example']);
    expect(record['dns']).toEqual({ question: { name: 'a.example' } });
    expect(record['mirrortap']).toMatchObject({ dns: { questions: ['a.example', 'b.example'] } });
  });

  test('TLS: the server name is of the schema, ALPN and JA4 are ours', () => {
    const record = named(
      [NameKind.tlsServerName, 'c.example'],
      [NameKind.tlsAlpn, 'h2'],
      [NameKind.ja4, 't13d1516h2_8daaf6152771_b186095e22b6'],
    );
    expect(record['tls']).toEqual({ client: { server_name: 'c.example' } });
    expect(record['destination']).toMatchObject({ domain: 'c.example' });
    expect(record['mirrortap']).toMatchObject({
      tls: { alpn: 'h2', ja4: 't13d1516h2_8daaf6152771_b186095e22b6' },
    });
  });

  test('HTTP', () => {
    const record = named([NameKind.httpMethod, 'GET'], [NameKind.httpHost, 'd.example']);
    expect(record['http']).toEqual({ request: { method: 'GET' } });
    expect(record['url']).toEqual({ domain: 'd.example' });
    expect(record['destination']).toMatchObject({ domain: 'd.example' });
  });

  test.each([
    ['d.example:8080', 'd.example'],
    ['[2001:db8::1]:8080', '[2001:db8::1]'],
    ['[2001:db8::1]', '[2001:db8::1]'],
  ])('the domain of the host %s is %s', (host, domain) => {
    const record = named([NameKind.httpHost, host]);
    expect(record['url']).toEqual({ domain });
    expect(record['destination']).toMatchObject({ domain });
  });

  test('an empty name is a name', () => {
    expect(named([NameKind.dnsQuestion, ''])['dns']).toEqual({ question: { name: '' } });
  });
});

test.each([
  [0x1, 77, 'vxlan:77'],
  [0x3, 0, 'gre'],
  [0x31, 0xffff_ffff, 'vxlan/gre:4294967295'],
  [0x5432, 1, 'geneve/gre/ipv4/ipv6:1'],
])('nested %d:%d', (nestedPath, nestedId, nested) => {
  expect(read({ nestedPath, nestedId })['mirrortap']).toMatchObject({ nested });
});

test('hosts, lanes and protocols that take turns are not mixed up', () => {
  const one = flowRecord({ protocol: 6 });
  const other = flowRecord({ protocol: 17, lane: { ...one.lane, name: 'vni-43', vni: 43 } });
  for (const [record, observer] of [
    [one, 'a'],
    [other, 'b'],
    [one, 'b'],
    [one, 'a'],
  ] as const) {
    expect(JSON.parse(line(record, observer))).toMatchObject(flowObject(record, observer) as Json);
  }
});
