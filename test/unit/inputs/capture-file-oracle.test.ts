import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CaptureFileInput } from '../../../src/inputs/capture-file.ts';
import {
  block,
  enhancedPacket,
  interfaceBytes,
  obsoletePacket,
  pcapHeader,
  pcapRecord,
  sectionBlock,
} from '../../support/capture-bytes.ts';
import { runInput } from '../../support/input-run.ts';
import { requires } from '../../support/requires.ts';
import { runWireshark, tsharkFields, withFolder } from '../../support/tshark.ts';

/** What the input says of each packet, in the words of tshark. */
async function seenByInput(path: string): Promise<string[][]> {
  const { packets, error } = await runInput(new CaptureFileInput({ path, batchPackets: 3 }));
  expect(error).toBeUndefined();
  return packets.map(({ time, wireLen, data }) => [time, String(data.length / 2), String(wireLen), data]);
}

/** The same from tshark; the bytes are taken from the data layer, which all packets here end up in. */
function seenByTshark(path: string): string[][] {
  return tsharkFields(path, ['frame.time_epoch', 'frame.cap_len', 'frame.len', 'eth.dst', 'data.data']).map(
    ([time, captured, onWire, address, data]) => [
      time ?? '',
      captured ?? '',
      onWire ?? '',
      `${(address ?? '').replaceAll(':', '')}02000000000188b5${data ?? ''}`,
    ],
  );
}

/** An Ethernet frame of a type for experiments (IEEE 802, 0x88b5) with `length` bytes of data. */
function frame(index: number, length: number): Buffer {
  const header = Buffer.from('0200000000ff02000000000188b5', 'hex');
  header[5] = index;
  return Buffer.concat([header, Buffer.alloc(length, index)]);
}

const frames = Array.from({ length: 12 }, (_, index) => frame(index, 1 + 7 * index));

function pcapOf(littleEndian: boolean, nanoseconds: boolean): Buffer {
  return Buffer.concat([
    pcapHeader({ littleEndian, nanoseconds, linkType: 1 }),
    ...frames.map((data, index) =>
      pcapRecord(littleEndian, {
        seconds: 1_561_629_600 + index,
        fraction: 999_980 + index,
        data,
        wireLen: data.length + index,
      }),
    ),
  ]);
}

function pcapngOf(littleEndian: boolean, resolution: number, units: bigint): Buffer {
  const time = (index: number): bigint => 1_561_629_600n * units + BigInt(index) * (units / 3n + 1n);
  return Buffer.concat([
    sectionBlock(littleEndian),
    interfaceBytes(littleEndian, { resolution }),
    interfaceBytes(littleEndian, { resolution, offsetSeconds: 100n }),
    block(littleEndian, 0x8000_0001, Buffer.alloc(33)),
    ...frames.map((data, index) => {
      const shape = { interfaceId: index & 1, time: time(index), data, wireLen: data.length + index };
      return index % 5 === 4
        ? obsoletePacket(littleEndian, shape, 0xffff)
        : enhancedPacket(littleEndian, shape);
    }),
  ]);
}

const made = [
  { name: 'pcap, big-endian, microseconds', bytes: pcapOf(false, false) },
  { name: 'pcap, big-endian, nanoseconds', bytes: pcapOf(false, true) },
  { name: 'pcap, little-endian, microseconds', bytes: pcapOf(true, false) },
  { name: 'pcapng, big-endian, nanoseconds', bytes: pcapngOf(false, 9, 1_000_000_000n) },
  { name: 'pcapng, little-endian, milliseconds', bytes: pcapngOf(true, 3, 1000n) },
  { name: 'pcapng, big-endian, 2 ** -20 seconds', bytes: pcapngOf(false, 0x80 | 20, 1n << 20n) },
  {
    name: 'pcapng, two sections of other byte order',
    bytes: Buffer.concat([pcapngOf(true, 6, 1_000_000n), pcapngOf(false, 9, 1_000_000_000n)]),
  },
];

test.skipIf(!requires('tshark')).each(made)('$name: the same as tshark', async ({ bytes }) => {
  await withFolder(async (folder) => {
    const path = join(folder, 'capture');
    writeFileSync(path, bytes);
    const seen = await seenByInput(path);
    expect(seen.length % frames.length).toBe(0);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen).toEqual(seenByTshark(path));
  });
});

const formats = ['pcap', 'nsecpcap', 'pcapng'];
const editcapAndTshark = requires('editcap') && requires('tshark');

test.skipIf(!editcapAndTshark).each(formats)(
  'what editcap writes as %s: the same as tshark',
  async (format) => {
    await withFolder(async (folder) => {
      const source = join(folder, 'source');
      writeFileSync(source, pcapngOf(false, 9, 1_000_000_000n));
      for (const args of [[], ['-s', '20'], ['-t', '-0.000001'], ['-a', '2:a comment']]) {
        const path = join(folder, `made${args.join('')}`);
        runWireshark('editcap', [...args, '-F', format, source, path]);
        const seen = await seenByInput(path);
        expect(seen).toHaveLength(frames.length);
        expect(seen).toEqual(seenByTshark(path));
      }
    });
  },
);
