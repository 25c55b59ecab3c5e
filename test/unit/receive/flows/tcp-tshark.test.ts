import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { frame4, host, tcpSegment } from '../../../../samples/make/packets.ts';
import { CaptureFileInput } from '../../../../src/inputs/capture-file.ts';
import { Flag } from '../../../../src/wire/tcp.ts';
import { makeBench } from '../../../support/receiving.ts';
import { recordedTcp } from '../../../support/recorded-tcp.ts';
import { requires, requiresCaptures } from '../../../support/requires.ts';
import { Seeded } from '../../../support/seeded.ts';
import { type Counted, TrackedTcp } from '../../../support/tracked-tcp.ts';
import { tsharkFields, withFolder } from '../../../support/tshark.ts';

/**
 * Every TCP packet, as the tracker counts it and as tshark's analysis calls it. tshark tells four kinds of what is a
 * retransmission here; where the two differ, the test says so and why.
 */

type Theirs = '' | 'retransmission' | 'fast' | 'spurious' | 'out of order';

interface Compared {
  /** `theirs | ours` to the number of packets. */
  readonly pairs: Readonly<Record<string, number>>;
  readonly zeroWindows: readonly [theirs: number, ours: number];
  /** Connections whose initial round-trip time both know: that of tshark, and of server and client together. */
  readonly times: readonly (readonly [theirs: number, ours: number])[];
  readonly streams: readonly [theirs: number, ours: number];
}

const fields = [
  'tcp.stream',
  'tcp.analysis.out_of_order',
  'tcp.analysis.fast_retransmission',
  'tcp.analysis.spurious_retransmission',
  'tcp.analysis.retransmission',
  'tcp.analysis.zero_window',
  'tcp.analysis.initial_rtt',
];

/** @param isMirrored the capture holds mirrored packets, not those of the connections themselves */
async function compare(path: string, isMirrored: boolean): Promise<Compared> {
  const rows = tsharkFields(path, fields);
  const tracked = new TrackedTcp();
  const ours: (Counted | undefined)[] = [];
  const input = new CaptureFileInput({ path });
  await input.open();
  const { receiver } = makeBench();
  await input.run(async (batch) => {
    if (isMirrored) receiver.process(batch);
    const [from, to] = isMirrored ? [batch.frameAt, batch.frameEnd] : [batch.at, batch.end];
    for (let slot = 0; slot < batch.count; slot++) {
      const [seconds, nanoseconds] = [batch.seconds[slot]!, batch.nanoseconds[slot]!];
      ours.push(tracked.see(batch, from[slot]!, to[slot]!, seconds, nanoseconds)?.counted);
    }
  });
  expect(ours).toHaveLength(rows.length);

  const pairs: Record<string, number> = {};
  const times = new Map<number, number>();
  let zeroWindows = 0;
  for (const [index, [stream, outOfOrder, fast, spurious, again, zeroWindow, time]] of rows.entries()) {
    expect(ours[index] === undefined).toBe(stream === '');
    let theirs: Theirs = '';
    if (outOfOrder !== '') theirs = 'out of order';
    else if (fast !== '') theirs = 'fast';
    else if (spurious !== '') theirs = 'spurious';
    else if (again !== '') theirs = 'retransmission';
    const pair = `${theirs} | ${ours[index] ?? ''}`;
    if (pair !== ' | ') pairs[pair] = (pairs[pair] ?? 0) + 1;
    if (zeroWindow !== '') zeroWindows++;
    if (time !== '') times.set(Number(stream), Math.round(Number(time) * 1e6));
  }
  const records = tracked.streams.map((stream) => tracked.record(stream));
  return {
    pairs,
    zeroWindows: [
      zeroWindows,
      records.reduce((sum, { source, destination }) => sum + source.zeroWindows + destination.zeroWindows, 0),
    ],
    times: records.flatMap(({ serverRttUs, clientRttUs }, stream) => {
      const theirs = times.get(stream);
      return theirs === undefined || serverRttUs < 0 || clientRttUs < 0
        ? []
        : [[theirs, serverRttUs + clientRttUs] as const];
    }),
    streams: [new Set(rows.map(([stream]) => stream)).size, records.length],
  };
}

const agreed = [
  'retransmission | retransmission',
  'fast | retransmission',
  'spurious | retransmission',
  'out of order | out of order',
];

/** Packets that both count alike, and the others by pair. */
function split(pairs: Readonly<Record<string, number>>): { alike: number; others: Record<string, number> } {
  const others = Object.entries(pairs).filter(([pair]) => !agreed.includes(pair));
  const sum = (list: readonly number[]): number => list.reduce((total, one) => total + one, 0);
  return { alike: sum(agreed.map((pair) => pairs[pair] ?? 0)), others: Object.fromEntries(others) };
}

/** To the microsecond: each half is rounded. */
function expectTimes({ times }: Compared, least: number): void {
  expect(times.length).toBeGreaterThanOrEqual(least);
  for (const [theirs, ours] of times) expect(Math.abs(theirs - ours)).toBeLessThanOrEqual(1);
}

interface Written {
  readonly frame: Buffer;
  readonly timeUs: number;
  readonly wireLen: number;
}

/** Compares what a capture of these packets holds. */
function compareWritten(packets: readonly Written[]): Promise<Compared> {
  return withFolder(async (folder) => {
    const path = join(folder, 'tcp.pcap');
    const header = Buffer.alloc(24);
    header.writeUInt32LE(0xa1b2c3d4, 0);
    header.writeUInt32LE(0x0004_0002, 4);
    header.writeUInt32LE(262_144, 16);
    header.writeUInt32LE(1, 20);
    const records = packets.flatMap(({ frame, timeUs, wireLen }) => {
      const record = Buffer.alloc(16);
      record.writeUInt32LE(1_795_233_600 + Math.floor(timeUs / 1e6), 0);
      record.writeUInt32LE(Math.floor(timeUs) % 1e6, 4);
      record.writeUInt32LE(frame.length, 8);
      record.writeUInt32LE(wireLen, 12);
      return [record, frame];
    });
    writeFileSync(path, Buffer.concat([header, ...records]));
    return compare(path, false);
  });
}

/** The recording as a mirror path would deliver it. */
function delivered(seed: number, lostOfThousand: number, lateOfThousand: number, lateUs: number): Written[] {
  const random = new Seeded(seed);
  return recordedTcp()
    .filter(() => random.below(1000) >= lostOfThousand)
    .map(({ frame, timeUs, wireLen }) => {
      const isLate = random.below(1000) < lateOfThousand;
      return { frame, wireLen, timeUs: timeUs + (isLate ? random.below(lateUs) : 0) };
    })
    .sort((a, b) => a.timeUs - b.timeUs);
}

/** Offset of the field in the TCP header. */
const WINDOW = 14;

const KINDS_OF_A_PATH = [
  // tshark goes by the time since the highest sequence number; here it is the time since the gap appeared
  'out of order | retransmission',
  // acknowledged before it came, and never seen before: the mirror path delivered it late, nobody sent it again
  'spurious | out of order',
  'spurious | ',
  'retransmission | out of order',
  'retransmission | ',
  ' | retransmission',
  'fast | out of order',
];

describe.skipIf(!requires('tshark'))('tshark agrees', () => {
  test('real TCP of a kernel, with loss', async () => {
    const compared = await compareWritten(recordedTcp());
    const { alike, others } = split(compared.pairs);
    expect(alike).toBeGreaterThan(100);
    expect(Object.keys(others).filter((pair) => pair !== 'out of order | retransmission')).toEqual([]);
    expect(others['out of order | retransmission'] ?? 0).toBeLessThan(alike / 20);
    expect(compared.streams[1]).toBe(compared.streams[0]);
    expect(compared.zeroWindows[1]).toBe(compared.zeroWindows[0]);
    expectTimes(compared, 20);
  });

  test.each([
    { name: 'some lost on the mirror path', lost: 20, late: 0, lateUs: 1 },
    { name: 'some late by 3 ms', lost: 0, late: 50, lateUs: 3000 },
    { name: 'some late by 20 ms', lost: 0, late: 100, lateUs: 20_000 },
    { name: 'both', lost: 10, late: 50, lateUs: 5000 },
  ])('the same, $name', async ({ lost, late, lateUs }) => {
    const { pairs, streams } = await compareWritten(delivered(7, lost, late, lateUs));
    const { alike, others } = split(pairs);
    expect(Object.keys(others).filter((pair) => !KINDS_OF_A_PATH.includes(pair))).toEqual([]);
    const different = Object.entries(others).filter(([pair]) => !pair.startsWith('spurious'));
    expect(different.reduce((sum, [, count]) => sum + count, 0)).toBeLessThan(alike / 4);
    expect(streams[1]).toBe(streams[0]);
  });

  test('closed windows, their probes, keep-alives and window updates', async () => {
    const [client, server] = [host(1, '10.0.0.1', '2001:db8::1'), host(2, '10.0.0.2', '2001:db8::2')];
    let timeUs = 0;
    const packet = (
      isClient: boolean,
      flags: number,
      sequence: number,
      acknowledgement: number,
      window: number,
      bytes = 0,
    ): Written => {
      const [from, to] = isClient ? [client, server] : [server, client];
      const [sourcePort, destinationPort] = isClient ? [40_000, 443] : [443, 40_000];
      timeUs += 20_000;
      const segment = tcpSegment({
        sourcePort,
        destinationPort,
        sequence,
        acknowledgement,
        flags,
        data: Buffer.alloc(bytes, 1),
      });
      segment.bytes.writeUInt16BE(window, WINDOW);
      const frame = frame4(from, to, segment);
      return { frame, timeUs, wireLen: frame.length };
    };
    const data = Flag.ack | Flag.psh;
    const compared = await compareWritten([
      packet(true, Flag.syn, 99, 0, 1000),
      packet(false, Flag.syn | Flag.ack, 499, 100, 1000),
      packet(true, Flag.ack, 100, 500, 1000),
      packet(true, data, 100, 500, 1000, 500),
      packet(false, Flag.ack, 500, 600, 500),
      packet(true, data, 600, 500, 1000, 500),
      packet(false, Flag.ack, 500, 1100, 0),
      packet(true, Flag.ack, 1099, 500, 1000),
      packet(false, Flag.ack, 500, 1100, 0),
      packet(true, data, 1100, 500, 1000, 1),
      packet(false, Flag.ack, 500, 1100, 0),
      packet(false, Flag.ack, 500, 1100, 1000),
      packet(true, data, 1100, 500, 1000, 200),
      packet(false, Flag.ack, 500, 1300, 1000),
      packet(true, Flag.ack, 1299, 500, 1000),
      packet(false, Flag.ack, 500, 1300, 1000),
      packet(false, Flag.fin | Flag.ack, 500, 1300, 0),
      packet(false, Flag.fin | Flag.ack, 500, 1300, 0),
      packet(true, Flag.fin | Flag.ack, 1300, 501, 1000),
      packet(true, Flag.rst, 1301, 501, 0),
    ]);
    expect(compared.pairs).toEqual({ 'retransmission | retransmission': 1 });
    expect(compared.zeroWindows).toEqual([3, 3]);
    expectTimes(compared, 1);
  });

  const captures = requiresCaptures();
  test.skipIf(captures === undefined).each(['aws-mirror-2019.pcap', 'zeek-vxlan-encapsulated-http.pcap'])(
    '%s',
    async (name) => {
      const compared = await compare(join(captures!, name), true);
      expect(split(compared.pairs).others).toEqual({});
      expect(compared.zeroWindows[1]).toBe(compared.zeroWindows[0]);
      expectTimes(compared, 0);
    },
  );
});
