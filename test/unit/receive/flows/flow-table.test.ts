import { describe, expect, test } from 'vitest';
import { Mark } from '../../../../src/packet/mark.ts';
import { Verdict } from '../../../../src/packet/verdict.ts';
import { AnalysisTally } from '../../../../src/receive/analysis-tally.ts';
import { NO_FLOW } from '../../../../src/receive/flows/flow-table.ts';
import { LANE_COUNTERS_LENGTH, LaneCounter } from '../../../../src/receive/lane-counters.ts';
import { IpProtocol } from '../../../../src/wire/ip-protocol.ts';
import { Flag } from '../../../../src/wire/tcp.ts';
import { FEED_SECONDS, FlowFeed, type FlowPacket } from '../../../support/flow-feed.ts';

const there: FlowPacket = { from: '10.0.0.1', to: '10.0.0.2', ports: [40_000, 443] };
const back: FlowPacket = { from: '10.0.0.2', to: '10.0.0.1', ports: [443, 40_000] };
const { tcp, icmp, icmpv6 } = IpProtocol;

/** A packet as it comes back. */
function reversed({ from = '10.0.0.1', to = '10.0.0.2', ports, ...rest }: FlowPacket): FlowPacket {
  return {
    ...rest,
    from: to,
    to: from,
    ...(ports === undefined ? {} : { ports: [ports[1], ports[0]] as const }),
  };
}

const bothWays: readonly (FlowPacket & { name: string })[] = [
  { name: 'UDP over IPv4', ...there },
  { name: 'from the higher address', ...back },
  { name: 'TCP', ...there, protocol: tcp },
  { name: 'SCTP', ...there, protocol: IpProtocol.sctp },
  { name: 'IPv6', ...there, from: '2001:db8::1', to: '2001:db8::2' },
  { name: 'IPv6, addresses that differ in their first half', ...there, from: 'fd00::2', to: '2001:db8::2' },
  { name: 'an address above 128.0.0.0', ...there, from: '192.168.0.1', to: '10.0.0.1' },
  { name: 'one address, two ports', ...there, to: '10.0.0.1' },
  { name: 'one address, one port', ...there, to: '10.0.0.1', ports: [7, 7] },
  { name: 'ESP, which has no ports', from: '10.0.0.1', to: '10.0.0.2', protocol: IpProtocol.esp },
  { name: 'ports that are cut away', ...there, portsUnknown: true },
  { name: 'in a tunnel of the customer', ...there, path: 0x21, nestedId: 7 },
  { name: 'under an IPv6 mirror source', ...there, source: '2001:db8::99' },
  { name: 'behind a Gateway Load Balancer', ...there, endpoint: [1, 2] },
];

describe('both directions are one flow', () => {
  test.each(bothWays)('$name', (packet) => {
    const feed = new FlowFeed();
    const flow = feed.see({ ...packet, payload: Buffer.alloc(10) });
    expect(feed.see({ ...reversed(packet), time: 1 })).toBe(flow);
    expect(feed.table.active).toBe(1);
    const [record, ...others] = feed.finish();
    expect(others).toEqual([]);
    const isLoop = packet.from === '10.0.0.1' && packet.to === '10.0.0.1' && packet.ports?.[0] === 7;
    expect([record?.source.packets, record?.destination.packets]).toEqual(isLoop ? [2, 0] : [1, 1]);
    expect(record).toMatchObject({ first: 0, last: 1, start: 0, sequence: 0, endReason: 'end' });
  });
});

test('where nobody wants records flows are counted and ended all the same', () => {
  const feed = new FlowFeed({ emit: undefined });
  feed.see({ ...there, protocol: tcp, flags: Flag.syn });
  feed.see({ ...there, time: 200 });
  feed.table.expire(FEED_SECONDS + 1000, 10);
  expect(feed.table.active).toBe(0);
  expect(feed.tally[AnalysisTally.flowsOpened]).toBe(2);
  expect(feed.tally[AnalysisTally.flowRecords]).toBe(0);
  expect(feed.laneCounters[LaneCounter.tcpFlows]).toBe(1);
});

const icmpPairs = [
  { name: 'echo', protocol: icmp, request: [8, 0], reply: [0, 0], meet: true },
  { name: 'timestamp', protocol: icmp, request: [13, 0], reply: [14, 0], meet: true },
  { name: 'address mask', protocol: icmp, request: [17, 0], reply: [18, 0], meet: true },
  { name: 'unreachable', protocol: icmp, request: [3, 1], reply: [3, 1], meet: false },
  { name: 'echo and a reply of another kind', protocol: icmp, request: [8, 0], reply: [14, 0], meet: false },
  { name: 'echo over IPv6', protocol: icmpv6, request: [128, 0], reply: [129, 0], meet: true },
  { name: 'neighbor discovery', protocol: icmpv6, request: [135, 0], reply: [136, 0], meet: true },
  { name: 'packet too big', protocol: icmpv6, request: [2, 0], reply: [2, 0], meet: false },
] as const;

test.each(icmpPairs)('ICMP: $name, both directions: one flow $meet', ({ protocol, request, reply, meet }) => {
  const [low, high] = protocol === icmp ? ['10.0.0.1', '10.0.0.2'] : ['fe80::1', 'fe80::2'];
  for (const [from, to] of [
    [low, high],
    [high, low],
  ]) {
    const feed = new FlowFeed();
    feed.see({ protocol, from: from!, to: to!, ports: request });
    feed.see({ protocol, from: to!, to: from!, ports: reply });
    const records = feed.finish();
    expect(records).toHaveLength(meet ? 1 : 2);
    expect(new Set(records.map(({ communityId }) => communityId)).size).toBe(meet ? 1 : 2);
    expect(records[0]?.source).toMatchObject({ ip: from, port: request[0] });
    if (meet) expect(records[0]?.destination).toMatchObject({ ip: to, port: reply[0], packets: 1 });
  }
});

const differences: readonly (FlowPacket & { name: string; perVlan?: boolean })[] = [
  { name: 'VNI', vni: 43 },
  { name: 'mirror source', source: '10.0.9.2' },
  { name: 'mirror source of IPv6', source: '2001:db8::1' },
  { name: 'endpoint', endpoint: [0, 1] },
  { name: 'source port', ports: [40_001, 443] },
  { name: 'destination port', ports: [40_000, 444] },
  { name: 'ports unknown', portsUnknown: true },
  { name: 'address', from: '10.0.0.3' },
  { name: 'protocol', protocol: tcp },
  { name: 'tunnel', path: 1 },
  { name: 'VLAN, if asked for', vlan: 5, perVlan: true },
];

test.each(differences)('another $name is another flow', ({ perVlan = false, ...other }) => {
  const feed = new FlowFeed({ perVlan });
  const flow = feed.see(there);
  expect(feed.see({ ...there, ...other })).not.toBe(flow);
  expect(feed.see(there)).toBe(flow);
  const [first, second] = feed.finish();
  expect(first?.id).not.toBe(second?.id);
});

const rests: readonly (FlowPacket & { name: string; like: FlowPacket })[] = [
  {
    name: 'last word of an IPv6 address',
    like: { from: '2001:db8::1', to: '2001:db8::5' },
    from: '2001:db8::2',
  },
  {
    name: 'last word of the higher address',
    like: { from: '2001:db8::1', to: '2001:db8::5' },
    to: '2001:db8::6',
  },
  { name: 'last word of an IPv6 mirror source', like: { source: '2001:db8::1' }, source: '2001:db8::2' },
  { name: 'number of the tunnel', like: { path: 1, nestedId: 1 }, nestedId: 2 },
  { name: 'kind of the tunnel', like: { path: 1 }, path: 0x11 },
  { name: 'lower half of the endpoint', like: { endpoint: [1, 1] }, endpoint: [1, 2] },
  { name: 'upper half of the endpoint', like: { endpoint: [1, 1] }, endpoint: [0, 1] },
];

test.each(rests)('another $name is another flow', ({ like, ...other }) => {
  const feed = new FlowFeed();
  const flow = feed.see(like);
  expect(feed.see({ ...like, ...other })).not.toBe(flow);
  expect(feed.see(like)).toBe(flow);
});

test('VLANs are one flow unless they are told apart', () => {
  const feed = new FlowFeed();
  expect(feed.see({ vlan: 5 })).toBe(feed.see({ vlan: 6 }));
  expect(feed.finish()[0]?.vlanId).toBe(-1);
  const apart = new FlowFeed({ perVlan: true });
  apart.see({ vlan: 4095 });
  expect(apart.finish()[0]?.vlanId).toBe(4095);
});

test('a packet of the overflow lane keeps its own VNI, and lanes their names', () => {
  const feed = new FlowFeed();
  const overflow = 63;
  expect(feed.see({ vni: 7, lane: overflow })).not.toBe(feed.see({ vni: 8, lane: overflow }));
  feed.see({ vni: 8, endpoint: [0xa, 0xb] });
  expect(feed.finish().map(({ lane }) => lane)).toEqual(['vni-7', 'vni-8', 'gwlb-8-0000000a0000000b']);
});

test('a frame without IP addresses is of no flow', () => {
  const feed = new FlowFeed();
  feed.write({});
  feed.innermost.ipVersion = 0;
  expect(feed.table.see(feed.batch, 0, feed.layers, feed.innermost, 0, -2)).toBe(NO_FLOW);
  expect(feed.table.active).toBe(0);
});

test('what is counted', () => {
  const feed = new FlowFeed();
  feed.see({ ...there, payload: Buffer.alloc(60), wireLen: 1500, truncated: true });
  feed.see({ ...there, transportVerdict: Verdict.bad, ipVerdict: Verdict.bad });
  feed.see({ ...there, ipVerdict: Verdict.bad });
  feed.see({ ...back, transportVerdict: Verdict.partial, fragment: true });
  const [record] = feed.finish();
  expect(record).toMatchObject({
    source: { packets: 3, wireBytes: 1500 + 40 + 40, capturedBytes: 100 + 40 + 40 },
    destination: { packets: 1, wireBytes: 40, capturedBytes: 40 },
    truncatedPackets: 1,
    badChecksums: 2,
    partialChecksums: 1,
    fragments: 1,
    duplicatePackets: 0,
  });
});

const openers: readonly { name: string; packets: FlowPacket[]; initiator: string; source: string }[] = [
  { name: 'first packet', packets: [{ ports: [5000, 6000] }], initiator: 'first', source: '10.0.0.1' },
  {
    name: 'first packet, from the higher address',
    packets: [{ from: '10.0.0.2', to: '10.0.0.1', ports: [5000, 6000] }],
    initiator: 'first',
    source: '10.0.0.2',
  },
  { name: 'service answers first', packets: [back], initiator: 'port', source: '10.0.0.1' },
  { name: 'service above 1023', packets: [{ ports: [5432, 50_000] }], initiator: 'port', source: '10.0.0.2' },
  { name: 'two services', packets: [{ ports: [53, 123] }], initiator: 'first', source: '10.0.0.1' },
  {
    name: 'SYN from a service port',
    packets: [{ protocol: tcp, ports: [80, 50_000], flags: Flag.syn }],
    initiator: 'syn',
    source: '10.0.0.1',
  },
  {
    name: 'SYN that comes after its answer',
    packets: [
      { ...back, protocol: tcp, flags: Flag.syn | Flag.ack, sequence: 9, acknowledgement: 6 },
      { ...there, protocol: tcp, flags: Flag.syn, sequence: 5 },
    ],
    initiator: 'syn',
    source: '10.0.0.1',
  },
  {
    name: 'ICMP types are no ports',
    packets: [{ protocol: icmp, ports: [3, 1] }],
    initiator: 'first',
    source: '10.0.0.1',
  },
];

test.each(openers)('who opened it: $name', ({ packets, initiator, source }) => {
  const feed = new FlowFeed();
  for (const packet of packets) feed.see(packet);
  expect(feed.finish()[0]).toMatchObject({ initiator, source: { ip: source } });
});

test('source and destination stay once a record was written', () => {
  const feed = new FlowFeed({ activeSeconds: 10 });
  const packet: FlowPacket = { protocol: tcp, ports: [50_000, 60_000] };
  feed.see(packet);
  feed.expire(10);
  feed.see({ ...reversed(packet), flags: Flag.syn, time: 11 });
  const records = feed.finish();
  expect(records.map(({ source, initiator }) => [source.ip, initiator])).toEqual([
    ['10.0.0.1', 'first'],
    ['10.0.0.1', 'first'],
  ]);
  expect(records[1]?.destination).toMatchObject({ packets: 1, tcpFlags: Flag.syn });
});

test.each([
  { first: there, marks: Mark.egress, direction: 'egress' },
  { first: there, marks: Mark.ingress, direction: 'ingress' },
  { first: back, marks: Mark.egress, direction: 'ingress' },
  { first: back, marks: Mark.ingress | Mark.duplicate, direction: 'egress' },
  { first: there, marks: Mark.duplicate, direction: 'unknown' },
])('direction is that of what the source sends: $direction', ({ first, marks, direction }) => {
  const feed = new FlowFeed();
  feed.see({ ...first, marks });
  feed.see(there);
  expect(feed.finish()[0]).toMatchObject({ source: { ip: '10.0.0.1' }, direction });
  // the same with the higher address as source
  feed.see({ ...first, from: first.to ?? '', to: first.from ?? '', marks });
  expect(feed.finish()[0]).toMatchObject({ source: { ip: '10.0.0.2' }, direction });
});

test('flows that one moment saw begin and end have different numbers', () => {
  const feed = new FlowFeed({ maxFlows: 1 });
  for (let i = 0; i < 10; i++) feed.see(i % 2 === 0 ? there : { ...there, vni: 5 });
  const records = feed.finish();
  expect(records).toHaveLength(10);
  expect(new Set(records.map(({ id }) => id)).size).toBe(10);
});

test('a TCP flow is counted in its lane, wherever that lies when it ends', () => {
  const feed = new FlowFeed();
  const count = (lane: number): number =>
    feed.laneCounters[lane * LANE_COUNTERS_LENGTH + LaneCounter.tcpFlows] ?? NaN;
  feed.see({ ...there, protocol: tcp, lane: 3, payload: Buffer.alloc(5) });
  feed.see({ ...there, protocol: tcp, lane: 4, payload: Buffer.alloc(5), sequence: 5 });
  feed.see({ ...there, lane: 4 });
  feed.finish();
  expect([count(3), count(4)]).toEqual([0, 1]);
});

test('flows opened are those active and those ended', () => {
  const feed = new FlowFeed({ maxFlows: 8 });
  for (let i = 0; i < 30; i++) feed.see({ ...there, ports: [1000 + i, 443], time: i });
  feed.expire(80);
  const { tally } = feed;
  const ended = tally.slice(AnalysisTally.flowsEnded, AnalysisTally.flowsEnded + 6);
  expect(tally[AnalysisTally.flowsActive]).toBe(feed.table.active);
  expect(tally[AnalysisTally.flowsOpened]).toBe(30);
  expect(feed.table.active + ended.reduce((sum, count) => sum + count, 0)).toBe(30);
  expect(tally[AnalysisTally.flowRecords]).toBe(feed.records.length);
});
