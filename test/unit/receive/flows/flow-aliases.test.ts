import { describe, expect, test } from 'vitest';
import { NO_FLOW } from '../../../../src/receive/flows/flow-table.ts';
import { Mark } from '../../../../src/packet/mark.ts';
import { IpProtocol } from '../../../../src/wire/ip-protocol.ts';
import { Flag } from '../../../../src/wire/tcp.ts';
import { FlowFeed, type FlowPacket } from '../../../support/flow-feed.ts';

const there: FlowPacket = { from: '10.0.0.1', to: '10.0.0.2', ports: [40_000, 443] };
const back: FlowPacket = { from: '10.0.0.2', to: '10.0.0.1', ports: [443, 40_000] };
const one = '10.0.9.1';
const two = '10.0.9.2';

/** A packet that comes from two mirrored interfaces: first from one, then from the other. */
function seeTwice(
  feed: FlowFeed,
  packet: FlowPacket,
  first: FlowPacket,
  second: FlowPacket,
): [number, number] {
  const flow = feed.see({ ...packet, ...first });
  return [flow, feed.see({ ...packet, ...second, duplicateOf: flow })];
}

const ends = [
  { name: 'two interfaces', first: { source: one }, second: { source: two } },
  { name: 'two VNIs', first: { vni: 1 }, second: { vni: 2 } },
  { name: 'both', first: { source: one, vni: 1 }, second: { source: two, vni: 2 } },
  { name: 'interfaces of IPv4 and IPv6', first: { source: one }, second: { source: 'fd00::1' } },
] as const;

describe('both ends of a connection are mirrored', () => {
  test.each(ends)('$name: one flow, whichever copy comes first', ({ first, second }) => {
    const feed = new FlowFeed();
    const flow = feed.see({ ...there, ...first });
    expect(feed.see({ ...there, ...second, duplicateOf: flow })).toBe(flow);
    for (let time = 1; time < 20; time++) {
      const packet = { ...(time % 2 === 0 ? there : back), time };
      const [early, late] = time % 3 === 0 ? [first, second] : [second, first];
      expect(seeTwice(feed, packet, early, late)).toEqual([flow, flow]);
    }
    expect(feed.table.active).toBe(1);
    const records = feed.finish();
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ packets: 20, duplicatePackets: 20, source: { packets: 10 } });
  });

  test('direction is what the first interface says', () => {
    const feed = new FlowFeed();
    seeTwice(feed, there, { source: one, marks: Mark.egress }, { source: two, marks: Mark.ingress });
    seeTwice(feed, back, { source: two, marks: Mark.egress }, { source: one, marks: Mark.ingress });
    expect(feed.finish()[0]).toMatchObject({ direction: 'egress', mirrorSource: one });
  });

  test('three interfaces', () => {
    const feed = new FlowFeed();
    const flow = feed.see({ ...there, source: one });
    feed.see({ ...there, source: two, duplicateOf: flow });
    feed.see({ ...there, source: '10.0.9.3', duplicateOf: flow });
    expect(feed.see({ ...back, source: '10.0.9.3' })).toBe(flow);
    expect(feed.finish()).toMatchObject([{ packets: 2, duplicatePackets: 2 }]);
  });
});

test('a copy of a packet whose flow is not known counts in its own flow, if there is one', () => {
  const feed = new FlowFeed();
  expect(feed.see({ ...there, duplicateOf: NO_FLOW })).toBe(NO_FLOW);
  expect(feed.table.active).toBe(0);
  const flow = feed.see(there);
  expect(feed.see({ ...there, duplicateOf: NO_FLOW })).toBe(flow);
  expect(feed.finish()).toMatchObject([{ packets: 1, duplicatePackets: 1 }]);
});

test('a slot that was given to another flow meanwhile is not taken', () => {
  const feed = new FlowFeed({ maxFlows: 2 });
  const flow = feed.see({ ...there, source: one });
  feed.expire(100);
  expect(feed.see({ ...there, ports: [1, 443], source: one, time: 100 })).toBe(flow);
  expect(feed.see({ ...there, source: two, time: 100, duplicateOf: flow })).toBe(NO_FLOW);
  expect(feed.finish().map(({ duplicatePackets }) => duplicatePackets)).toEqual([0, 0]);
});

test('an alias whose flow is gone becomes a flow', () => {
  const feed = new FlowFeed({ idleSeconds: { tcp: 350, udp: 60, other: 30 } });
  seeTwice(feed, there, { source: one }, { source: two });
  feed.see({ ...there, source: two, time: 50, duplicateOf: NO_FLOW });
  feed.expire(60);
  expect(feed.records).toMatchObject([{ endReason: 'idle', packets: 1, duplicatePackets: 2 }]);
  const flow = feed.see({ ...there, source: two, time: 61 });
  expect(feed.see({ ...there, source: one, time: 61, duplicateOf: flow })).toBe(flow);
  expect(feed.finish().at(-1)).toMatchObject({
    mirrorSource: two,
    packets: 1,
    duplicatePackets: 1,
    start: 61,
  });
});

test('an alias whose flow has given its row to another one is no alias of that', () => {
  const feed = new FlowFeed();
  const flow = feed.see({ ...there, source: one });
  feed.see({ ...there, source: two, duplicateOf: flow });
  feed.see({ ...there, source: two, time: 59, duplicateOf: NO_FLOW });
  feed.expire(60);
  expect(feed.see({ ...there, ports: [1, 443], source: one, time: 61 })).toBe(flow);
  expect(feed.see({ ...there, source: two, time: 61 })).not.toBe(flow);
  expect(feed.finish().map(({ packets }) => packets)).toEqual([1, 1, 1]);
});

test('an alias has no record, and is forgotten by itself', () => {
  const feed = new FlowFeed({ maxFlows: 2 });
  const flow = feed.see({ ...there, source: one });
  feed.see({ ...there, source: two, duplicateOf: flow });
  for (let time = 10; time <= 100; time += 10) {
    feed.see({ ...there, source: one, time });
    feed.expire(time);
  }
  // its row is free again: nothing has to make room
  feed.see({ ...there, ports: [1, 443], time: 100 });
  expect(feed.records).toEqual([]);
  expect(feed.table.active).toBe(2);
});

describe('two flows of which it is seen late that they are one', () => {
  test('the younger one is an alias from then on; what it had counted stays its own', () => {
    const feed = new FlowFeed();
    const flow = feed.see({ ...there, source: one });
    const other = feed.see({ ...there, source: two, time: 1 });
    expect(other).not.toBe(flow);
    const found = feed.see({ ...there, source: two, time: 2 });
    expect(feed.see({ ...there, source: one, time: 2, duplicateOf: found })).toBe(flow);
    for (let time = 3; time < 100; time++) {
      expect(seeTwice(feed, { ...back, time }, { source: two }, { source: one })).toEqual([flow, flow]);
      feed.expire(time);
    }
    const [aside, ...others] = feed.records;
    expect(others).toEqual([]);
    expect(aside).toMatchObject({ mirrorSource: two, endReason: 'idle', packets: 2, last: 2 });
    expect(feed.table.active).toBe(1);
    expect(feed.finish().at(-1)).toMatchObject({ mirrorSource: one, packets: 98, duplicatePackets: 98 });
  });

  test('whatever packet came before', () => {
    const feed = new FlowFeed();
    const flow = feed.see({ ...there, source: one });
    const other = feed.see({ ...there, source: two, time: 1 });
    feed.see({ ...there, ports: [1, 443], time: 1 });
    expect(feed.see({ ...there, source: one, time: 1, duplicateOf: other })).toBe(flow);
    expect(feed.see({ ...there, source: two, time: 1 })).toBe(flow);
  });

  test('one whose connection is over is the alias, although it is older', () => {
    const feed = new FlowFeed();
    const segment: FlowPacket = { ...there, protocol: IpProtocol.tcp };
    feed.see({ ...segment, flags: Flag.syn, source: one });
    feed.see({ ...back, protocol: IpProtocol.tcp, flags: Flag.rst | Flag.ack, source: one });
    const flow = feed.see({ ...segment, source: two, time: 1 });
    expect(feed.see({ ...segment, source: one, time: 1, duplicateOf: flow })).toBe(flow);
    expect(feed.see({ ...segment, source: one, time: 2 })).toBe(flow);
  });

  test('a chain of them leads to one flow', () => {
    const feed = new FlowFeed();
    const sources = [one, two, '10.0.9.3', '10.0.9.4'];
    const flows = sources.map((source, time) => feed.see({ ...there, source, time }));
    // the youngest two are one, then with the next, then with the next
    for (let i = sources.length - 1; i > 0; i--) {
      feed.see({ ...there, source: sources[i]!, time: 5, duplicateOf: flows[i - 1]! });
    }
    for (const source of sources) expect(feed.see({ ...there, source, time: 6 })).toBe(flows[0]);
    const records = feed.finish();
    expect(records).toHaveLength(4);
    expect(records.reduce((sum, { packets }) => sum + packets, 0)).toBe(8);
  });
});

test('a full table keeps the flow that an alias is made for', () => {
  const feed = new FlowFeed({ maxFlows: 2 });
  const flow = feed.see({ ...there, source: one });
  feed.see({ ...there, ports: [1, 443], time: 1 });
  expect(feed.see({ ...there, source: two, time: 1, duplicateOf: flow })).toBe(flow);
  expect(feed.see({ ...there, source: two, time: 1 })).toBe(flow);
  expect(feed.records).toMatchObject([{ endReason: 'evicted', source: { port: 1 } }]);
});
