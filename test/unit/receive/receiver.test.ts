import { expect, test } from 'vitest';
import { hostilePackets } from '../../../samples/make/hostile.ts';
import { outer } from '../../../samples/make/mirrored.ts';
import { frame4, ipv4Packet, udpDatagram } from '../../../samples/make/packets.ts';
import { client, server } from '../../../samples/make/traffic.ts';
import { Verdict } from '../../../src/packet/verdict.ts';
import { Admission } from '../../../src/receive/admission.ts';
import { LANE_COUNTERS_LENGTH, LaneCounter } from '../../../src/receive/lane-counters.ts';
import { settled, Tally } from '../../../src/receive/tally.ts';
import { parseCidr } from '../../../src/wire/address.ts';
import { EtherType } from '../../../src/wire/ether-type.ts';
import { admitAll, batchOf, buckets, makeBench } from '../../support/receiving.ts';
import { carried, geneve, gwlb, inner, vxlan } from '../../support/tunnels.ts';

const send = (payload: Uint8Array, port: number, version: 4 | 6 = 4): Buffer =>
  outer({ from: client, to: server, version, port }, 1, payload);

const toVxlan = send(vxlan(inner), 4789);
const toGwlb = send(geneve(EtherType.ipv4, carried(4), gwlb, '01'), 6081);
const production = send(
  geneve(EtherType.ipv4, ipv4Packet(client.ipv4, server.ipv4, udpDatagram(1, 2, Buffer.from('hi')))),
  6081,
);
const noVni = send(vxlan(inner, '00 000000 00002a 00'), 4789);
const dns = send(Buffer.from('query'), 53);
const cut = send(vxlan(inner.subarray(0, 30)), 4789, 6);

test('each packet ends in one bucket, in packets and in bytes', () => {
  const { receiver, tally, lanes } = makeBench();
  const batch = batchOf(
    [toVxlan, toGwlb, production, noVni, dns, cut, Buffer.from('?')].map((bytes) => ({ bytes })),
  );
  receiver.process(batch);
  const payloads = [toVxlan, toGwlb, production].map((bytes) => bytes.length - 42);
  expect(buckets(tally)).toEqual({
    received: [
      7,
      payloads.reduce((sum, length) => sum + length, 0) + noVni.length - 42 + 5 + cut.length - 62,
    ],
    delivered: [4, payloads.reduce((sum, length) => sum + length, 0) + cut.length - 62],
    notTunnel: [2, 5],
    vxlanNoVni: [1, noVni.length - 42],
    reservedBits: [1, toGwlb.length - 42],
    geneveOnly: [1, production.length - 42],
  });
  expect(tally[Tally.inputBytes]).toBe(batch.end.reduce((sum, end, slot) => sum + end - batch.at[slot]!, 0));
  expect([settled(tally, 0), settled(tally, 1)]).toEqual([tally[Tally.received], tally[Tally.received + 1]]);
  expect(Array.from(batch.delivered.subarray(0, batch.deliveredCount))).toEqual([0, 1, 2, 5]);
  const names = [0, 1, 2, 5].map((slot) => lanes.lane(batch.lane[slot]!).name);
  expect(names).toEqual(['vni-42', 'gwlb-42-0a1b2c3d4e5f6071', 'geneve-77-ip', 'vni-42']);
});

test('the columns say where the frame is, how long it was and what its checksum is worth', () => {
  const { receiver } = makeBench();
  const batch = batchOf([{ bytes: toVxlan }, { bytes: cut }]);
  receiver.process(batch);
  for (const [slot, length, verdict] of [
    [0, inner.length, Verdict.valid],
    [1, 30, Verdict.none],
  ] as const) {
    const frame = batch.bytes.subarray(batch.frameAt[slot], batch.frameEnd[slot]);
    expect(frame).toEqual(inner.subarray(0, length));
    expect(batch.frameWireLen[slot]).toBe(inner.length);
    expect(batch.transportVerdict[slot]).toBe(verdict);
  }
});

test('lanes are counted with the time of their packets', () => {
  const { receiver, laneCounters } = makeBench();
  receiver.process(
    batchOf([
      { bytes: toVxlan, seconds: 11, nanoseconds: 5 },
      { bytes: cut, seconds: 10, nanoseconds: 999_999_999 },
    ]),
  );
  const row = laneCounters.subarray(0, LANE_COUNTERS_LENGTH);
  expect(row[LaneCounter.packets]).toBe(2);
  expect(row[LaneCounter.bytes]).toBe(inner.length + 30);
  expect(row[LaneCounter.wireBytes]).toBe(2 * inner.length);
  expect(row[LaneCounter.truncated]).toBe(1);
  expect(Array.from(row.subarray(LaneCounter.firstSeconds, LaneCounter.lastNanoseconds + 1))).toEqual([
    10, 999_999_999, 11, 5,
  ]);
});

test('a second batch does not repeat the first, and an empty one delivers nothing', () => {
  const { receiver, tally } = makeBench();
  const batch = batchOf([{ bytes: toVxlan }, { bytes: dns }]);
  receiver.process(batch);
  receiver.process(batch);
  expect(batch.deliveredCount).toBe(1);
  batch.clear();
  receiver.process(batch);
  expect(batch.deliveredCount).toBe(0);
  expect(buckets(tally)).toMatchObject({
    received: [4, expect.any(Number)],
    delivered: [2, expect.any(Number)],
  });
});

test('a sender that is not admitted is filtered whatever it sends, and other traffic stays other traffic', () => {
  const rules = { ...admitAll, sources: [parseCidr('192.0.2.1')!] };
  const { receiver, tally } = makeBench({ rules });
  const batch = batchOf([toVxlan, noVni, toGwlb, dns].map((bytes) => ({ bytes })));
  receiver.process(batch);
  expect(batch.deliveredCount).toBe(0);
  expect(buckets(tally)).toMatchObject({ filteredSource: [3, expect.any(Number)], notTunnel: [1, 5] });
  receiver.setAdmission(new Admission({ ...admitAll, vnis: [[7, 7]] }));
  receiver.process(batch);
  expect(buckets(tally)).toMatchObject({
    filteredVni: [2, expect.any(Number)],
    vxlanNoVni: [1, expect.any(Number)],
  });
  receiver.setAdmission(new Admission({ ...admitAll, mirrorSources: [parseCidr('10.0.0.2')!] }));
  receiver.process(batch);
  expect(batch.deliveredCount).toBe(1);
  expect(buckets(tally)['filteredMirrorSource']?.[0]).toBe(1);
  expect(settled(tally, 0)).toBe(12);
});

test.each([
  ['all', 64, 64],
  ['sampled', 64, 4],
  ['off', 64, 0],
] as const)('checksums %s: of %i frames %i are judged', (verifyChecksums, frames, judged) => {
  const { receiver, laneCounters } = makeBench({ verifyChecksums });
  const batch = batchOf(Array.from({ length: frames }, () => ({ bytes: toVxlan })));
  receiver.process(batch);
  expect(laneCounters[LaneCounter.transportVerdict + Verdict.valid]).toBe(judged);
  expect(laneCounters[LaneCounter.ipVerdict + Verdict.valid]).toBe(judged);
  expect(laneCounters[LaneCounter.transportVerdict + Verdict.none]).toBe(frames - judged);
  expect(batch.transportVerdict.filter((verdict) => verdict === Verdict.valid)).toHaveLength(judged);
});

test('past the lane limit frames share the overflow lane and are delivered', () => {
  const { receiver, lanes } = makeBench({ maxLanes: 1 });
  const other = send(
    vxlan(frame4(server, client, udpDatagram(1, 2, Buffer.from('x'))), '08 000000 000007 00'),
    4789,
  );
  const batch = batchOf([toVxlan, other, toVxlan, production].map((bytes) => ({ bytes })));
  receiver.process(batch);
  expect(Array.from(batch.lane.subarray(0, 4), (slot) => lanes.lane(slot).name)).toEqual([
    'vni-42',
    'overflow',
    'vni-42',
    'overflow-ip',
  ]);
});

test('hostile packets come to what they are said to come to, in one batch as well as alone', () => {
  const packets = hostilePackets();
  const { receiver, tally } = makeBench({ maxLanes: 64 });
  receiver.process(batchOf(packets));
  const expected: Record<string, number> = {};
  for (const { outcome } of packets) expected[outcome] = (expected[outcome] ?? 0) + 1;
  const { received, reservedBits, geneveOnly, ...rest } = buckets(tally);
  expect(Object.fromEntries(Object.entries(rest).map(([name, [count]]) => [name, count]))).toEqual(expected);
  expect(received?.[0]).toBe(packets.length);
  expect(reservedBits?.[0]).toBeGreaterThan(0);
  expect(geneveOnly?.[0]).toBeGreaterThan(0);
});
