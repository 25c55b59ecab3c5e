import { expect, test } from 'vitest';
import { Encapsulation } from '../../../../src/packet/lane.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { LANE_COUNTERS_LENGTH, LaneCounter } from '../../../../src/receive/lane-counters.ts';
import { allocateLanes } from '../../../../src/receive/lane-memory.ts';
import { LaneDirectory } from '../../../../src/receive/lanes.ts';
import { IpProtocol } from '../../../../src/wire/ip-protocol.ts';
import { FlowFeed, type FlowPacket } from '../../../support/flow-feed.ts';

const tcp: FlowPacket = { protocol: IpProtocol.tcp, ports: [40_000, 443], payload: Buffer.alloc(100) };
const MAX_LANES = 4;

/** Flows in lanes of a directory: VNIs whose lane is there, made or closed. */
function makeFlows(memory = allocateLanes(MAX_LANES, 1)) {
  const lanes = new LaneDirectory(memory);
  const laneCounters = lanes.counters(0);
  const feed = new FlowFeed({ lanes, laneCounters });
  const lane = (vni: number): number => lanes.slot(Encapsulation.vxlan, vni, 0, 0, 0, LinkType.ethernet);
  const count = (slot: number, counter: keyof typeof LaneCounter): number =>
    laneCounters[slot * LANE_COUNTERS_LENGTH + LaneCounter[counter]] ?? NaN;
  return {
    lanes,
    memory,
    feed,
    lane,
    see: (vni: number, packet: FlowPacket = {}) => feed.see({ ...tcp, ...packet, vni, lane: lane(vni) }),
    flows: (slot: number) => [
      count(slot, 'openTcpFlows'),
      count(slot, 'tcpFlows'),
      count(slot, 'oneSidedFlows'),
    ],
    count,
  };
}

/** Has another lane take the place of one, which is closed. */
function replace({ lanes, lane }: ReturnType<typeof makeFlows>, vni: number, other: number): void {
  const slot = lane(vni);
  lanes.close(slot);
  // places are given out in turn
  for (let i = 0; i < MAX_LANES && lanes.used < MAX_LANES; i++) lane(other + i);
  expect(lanes.lane(slot).vni).not.toBe(vni);
}

test('TCP flows of a lane that are open are counted, until they end or are given up', () => {
  const { see, flows, feed } = makeFlows();
  see(7, { ports: [1000, 80] });
  see(7, { ports: [1001, 80] });
  see(7, { ports: [1001, 80], time: 100, sequence: 100 });
  see(7, { protocol: IpProtocol.udp, ports: [1002, 80] });
  expect(flows(0)).toEqual([2, 0, 0]);
  feed.expire(351);
  expect(flows(0)).toEqual([1, 1, 1]);
  feed.finish();
  expect(flows(0)).toEqual([0, 2, 2]);
});

test('what a flow counts after its lane was closed is not that of the lane in its place', () => {
  const made = makeFlows();
  const { see, flows, feed, lanes } = made;
  see(7);
  replace(made, 7, 100);
  expect(flows(0)).toEqual([0, 0, 0]);
  feed.finish();
  expect(flows(0)).toEqual([0, 0, 0]);
  expect(flows(lanes.closedSlot)).toEqual([0, 1, 1]);
});

test('a closed lane whose place nobody has counts there no more, either: its report has been made', () => {
  const { see, flows, feed, lanes } = makeFlows();
  see(7);
  lanes.close(0);
  feed.finish();
  expect(flows(0)).toEqual([1, 0, 0]);
  expect(flows(lanes.closedSlot)).toEqual([0, 1, 1]);
});

test('a flow of a lane that comes again counts for it, in its new place, from that packet on', () => {
  const made = makeFlows();
  const { see, flows, feed, lanes, lane, count } = made;
  const answer: FlowPacket = { from: '10.0.2.2', to: '10.0.1.1', ports: [443, 40_000] };
  see(7, { from: '10.0.1.1', to: '10.0.2.2', ports: [40_000, 443], sequence: 1 });
  lanes.close(0);
  see(8);
  see(7, { from: '10.0.1.1', to: '10.0.2.2', ports: [40_000, 443], sequence: 201, time: 1 });
  const slot = lane(7);
  expect(slot).not.toBe(0);
  expect(flows(slot)).toEqual([1, 0, 0]);
  see(7, { ...answer, acknowledgement: 301, payload: Buffer.alloc(1), time: 2 });
  expect([count(slot, 'ackedBytes'), count(slot, 'unseenBytes')]).toEqual([300, 100]);
  feed.finish();
  expect(flows(slot)).toEqual([0, 1, 0]);
  expect(flows(lanes.closedSlot)).toEqual([0, 0, 0]);
});

test('a lane that gets its old place again counts from 0, and never below', () => {
  const made = makeFlows(allocateLanes(1, 1));
  const { see, flows, feed, lanes, lane } = made;
  see(7);
  lanes.close(0);
  expect(lane(7)).toBe(0);
  expect(flows(0)).toEqual([0, 0, 0]);
  feed.finish();
  expect(flows(0)).toEqual([0, 1, 1]);
});

test('flows of an overflow lane count there', () => {
  const made = makeFlows(allocateLanes(1, 1));
  made.see(7);
  made.see(8);
  expect(made.flows(1)).toEqual([1, 0, 0]);
  made.feed.finish();
  expect(made.flows(1)).toEqual([0, 1, 1]);
});

test('a worker that takes the place of a dead one has no open flows', () => {
  const first = makeFlows();
  first.see(7);
  expect(first.flows(0)).toEqual([1, 0, 0]);
  const second = makeFlows(first.memory);
  expect(second.flows(0)).toEqual([0, 0, 0]);
});

test('copies of another lane: the flow of the first counts for its own lane, or for none that is there', () => {
  const made = makeFlows();
  const { see, feed, flows, lanes } = made;
  const flow = see(7, { sequence: 1 });
  see(8, { sequence: 1, duplicateOf: flow });
  lanes.close(0);
  // the alias leads to a flow whose lane is gone
  see(8, { sequence: 101, time: 1 });
  feed.finish();
  expect(flows(lanes.closedSlot)).toEqual([0, 1, 1]);
  expect(flows(1)).toEqual([0, 0, 0]);
});
