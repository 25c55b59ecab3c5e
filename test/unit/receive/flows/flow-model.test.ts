import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnalysisTally } from '../../../../src/receive/analysis-tally.ts';
import { IpProtocol } from '../../../../src/wire/ip-protocol.ts';
import { FlowFeed, type FlowPacket, type KeptRecord } from '../../../support/flow-feed.ts';
import { scaled } from '../../../support/scale.ts';

interface Step {
  readonly packet: FlowPacket;
  readonly later: number;
  readonly expires: boolean;
  readonly copied: boolean;
}

interface Sum {
  packets: number;
  wireBytes: number;
  capturedBytes: number;
}

const address = fc.constantFrom('10.0.0.1', '10.0.0.2', '192.168.7.9', '2001:db8::1', '2001:db8::2');
const port = fc.constantFrom(53, 443, 40_000, 50_000);
const step: fc.Arbitrary<Step> = fc.record({
  packet: fc
    .record({
      from: address,
      to: address,
      ports: fc.tuple(port, port),
      protocol: fc.constantFrom(IpProtocol.tcp, IpProtocol.udp, IpProtocol.sctp),
      flags: fc.integer({ min: 0, max: 0x3f }),
      sequence: fc.integer({ min: 0, max: 3000 }),
      vni: fc.constantFrom(1, 2),
      source: fc.constantFrom('10.0.9.1', '10.0.9.2'),
      wireLen: fc.integer({ min: 100, max: 60_000 }),
      payload: fc.nat(30).map((bytes) => Buffer.alloc(bytes)),
      path: fc.constantFrom(0, 0, 0, 1),
      portsUnknown: fc.constantFrom(false, false, true),
    })
    .filter(({ from, to }) => from.includes(':') === to.includes(':')),
  later: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(0, 0.001, 1, 3) },
    { weight: 3, arbitrary: fc.constantFrom(30, 70, 400, -2) },
    { weight: 1, arbitrary: fc.constantFrom(-5000, 100_000) },
  ),
  expires: fc.boolean(),
  copied: fc.boolean(),
});

/** What went in and what came out, by what names a flow of one lane and mirror source besides its time. */
function add(
  sums: Map<string, Sum>,
  key: string,
  packets: number,
  wireBytes: number,
  capturedBytes: number,
): void {
  const sum = sums.get(key) ?? { packets: 0, wireBytes: 0, capturedBytes: 0 };
  sum.packets += packets;
  sum.wireBytes += wireBytes;
  sum.capturedBytes += capturedBytes;
  if (sum.packets > 0) sums.set(key, sum);
}

/** Addresses in one order, whichever way the packet goes. */
function keyOf(packet: FlowPacket): string {
  const { from = '', to = '', ports = [0, 0], protocol, vni, source, path, portsUnknown = false } = packet;
  const ends = [`${from} ${portsUnknown ? 0 : ports[0]}`, `${to} ${portsUnknown ? 0 : ports[1]}`].toSorted();
  return [`vni-${vni}`, source, protocol, path, portsUnknown, ...ends].join(', ');
}

function keyOfRecord({
  lane,
  mirrorSource,
  protocol,
  nestedPath,
  ports,
  source,
  destination,
}: KeptRecord): string {
  const ends = [`${source.ip} ${source.port}`, `${destination.ip} ${destination.port}`].toSorted();
  return [lane, mirrorSource, protocol, nestedPath, ports === 2, ...ends].join(', ');
}

function sumOf(records: readonly KeptRecord[], key: (record: KeptRecord) => string): Map<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const record of records) {
    for (const { packets, wireBytes, capturedBytes } of [record.source, record.destination])
      add(sums, key(record), packets, wireBytes, capturedBytes);
  }
  return sums;
}

/** Records of one flow are numbered in order, one of them is the last, and no time runs backwards in one. */
function expectSeries(records: readonly KeptRecord[]): void {
  const next = new Map<string, number>();
  for (const { id, sequence, endReason, first, last } of records) {
    expect(next.get(id) ?? 0).toBe(sequence);
    expect(first).toBeLessThanOrEqual(last);
    next.set(id, endReason === 'active' ? sequence + 1 : Infinity);
  }
  expect([...next.values()].every((value) => value === Infinity)).toBe(true);
}

const feedOf = (maxFlows: number): FlowFeed =>
  new FlowFeed({ maxFlows, activeSeconds: 20, idleSeconds: { tcp: 50, udp: 30, other: 10 } });

test('what the records say is what the packets were, whenever flows are asked to end, and however many there is room for', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200, size: 'max' }),
      fc.constantFrom(1, 3, 200),
      (steps, maxFlows) => {
        const feed = feedOf(maxFlows);
        const given = new Map<string, Sum>();
        let time = 5000;
        for (const { packet, later, expires } of steps) {
          time = Math.max(0, time + later);
          feed.see({ ...packet, time });
          add(given, keyOf(packet), 1, packet.wireLen ?? 0, feed.innermost.end - feed.innermost.ipAt);
          if (expires) feed.expire(time, 2);
        }
        const records = feed.finish();
        expect(sumOf(records, keyOfRecord)).toEqual(given);
        expectSeries(records);
        const { tally } = feed;
        expect(tally[AnalysisTally.flowsActive]).toBe(0);
        expect(tally[AnalysisTally.flowRecords]).toBe(records.length);
      },
    ),
    { numRuns: scaled(1000) },
  );
});

test('with copies: no packet counts twice, and none is lost, by Community ID', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200, size: 'max' }),
      fc.constantFrom(2, 5, 200),
      (steps, maxFlows) => {
        const feed = feedOf(maxFlows);
        let [time, packets, copies, unknown] = [5000, 0, 0, 0];
        for (const { packet, later, expires, copied } of steps) {
          time = Math.max(0, time + later);
          const flow = feed.see({ ...packet, time });
          packets++;
          if (copied) {
            const vni = 3 - (packet.vni ?? 0);
            const found = feed.see({ ...packet, vni, time, duplicateOf: flow });
            if (found < 0) unknown++;
            copies++;
          }
          if (expires) feed.expire(time, 2);
        }
        const records = feed.finish();
        expectSeries(records);
        expect(records.reduce((sum, record) => sum + record.packets, 0)).toBe(packets);
        expect(records.reduce((sum, { duplicatePackets }) => sum + duplicatePackets, 0)).toBe(
          copies - unknown,
        );
        expect(unknown).toBe(0);
      },
    ),
    { numRuns: scaled(1000) },
  );
});

/** As a table would be that keeps an object for each flow and looks at all of them for each packet. Without TCP. */
function naive(steps: readonly Step[]): string[] {
  interface Flow {
    key: string;
    first: number;
    last: number;
    packets: number;
  }
  const idleSeconds: Record<number, number> = { [IpProtocol.udp]: 30, [IpProtocol.sctp]: 10 };
  const open = new Map<string, Flow>();
  const told: string[] = [];
  const tell = (flow: Flow, reason: string): void => void told.push(`${flow.key} ${reason} ${flow.packets}`);
  let time = 0;
  for (const { packet, later } of steps) {
    time += Math.max(0, later);
    const key = keyOf(packet);
    let flow = open.get(key);
    const whole = Math.floor(time);
    if (flow !== undefined && whole - Math.floor(flow.last) >= (idleSeconds[packet.protocol ?? 0] ?? 0)) {
      tell(flow, 'idle');
      open.delete(key);
      flow = undefined;
    }
    if (flow !== undefined && whole - Math.floor(flow.first) >= 20) {
      tell(flow, 'active');
      flow.packets = 0;
      flow.first = time;
    }
    if (flow === undefined) open.set(key, (flow = { key, first: time, last: time, packets: 0 }));
    flow.packets++;
    flow.last = time;
  }
  for (const flow of open.values()) tell(flow, 'end');
  return told.toSorted();
}

test('flows begin and end as in a table of objects', () => {
  const forward = step.filter(({ packet, later }) => packet.protocol !== IpProtocol.tcp && later >= 0);
  fc.assert(
    fc.property(fc.array(forward, { maxLength: 200, size: 'max' }), (steps) => {
      const feed = feedOf(200);
      let time = 0;
      for (const { packet, later } of steps) {
        time += later;
        feed.see({ ...packet, time });
      }
      const told = feed
        .finish()
        .map((record) => `${keyOfRecord(record)} ${record.endReason} ${record.packets}`);
      expect(told.toSorted()).toEqual(naive(steps));
    }),
    { numRuns: scaled(1000) },
  );
});

test('neither the seed of the index nor the moments in which flows are asked to end change a record', () => {
  const forward = step.filter(({ later }) => later >= 0);
  fc.assert(
    fc.property(fc.array(forward, { maxLength: 150, size: 'max' }), fc.integer(), (steps, hashSeed) => {
      const run = (options: object, asks: boolean): KeptRecord[] => {
        const feed = new FlowFeed({
          activeSeconds: 1000,
          idleSeconds: { tcp: 50, udp: 30, other: 10 },
          ...options,
        });
        let time = 0;
        for (const { packet, later, expires } of steps) {
          time += later;
          feed.see({ ...packet, time });
          if (asks && expires) feed.expire(time);
        }
        const order = (a: KeptRecord, b: KeptRecord): number =>
          `${a.id} ${a.sequence}` < `${b.id} ${b.sequence}` ? -1 : 1;
        return feed.finish().toSorted(order);
      };
      const plain = run({}, false);
      expect(run({ hashSeed }, false)).toEqual(plain);
      const asked = run({ hashSeed }, true);
      // what ends by itself is idle or over before the input ends, if somebody asks
      const rest = (record: KeptRecord): object => ({ ...record, endReason: undefined });
      expect(asked.map(rest)).toEqual(plain.map(rest));
    }),
    { numRuns: scaled(500) },
  );
});
