import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, constantFrom, integer, maxSafeInteger, nat, property, string, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import { PcapngDecoder } from '../../../src/format/pcapng-decoder.ts';
import * as pcapng from '../../../src/format/pcapng-encoder.ts';
import { PacketFlag } from '../../../src/format/pcapng-encoder.ts';
import { addRemarks, PacketRemark } from '../../../src/format/pcapng-remark.ts';
import { decodeAll } from '../../support/decoding.ts';
import { hex, toHex } from '../../support/hex.ts';
import { requires } from '../../support/requires.ts';
import { runWireshark, tsharkBlocks, tsharkFields, withFolder } from '../../support/tshark.ts';
import { blockOf } from '../../../src/wire/block.ts';

const frame = Buffer.from(hex('ffffffffffff 020000000001 0800 aabb'));
const statistics = {
  startSeconds: 1,
  startNanoseconds: 2,
  endSeconds: 3,
  endNanoseconds: 4,
  received: 5_000_000_000,
  dropped: 7,
};

/** Runs a writer in the middle of a marked block and returns what it wrote, having checked that it wrote no more. */
function written(write: (out: Buffer, at: number) => number): string {
  const out = Buffer.alloc(2048, 0xa5);
  const next = write(out, 7);
  expect(out.toString('hex', 0, 7)).toBe('a5'.repeat(7));
  expect(out.toString('hex', next, next + 8)).toBe('a5'.repeat(8));
  return out.toString('hex', 7, next);
}

/** Sections of draft-ietf-opsawg-pcapng. */
const blocks = [
  {
    name: 'section header (4.1)',
    write: (out: Buffer, at: number) => pcapng.sectionHeaderBlock(out, at),
    bytes: `0a0d0d0a 30000000 4d3c2b1a 0100 0000 ffffffffffffffff
            0400 0900 6d6972726f72746170 000000 0000 0000 30000000`,
  },
  {
    name: 'section header with a comment (4.1)',
    write: (out: Buffer, at: number) => pcapng.sectionHeaderBlock(out, at, 'In order.'),
    bytes: `0a0d0d0a 40000000 4d3c2b1a 0100 0000 ffffffffffffffff
            0100 0900 496e206f726465722e 000000
            0400 0900 6d6972726f72746170 000000 0000 0000 40000000`,
  },
  {
    name: 'interface, Ethernet (4.2)',
    write: (out: Buffer, at: number) => pcapng.interfaceBlock(out, at, 1, 'vni-42'),
    bytes: `01000000 2c000000 0100 0000 00000000
            0200 0600 766e692d3432 0000 0900 0100 09 000000 0000 0000 2c000000`,
  },
  {
    name: 'interface, raw IP, name of whole words (4.2)',
    write: (out: Buffer, at: number) => pcapng.interfaceBlock(out, at, 101, 'vni-7-ip'),
    bytes: `01000000 2c000000 6500 0000 00000000
            0200 0800 766e692d372d6970 0900 0100 09 000000 0000 0000 2c000000`,
  },
  {
    name: 'packet without flags (4.3)',
    write: (out: Buffer, at: number) =>
      pcapng.packetBlock(blockOf(out), at, 3, 1, 1, blockOf(frame), 2, 7, 9000, PacketFlag.none),
    bytes: `06000000 28000000 03000000 00000000 01ca9a3b 05000000 28230000
            ffffffff02 000000 28000000`,
  },
  {
    name: 'packet with flags (4.3.1)',
    write: (out: Buffer, at: number) =>
      pcapng.packetBlock(
        blockOf(out),
        at,
        0,
        0,
        0,
        blockOf(frame),
        0,
        4,
        4,
        PacketFlag.outbound + PacketFlag.checksumNotReady,
      ),
    bytes: `06000000 30000000 00000000 00000000 00000000 04000000 04000000 ffffffff
            0200 0400 02020000 0000 0000 30000000`,
  },
  {
    name: 'packet of no bytes',
    write: (out: Buffer, at: number) =>
      pcapng.packetBlock(blockOf(out), at, 0, 0, 0, blockOf(frame), 4, 4, 60, PacketFlag.none),
    bytes: '06000000 20000000 00000000 00000000 00000000 00000000 3c000000 20000000',
  },
  {
    name: 'statistics (4.6)',
    write: (out: Buffer, at: number) => pcapng.statisticsBlock(out, at, 1, statistics),
    bytes: `05000000 4c000000 01000000 00000000 045ed0b2
            0200 0800 00000000 02ca9a3b 0300 0800 00000000 045ed0b2
            0400 0800 00f2052a01000000 0500 0800 0700000000000000 0000 0000 4c000000`,
  },
];

test.each(blocks)('$name', ({ write, bytes }) => {
  expect(written(write)).toBe(toHex(hex(bytes)));
});

test('the bounds hold, and those of headers are exact', () => {
  assert(
    property(
      string({ unit: constantFrom('a', 'é', '漢', '😀'), maxLength: 40 }),
      uint8Array({ maxLength: 200 }),
      nat(0xffff),
      (name, data, flags) => {
        const packet = (out: Buffer, at: number): number =>
          pcapng.packetBlock(
            blockOf(out),
            at,
            0,
            0,
            0,
            blockOf(Buffer.from(data)),
            0,
            data.length,
            data.length,
            flags,
          );
        expect(written((out, at) => pcapng.interfaceBlock(out, at, 1, name)).length / 2).toBe(
          pcapng.interfaceBlockBytes(name),
        );
        expect(written(packet).length / 2).toBeLessThanOrEqual(data.length + pcapng.PACKET_OVERHEAD_BYTES);
      },
    ),
  );
  expect(written((out, at) => pcapng.sectionHeaderBlock(out, at)).length / 2).toBe(
    pcapng.sectionHeaderBytes(),
  );
  const statisticsBytes = written((out, at) => pcapng.statisticsBlock(out, at, 0, statistics)).length / 2;
  expect(statisticsBytes).toBeLessThanOrEqual(pcapng.STATISTICS_BLOCK_BYTES);
  const worst = written((out, at) => {
    const { inbound } = PacketFlag;
    const end = pcapng.packetBlock(blockOf(out), at, 0, 0, 0, blockOf(frame), 0, 1, 1, inbound);
    return addRemarks(out, at, end, inbound, PacketRemark.repaired + PacketRemark.late);
  });
  expect(worst.length / 2).toBe(1 + pcapng.PACKET_OVERHEAD_BYTES);
  const said = written((out, at) => pcapng.sectionHeaderBlock(out, at, 'In order.'));
  expect(said.length / 2).toBe(pcapng.sectionHeaderBytes('In order.'));
});

test('times are exact: seconds * 10 ** 9 + nanoseconds in 64 bits', () => {
  const edges = constantFrom(0, 1, 4, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff);
  const nanoseconds = integer({ min: 0, max: 999_999_999 });
  const agree = (s: number, ns: number): void => {
    const out = Buffer.alloc(64);
    pcapng.packetBlock(blockOf(out), 0, 0, s, ns, blockOf(frame), 0, 0, 0, PacketFlag.none);
    const time = (BigInt(out.readUInt32LE(12)) << 32n) | BigInt(out.readUInt32LE(16));
    expect(time).toBe(BigInt(s) * 1_000_000_000n + BigInt(ns));
  };
  assert(property(integer({ min: 0, max: 0xffff_ffff }), nanoseconds, agree), { numRuns: 2000 });
  assert(property(edges, constantFrom(0, 1, 999_999_999), agree));
});

test('counts keep 53 bits', () => {
  assert(
    property(maxSafeInteger(), (count) => {
      const received = Math.abs(count);
      const out = Buffer.alloc(pcapng.STATISTICS_BLOCK_BYTES);
      pcapng.statisticsBlock(out, 0, 0, { ...statistics, received });
      expect(out.readBigUInt64LE(48)).toBe(BigInt(received));
    }),
  );
});

test('what is written is read back', () => {
  const seconds = integer({ min: 0, max: 0xffff_ffff });
  const nanoseconds = integer({ min: 0, max: 999_999_999 });
  assert(
    property(
      seconds,
      nanoseconds,
      uint8Array({ maxLength: 100 }),
      nat(9000),
      nat(0xfff),
      (s, ns, data, cut, flags) => {
        const out = Buffer.alloc(400);
        let end = pcapng.interfaceBlock(out, pcapng.sectionHeaderBlock(out, 0), 101, 'vni-1-ip');
        end = pcapng.packetBlock(
          blockOf(out),
          end,
          0,
          s,
          ns,
          blockOf(Buffer.from(data)),
          0,
          data.length,
          data.length + cut,
          flags,
        );
        end = pcapng.statisticsBlock(out, end, 0, statistics);
        const time = `${s}.${String(ns).padStart(9, '0')}`;
        expect(decodeAll(new PcapngDecoder(), out.subarray(0, end))).toEqual({
          packets: [{ time, linkType: 101, wireLen: data.length + cut, data: toHex(data) }],
          problem: undefined,
        });
      },
    ),
  );
});

function sampleFile(): Buffer {
  const out = Buffer.alloc(2048);
  let end = pcapng.sectionHeaderBlock(out, 0);
  end = pcapng.interfaceBlock(out, end, 1, 'vni-42');
  end = pcapng.interfaceBlock(out, end, 101, 'geneve-7-ip');
  end = pcapng.packetBlock(
    blockOf(out),
    end,
    0,
    1_561_629_600,
    123_456_789,
    blockOf(frame),
    0,
    16,
    1500,
    PacketFlag.none,
  );
  end = pcapng.packetBlock(
    blockOf(out),
    end,
    0,
    0xffff_fffe,
    999_999_999,
    blockOf(frame),
    0,
    15,
    15,
    PacketFlag.checksumNotReady + 1,
  );
  end = pcapng.packetBlock(blockOf(out), end, 1, 1, 0, blockOf(frame), 0, 0, 40, PacketFlag.outbound);
  end = pcapng.statisticsBlock(out, end, 0, statistics);
  return out.subarray(0, end);
}

test.skipIf(!requires('tshark'))(
  'tshark reads times, lengths, interfaces, flags and statistics',
  async () => {
    await withFolder((folder) => {
      const path = join(folder, 'x');
      writeFileSync(path, sampleFile());
      const fields = [
        'frame.time_epoch',
        'frame.cap_len',
        'frame.len',
        'frame.interface_name',
        'frame.packet_flags',
      ];
      expect(tsharkFields(path, fields)).toEqual([
        ['1561629600.123456789', '16', '1500', 'vni-42', ''],
        ['4294967294.999999999', '15', '15', 'vni-42', '0x00000201'],
        ['1.000000000', '0', '40', 'geneve-7-ip', '0x00000002'],
      ]);
      const spelled = tsharkBlocks(path);
      expect(spelled).toContain('Number of Received Packets: 5000000000');
      expect(spelled).toContain('Number of Dropped Packets: 7');
      expect(spelled).not.toMatch(/malformed/i);
    });
  },
);

test.skipIf(!requires('capinfos'))('capinfos names the interfaces and counts their packets', async () => {
  await withFolder((folder) => {
    const path = join(folder, 'x');
    writeFileSync(path, sampleFile());
    const told = runWireshark('capinfos', [path]);
    expect(told).toContain('Capture application: mirrortap');
    expect(told).toMatch(
      /Name = vni-42[^#]*Time precision = nanoseconds \(9\)[^#]*stat entries = 1[^#]*packets = 2/,
    );
    expect(told).toMatch(/Name = geneve-7-ip[^#]*stat entries = 0[^#]*packets = 1/);
  });
});
