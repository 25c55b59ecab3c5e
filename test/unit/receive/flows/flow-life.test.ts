import { describe, expect, test } from 'vitest';
import { TcpState } from '../../../../src/packet/flow-record.ts';
import { AnalysisTally } from '../../../../src/receive/analysis-tally.ts';
import { FlowEndReason } from '../../../../src/packet/flow-record.ts';
import { IpProtocol } from '../../../../src/wire/ip-protocol.ts';
import { Flag } from '../../../../src/wire/tcp.ts';
import { FlowFeed, type FlowPacket, type KeptRecord } from '../../../support/flow-feed.ts';

const there: FlowPacket = { from: '10.0.0.1', to: '10.0.0.2', ports: [40_000, 443] };
const back: FlowPacket = { from: '10.0.0.2', to: '10.0.0.1', ports: [443, 40_000] };
const { tcp } = IpProtocol;

/** What the records say of how flows went on. */
function told(records: readonly KeptRecord[]): (readonly [string | undefined, number, number])[] {
  return records.map(({ endReason, sequence, packets }) => [endReason, sequence, packets] as const);
}

/** A handshake, and both FINs, each one second after the other. */
function connection(time: number): FlowPacket[] {
  return [
    { ...there, protocol: tcp, flags: Flag.syn, sequence: 100, time },
    {
      ...back,
      protocol: tcp,
      flags: Flag.syn | Flag.ack,
      sequence: 500,
      acknowledgement: 101,
      time: time + 0.1,
    },
    { ...there, protocol: tcp, flags: Flag.ack, sequence: 101, acknowledgement: 501, time: time + 0.2 },
    {
      ...there,
      protocol: tcp,
      flags: Flag.fin | Flag.ack,
      sequence: 101,
      acknowledgement: 501,
      time: time + 0.3,
    },
    {
      ...back,
      protocol: tcp,
      flags: Flag.fin | Flag.ack,
      sequence: 501,
      acknowledgement: 102,
      time: time + 0.4,
    },
    { ...there, protocol: tcp, flags: Flag.ack, sequence: 102, acknowledgement: 502, time: time + 0.5 },
  ];
}

describe('idle', () => {
  const classes = [
    { name: 'TCP', packet: { ...there, protocol: tcp }, idle: 350 },
    { name: 'TCP without ports', packet: { ...there, protocol: tcp, portsUnknown: true }, idle: 350 },
    { name: 'UDP', packet: there, idle: 60 },
    { name: 'ICMP', packet: { protocol: IpProtocol.icmp, ports: [8, 0] as const }, idle: 30 },
    { name: 'GRE', packet: { protocol: IpProtocol.gre }, idle: 30 },
  ];
  test.each(classes)('$name ends after $idle s', ({ packet, idle }) => {
    const feed = new FlowFeed({ activeSeconds: 10_000 });
    feed.see(packet);
    feed.see({ ...packet, time: 20 });
    expect(feed.expire(20 + idle - 1)).toBe(0);
    expect(feed.expire(20 + idle)).toBe(1);
    expect(told(feed.records)).toEqual([['idle', 0, 2]]);
    expect(feed.records[0]).toMatchObject({ first: 0, last: 20 });
    expect(feed.table.active).toBe(0);
    expect(feed.tally[AnalysisTally.flowsEnded + FlowEndReason.idle]).toBe(1);
  });

  test('a packet after that is of another flow, whether or not anybody asked in between', () => {
    for (const asks of [true, false]) {
      const feed = new FlowFeed();
      feed.see(there);
      if (asks) feed.expire(60);
      feed.see({ ...there, time: 60 });
      const records = feed.finish();
      expect(told(records)).toEqual([
        ['idle', 0, 1],
        ['end', 0, 1],
      ]);
      expect(records[0]?.id).not.toBe(records[1]?.id);
      expect(records[1]?.start).toBe(60);
    }
  });

  test('longer than the wheel reaches', () => {
    const feed = new FlowFeed({ idleSeconds: { tcp: 1, udp: 5000, other: 1 }, activeSeconds: 100_000 });
    feed.see(there);
    let written = 0;
    for (let time = 0; time < 5000; time++) written += feed.expire(time);
    expect(written).toBe(0);
    expect(feed.expire(5000)).toBe(1);
  });
});

describe('active', () => {
  test('a flow that goes on is reported every so often, with what came since', () => {
    const feed = new FlowFeed({ activeSeconds: 10 });
    for (let time = 0; time < 35; time += 2) {
      feed.expire(time);
      feed.see({ ...there, time });
    }
    const records = feed.finish();
    expect(told(records)).toEqual([
      ['active', 0, 5],
      ['active', 1, 5],
      ['active', 2, 5],
      ['end', 3, 3],
    ]);
    expect(records.map(({ first, last, start }) => [first, last, start])).toEqual([
      [0, 8, 0],
      [10, 18, 0],
      [20, 28, 0],
      [30, 34, 0],
    ]);
    expect(new Set(records.map(({ id }) => id)).size).toBe(1);
  });

  test('and so it is when nobody asks', () => {
    const feed = new FlowFeed({ activeSeconds: 10 });
    for (let time = 0; time < 35; time += 2) feed.see({ ...there, time });
    expect(told(feed.finish())).toEqual([
      ['active', 0, 5],
      ['active', 1, 5],
      ['active', 2, 5],
      ['end', 3, 3],
    ]);
  });

  test('nothing is reported of a flow without packets since its last record, but its end is told', () => {
    const feed = new FlowFeed({ activeSeconds: 10 });
    feed.see(there);
    for (let time = 0; time < 60; time++) feed.expire(time);
    expect(told(feed.records)).toEqual([['active', 0, 1]]);
    feed.expire(60);
    expect(told(feed.records)).toEqual([
      ['active', 0, 1],
      ['idle', 1, 0],
    ]);
    expect(feed.records[1]).toMatchObject({ first: 0, last: 0, source: { wireBytes: 0 } });
  });
});

describe('TCP', () => {
  test('both FINs end a flow, after a while in which late packets are still its own', () => {
    const feed = new FlowFeed();
    feed.expire(0);
    for (const packet of connection(0)) feed.see(packet);
    expect(feed.expire(4)).toBe(0);
    feed.see({ ...there, protocol: tcp, sequence: 102, acknowledgement: 502, time: 4 });
    expect(feed.expire(8)).toBe(0);
    expect(feed.expire(9)).toBe(1);
    expect(told(feed.records)).toEqual([['fin', 0, 7]]);
    expect(feed.records[0]).toMatchObject({ initiator: 'syn', tcpState: 'closed' });
  });

  test('so does RST', () => {
    const feed = new FlowFeed();
    feed.expire(0);
    for (const packet of connection(0).slice(0, 3)) feed.see(packet);
    feed.see({ ...back, protocol: tcp, flags: Flag.rst, sequence: 501, time: 1 });
    expect(feed.expire(6)).toBe(1);
    expect(told(feed.records)).toEqual([['rst', 0, 4]]);
  });

  test('a connection on the same ports is another flow, and the one before ends at once', () => {
    const feed = new FlowFeed();
    for (const packet of connection(0)) feed.see(packet);
    for (const packet of connection(1)) feed.see({ ...packet, sequence: (packet.sequence ?? 0) + 1_000_000 });
    expect(told(feed.records)).toEqual([['fin', 0, 6]]);
    expect(feed.table.active).toBe(1);
    expect(told(feed.finish())).toEqual([
      ['fin', 0, 6],
      ['fin', 0, 6],
    ]);
  });

  test('the last record tells the end whatever made room for it', () => {
    const feed = new FlowFeed({ maxFlows: 1 });
    for (const packet of connection(0)) feed.see(packet);
    feed.see({ ...there, time: 2 });
    expect(told(feed.records)).toEqual([['fin', 0, 6]]);
    expect(TcpState.closed).toBe(5);
  });
});

describe('a full table', () => {
  test('gives the place of a flow that was idle longest among a few, and counts', () => {
    const feed = new FlowFeed({ maxFlows: 4 });
    for (let i = 0; i < 4; i++) feed.see({ ports: [1000 + i, 443], time: i });
    feed.see({ ports: [1000, 443], time: 5 });
    feed.see({ ports: [2000, 443], time: 6 });
    expect(feed.table.active).toBe(4);
    expect(told(feed.records)).toEqual([['evicted', 0, 1]]);
    expect(feed.records[0]?.source.port).toBe(1001);
    expect(feed.tally[AnalysisTally.flowsEnded + FlowEndReason.evicted]).toBe(1);
  });

  test('a connection that is over goes first', () => {
    const feed = new FlowFeed({ maxFlows: 2 });
    feed.see({ ports: [1000, 443], time: 0 });
    for (const packet of connection(1)) feed.see(packet);
    feed.see({ ports: [1001, 443], time: 2 });
    expect(told(feed.records)).toEqual([['fin', 0, 6]]);
  });

  test('goes on for ever', () => {
    const feed = new FlowFeed({ maxFlows: 16 });
    for (let i = 0; i < 5000; i++) feed.see({ ports: [1 + i, 443], time: i / 1000 });
    expect(feed.table.active).toBe(16);
    expect(feed.finish()).toHaveLength(5000);
  });
});

describe('expire and end stop at so many', () => {
  const many = (): FlowFeed => {
    const feed = new FlowFeed({ maxFlows: 1000 });
    for (let i = 0; i < 1000; i++) feed.see({ ports: [1 + i, 443] });
    return feed;
  };

  test('and go on with the next call', () => {
    const feed = many();
    const written = Array.from({ length: 5 }, () => feed.expire(60, 300));
    expect(written).toEqual([300, 300, 300, 100, 0]);
    expect(new Set(feed.records.map(({ id }) => id)).size).toBe(1000);
  });

  test('also at the end', () => {
    const feed = many();
    expect([feed.table.end(600), feed.table.end(600), feed.table.end(600)]).toEqual([600, 400, 0]);
    expect(feed.table.active).toBe(0);
    feed.see(there);
    expect(feed.finish()).toHaveLength(1001);
  });

  test('a call that would look at too many rows leaves some for the next', () => {
    const feed = many();
    for (let i = 0; i < 1000; i++) feed.see({ ports: [1 + i, 443], time: 30 });
    expect(feed.expire(60, 1)).toBe(0);
    while (feed.expire(90, 10) > 0);
    expect(feed.records).toHaveLength(1000);
  });
});

describe('time stamps that are wrong', () => {
  const years = 40 * 365 * 86_400;

  test('a packet from the future ends what was idle by then, and its time is told', () => {
    const feed = new FlowFeed();
    feed.see(there);
    feed.see({ ...there, time: years });
    feed.expire(years);
    const records = feed.finish();
    expect(told(records)).toEqual([
      ['idle', 0, 1],
      ['end', 0, 1],
    ]);
    expect(records[1]?.first).toBe(years);
  });

  test('years are swept in no time', () => {
    const feed = new FlowFeed({ maxFlows: 2000 });
    for (let i = 0; i < 2000; i++) feed.see({ ports: [1 + i, 443], time: i / 10 });
    expect(feed.expire(years)).toBe(2000);
    expect(feed.expire(years)).toBe(0);
  });

  test('one packet from the past changes nothing', () => {
    const feed = new FlowFeed();
    feed.see({ ...there, time: 0 });
    feed.see({ ...there, time: -years });
    feed.see({ ...there, time: 1 });
    feed.expire(2);
    expect(told(feed.records)).toEqual([]);
    const [record] = feed.finish();
    expect(record).toMatchObject({ packets: 3, first: 0, last: 1 });
  });

  test('where time goes back for good, flows end by the new time, and tell it', () => {
    const feed = new FlowFeed();
    feed.see({ ports: [1, 443], time: 86_400 });
    for (let i = 0; i < 3000; i++) feed.see({ ...there, time: i / 10 });
    feed.see({ ports: [2, 443], time: 290 });
    feed.expire(300);
    const ended = feed.records.filter(({ endReason }) => endReason === 'idle');
    expect(ended.map(({ source }) => source.port)).toEqual([1]);
    expect(feed.table.active).toBe(2);
    feed.expire(350);
    expect(feed.records.at(-1)).toMatchObject({ endReason: 'idle', source: { port: 2 }, first: 290 });
    const sums = feed.records.concat(feed.finish()).reduce((sum, { packets }) => sum + packets, 0);
    expect(sums).toBe(3002);
  });

  test('a flow that goes on when time has gone back does not end', () => {
    const feed = new FlowFeed();
    feed.see({ ...there, time: 86_400 });
    for (let i = 0; i < 3000; i++) feed.see({ ...there, time: i / 10 });
    feed.expire(300);
    feed.expire(340);
    expect(feed.records.map(({ endReason }) => endReason)).not.toContain('idle');
    feed.expire(360);
    expect(feed.records.at(-1)?.endReason).toBe('idle');
  });

  test('first and last are in order whatever came', () => {
    const feed = new FlowFeed();
    for (const time of [50, 49.5, 49.25, 50.5, 50.25]) feed.see({ ...there, time });
    expect(feed.finish()[0]).toMatchObject({ first: 50, last: 50.5 });
  });
});
