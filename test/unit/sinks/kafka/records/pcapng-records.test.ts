import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { frame4, host, ipv4Packet, udpDatagram } from '../../../../../samples/make/packets.ts';
import { Encapsulation, makeLane } from '../../../../../src/packet/lane.ts';
import { LinkType } from '../../../../../src/packet/link-type.ts';
import { Mark } from '../../../../../src/packet/mark.ts';
import { Verdict } from '../../../../../src/packet/verdict.ts';
import { PcapngRecords } from '../../../../../src/sinks/kafka/records/pcapng-records.ts';
import { anyPackets, cutUp } from '../../../../support/any-packets.ts';
import { TEST_SECONDS } from '../../../../support/batches.ts';
import { headersOf, recordsOf } from '../../../../support/kafka-records.ts';
import {
  type BlockPacket,
  encoderOptions,
  lane42,
  overflowLane,
  packetBlock,
} from '../../../../support/packet-blocks.ts';
import { requires } from '../../../../support/requires.ts';
import { runWireshark, tsharkFields, withFolder } from '../../../../support/tshark.ts';

const TOPIC = 'mirrortap.packets';
const near = host(1, '10.0.1.10', '2001:db8:1::10');
const far = host(2, '10.0.2.20', '2001:db8:2::20');
const datagram = udpDatagram(40_000, 53, Buffer.from('payload'));
const there = frame4(near, far, datagram);
const raw = ipv4Packet(near.ipv4, far.ipv4, datagram);
const gwlb = makeLane(Encapsulation.geneveVxlan, 7, true, 0x0123_4567, 0x89ab_cdef, LinkType.ethernet);
const geneve = makeLane(Encapsulation.geneve, 8, false, 0, 0, LinkType.raw);

function encode(packets: readonly BlockPacket[], partitions = 1, batchBytes = 900_000) {
  const encoder = new PcapngRecords(TOPIC, encoderOptions(batchBytes));
  return encoder.encode([packetBlock(packets)], new Map([[TOPIC, partitions]]));
}

test('lanes have records of their own, with what is constant in them as headers', () => {
  const packets = [
    { frame: there, seconds: 20, nanoseconds: 5_000_000 },
    { frame: there, lane: gwlb },
    { frame: raw, lane: geneve },
    { frame: there, lane: overflowLane, vni: 99, encapsulation: Encapsulation.geneve },
    { frame: there, seconds: 10 },
    { frame: there, seconds: 15 },
  ];
  const records = recordsOf(encode(packets)).map((record) => ({
    key: record.key.toString(),
    count: record.count,
    timestampMs: record.timestampMs,
    headers: headersOf(record),
  }));
  const observer = 'mirror-1';
  const others = { count: 1, timestampMs: TEST_SECONDS * 1000 };
  expect(records).toEqual([
    {
      key: 'vni-42/0',
      count: 3,
      // of the newest packet
      timestampMs: 20_005,
      headers: { vni: '42', encapsulation: 'vxlan', observer, 'link-type': '1' },
    },
    {
      ...others,
      key: 'gwlb-7-0123456789abcdef/0',
      headers: {
        vni: '7',
        encapsulation: 'geneve+vxlan',
        'gwlb-endpoint': '0123456789abcdef',
        observer,
        'link-type': '1',
      },
    },
    {
      ...others,
      key: 'geneve-8-ip/0',
      headers: { vni: '8', encapsulation: 'geneve', observer, 'link-type': '101' },
    },
    { ...others, key: 'overflow/0', headers: { observer, 'link-type': '1' } },
  ]);
});

test('keys tell the partition', () => {
  const frames = Array.from({ length: 40 }, (_, i) => frame4(host(1, `10.0.3.${i}`, '::1'), far, datagram));
  const { batches } = encode(
    frames.map((bytes) => ({ frame: bytes })),
    7,
  );
  expect(batches.length).toBe(7);
  for (const { partition, records } of batches)
    expect(records.map(({ key }) => key.toString())).toEqual([`vni-42/${partition}`]);
});

test('values are copies: the block is free again', () => {
  const block = packetBlock([{ frame: there }]);
  const [record] = recordsOf(
    new PcapngRecords(TOPIC, encoderOptions()).encode([block], new Map([[TOPIC, 1]])),
  );
  block.fill(0);
  expect(record?.value.includes(there)).toBe(true);
  expect(record?.value.buffer).toBeInstanceOf(ArrayBuffer);
});

describe.skipIf(!requires('tshark'))('tshark', () => {
  const packets = [
    { frame: there, transportVerdict: Verdict.partial, marks: Mark.ingress, wireLen: there.length },
    { frame: there.subarray(0, 30), wireLen: there.length, marks: Mark.repaired | Mark.late },
  ];

  test('reads lane, time, lengths, flags and comments', async () => {
    const [record] = recordsOf(encode(packets));
    await withFolder((folder) => {
      const path = join(folder, 'x.pcapng');
      writeFileSync(path, record?.value ?? '');
      const fields = [
        'frame.interface_name',
        'frame.time_epoch',
        'frame.len',
        'frame.cap_len',
        'frame.packet_flags',
        'frame.comment',
      ];
      const comments =
        'mirrortap: checksum completed; it was not as it arrived,' +
        'mirrortap: late; packets that belong behind it in its stream stand before it';
      const { length } = there;
      const [first, second] = tsharkFields(path, fields);
      expect(Number(first?.[1])).toBe(TEST_SECONDS);
      expect(first?.toSpliced(1, 1)).toEqual(['vni-42', `${length}`, `${length}`, '0x00000201', '']);
      expect(second?.toSpliced(1, 1)).toEqual(['vni-42', `${length}`, '30', '', comments]);
    });
  });

  test('and capinfos read each of many values without a complaint, and count what they hold', async () => {
    const blocks = cutUp(9, anyPackets(9, 300), 100).map(packetBlock);
    const encoder = new PcapngRecords(TOPIC, encoderOptions(6000));
    const records = recordsOf(encoder.encode(blocks, new Map([[TOPIC, 3]])));
    expect(records.length).toBeGreaterThan(12);
    await withFolder((folder) => {
      const paths = records.map(({ value }, i) => {
        const path = join(folder, `${String(i).padStart(3, '0')}.pcapng`);
        writeFileSync(path, value);
        return path;
      });
      const rows = runWireshark('capinfos', ['-Tmcr', ...paths])
        .trim()
        .split('\n');
      expect(rows.map((row) => Number(row.split(',')[1]))).toEqual(records.map(({ count }) => count));
      // fails where the file is damaged
      for (const path of paths.slice(0, 2)) runWireshark('tshark', ['-r', path]);
    });
  });
});

test('the interface of the overflow lane is told as such', () => {
  const [record] = recordsOf(encode([{ frame: there, lane: overflowLane, vni: 5, encapsulation: 1 }]));
  expect(record?.value.includes('overflow')).toBe(true);
  expect(record?.value.includes(lane42.name)).toBe(false);
});
