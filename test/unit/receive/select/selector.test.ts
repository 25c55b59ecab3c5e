import { expect, test } from 'vitest';
import { frame, frame4, tcpSegment, udpDatagram } from '../../../../samples/make/packets.ts';
import { client, server } from '../../../../samples/make/traffic.ts';
import type { PacketBatch } from '../../../../src/packet/batch.ts';
import { makeLane } from '../../../../src/packet/lane.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { Verdict } from '../../../../src/packet/verdict.ts';
import { selectionOf } from '../../../../src/receive/select/selection.ts';
import { everything, type SelectionTexts } from '../../../../src/receive/select/selection-texts.ts';
import { Selector } from '../../../../src/receive/select/selector.ts';
import { Shaper } from '../../../../src/receive/shape.ts';
import { EtherType } from '../../../../src/wire/ether-type.ts';
import { batchOf, type TestPacket, TestLanes } from '../../../support/batches.ts';
import { readFrame } from '../../../support/judging.ts';

const RAW_LANE = 9;
const lanes = new TestLanes();
lanes.replace(RAW_LANE, makeLane(2, 1, false, 0, 0, LinkType.raw));

function selector(texts: Partial<SelectionTexts>): Selector {
  const selection = selectionOf({ ...everything, ...texts });
  if (selection === undefined) throw new Error('Nothing is asked for.');
  return new Selector(selection, lanes);
}

const data = Buffer.alloc(200, 7);
const segment = (port: number, checksum: 'valid' | 'partial' = 'valid') =>
  frame4(
    client,
    server,
    tcpSegment({ sourcePort: port, destinationPort: 443, sequence: 1, acknowledgement: 1, flags: 16, data }),
    { checksum },
  );
const query = frame4(client, server, udpDatagram(50_000, 53, data));
const arp = frame(client.mac, server.mac, Buffer.alloc(46), EtherType.arp);

interface Given extends TestPacket {
  readonly vni?: number;
}

/** A batch as the receiver leaves it. */
function given(packets: readonly Given[]): PacketBatch {
  const batch = batchOf(packets);
  for (const [i, { frame: bytes = Buffer.alloc(0), lane, vni = 7 }] of packets.entries()) {
    const slot = batch.delivered[i]!;
    const layers = readFrame(bytes, lane === RAW_LANE ? LinkType.raw : LinkType.ethernet);
    batch.transportVerdict[slot] = layers.transportVerdict;
    batch.vni[slot] = vni;
    batch.nanoseconds[slot] = i;
  }
  return batch;
}

/** Places in the original batch of what is delivered, in order. */
function chosen(batch: PacketBatch): number[] {
  return [...batch.delivered.subarray(0, batch.deliveredCount)].map((slot) => batch.nanoseconds[slot]!);
}

test.each([[{}], [{ filter: ' ' }], [{ sampleFlows: 0 }], [{ sampleFlows: 1 }]])(
  '%j asks for nothing',
  (texts) => {
    expect(selectionOf({ ...everything, ...texts })).toBeUndefined();
  },
);

test.each<[string, Partial<SelectionTexts>, number[]]>([
  ['VNIs', { vnis: [7, '100-199'] }, [0, 1, 3, 4]],
  ['a filter', { filter: 'tcp port 443' }, [0, 3, 4]],
  [
    'a filter of Ethernet headers, which raw lanes have not',
    { filter: 'ether src 02:00:00:00:00:01' },
    [0, 1, 2, 3],
  ],
  ['both', { vnis: [7], filter: 'udp or arp' }, [1]],
  ['nothing', { vnis: [8] }, []],
])('%s leave out the others', (_name, texts, expected) => {
  const packets: Given[] = [
    { frame: segment(1) },
    { frame: query },
    { frame: arp, vni: 9 },
    { frame: segment(2), vni: 150 },
    { frame: segment(3).subarray(14), lane: RAW_LANE },
  ];
  const batch = given(packets);
  const own = selector(texts);
  const view = own.select(batch);
  expect(chosen(view)).toEqual(expected);
  expect(chosen(batch)).toEqual([0, 1, 2, 3, 4]);
});

test('a batch of which all is wanted is handed on as it is', () => {
  const batch = given([{ frame: segment(1) }, { frame: segment(2) }]);
  const own = selector({ filter: 'tcp', snapLength: 1500, vnis: [7] });
  expect(own.select(batch)).toBe(batch);
});

test('a view is used again, and shows what its batch holds then', () => {
  const batch = given([{ frame: segment(1) }, { frame: query }]);
  const own = selector({ filter: 'udp' });
  const view = own.select(batch);
  expect([chosen(view), view.bytes]).toEqual([[1], batch.bytes]);
  batch.setBlock(Buffer.concat([batch.bytes]));
  batch.delivered.reverse();
  const again = own.select(batch);
  expect(again).toBe(view);
  expect([chosen(again), again.bytes === batch.bytes, again.view === batch.view]).toEqual([[1], true, true]);
  expect(own.select(given([{ frame: query }, { frame: segment(1) }]))).not.toBe(view);
});

test('snap length cuts frames as the mirror cuts them', () => {
  const packets = [
    { frame: segment(1) },
    { frame: segment(1, 'partial') },
    { frame: arp },
    { frame: query.subarray(0, 45), wireLen: query.length },
    { frame: segment(2).subarray(14), lane: RAW_LANE },
  ];
  const batch = given(packets);
  const ends = [...batch.frameEnd];
  const view = selector({ snapLength: 50 }).select(batch);
  expect(chosen(view)).toEqual([0, 1, 2, 3, 4]);
  const seen = packets.map((_, i) => {
    const slot = view.delivered[i]!;
    return [view.frameEnd[slot]! - view.frameAt[slot]!, view.frameWireLen[slot], view.transportVerdict[slot]];
  });
  expect(seen).toEqual([
    [50, segment(1).length, Verdict.unverifiable],
    [50, segment(1).length, Verdict.unverifiable],
    [50, arp.length, Verdict.none],
    [45, query.length, Verdict.unverifiable],
    [50, segment(2).length - 14, Verdict.unverifiable],
  ]);
  expect([...batch.frameEnd]).toEqual(ends);
});

test('what a mirror would have cut has the same verdict as what is cut here', () => {
  for (const bytes of [segment(1), segment(1, 'partial'), query, arp]) {
    for (let length = 1; length < bytes.length; length++) {
      const view = selector({ snapLength: length }).select(given([{ frame: bytes }]));
      const { transportVerdict } = readFrame(bytes.subarray(0, length));
      expect(view.transportVerdict[view.delivered[0]!]).toBe(transportVerdict);
    }
  }
});

test('of a cut packet no checksum is completed', () => {
  const own = selector({ snapLength: 100 });
  const shaper = new Shaper({ repair: 'all', duplicates: 'keep', lanes });
  const view = own.select(given([{ frame: segment(1, 'partial') }]));
  expect(shaper.shape(view)).toBe(view);
  expect(shaper.repaired).toBe(0);
});

test('one flow in N: both directions, and every frame without IP', () => {
  const flows = Array.from({ length: 400 }, (_, port) => port);
  const there = flows.map((port) => ({ frame: frame4(client, server, udpDatagram(port, 53, data)) }));
  const back = flows.map((port) => ({ frame: frame4(server, client, udpDatagram(53, port, data)) }));
  const others = [{ frame: arp }, { frame: arp.subarray(0, 9) }];
  const own = selector({ sampleFlows: 4 });
  const sampled = chosen(own.select(given([...there, ...back, ...others])));
  const first = sampled.filter((place) => place < 400);
  expect(sampled.filter((place) => place >= 400 && place < 800).map((place) => place - 400)).toEqual(first);
  expect(sampled.filter((place) => place >= 800)).toEqual([800, 801]);
  expect(first.length).toBeGreaterThan(60);
  expect(first.length).toBeLessThan(140);
});
