import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeLane } from '../../../../src/packet/lane.ts';
import { Verdict } from '../../../../src/packet/verdict.ts';
import { filesDropReasons } from '../../../../src/sinks/files/files-sink.ts';
import { offlineFiles, streamedFile } from '../../../../src/sinks/files/create.ts';
import {
  batchOf,
  numberedFrame,
  overwrite,
  TEST_SECONDS,
  type TestPacket,
} from '../../../support/batches.ts';
import { requires } from '../../../support/requires.ts';
import { sinkContext } from '../../../support/sink-context.ts';
import { statistics } from '../../../support/statistics.ts';
import { runWireshark, tsharkFields, withFolder } from '../../../support/tshark.ts';

const FIELDS = [
  'frame.interface_name',
  'frame.time_epoch',
  'frame.cap_len',
  'frame.len',
  'frame.packet_flags',
];

const packets: readonly TestPacket[] = [
  { lane: 5, frame: numberedFrame(1), seconds: TEST_SECONDS, nanoseconds: 1 },
  { lane: 6, frame: numberedFrame(2, 61), seconds: TEST_SECONDS, nanoseconds: 999_999_999, wireLen: 1514 },
  { lane: 5, frame: numberedFrame(3, 9000), seconds: TEST_SECONDS + 1, transportVerdict: Verdict.partial },
  { lane: 5, frame: Buffer.alloc(0), seconds: TEST_SECONDS + 2, wireLen: 60 },
];

async function write(
  directory: string,
  split: 'lane' | 'none',
  format: 'pcapng' | 'pcap' = 'pcapng',
): Promise<void> {
  const context = sinkContext(filesDropReasons);
  const sink = offlineFiles({ directory, format, split, force: false }, context);
  await sink.open();
  const batch = batchOf(packets);
  await sink.write(batch);
  overwrite(batch);
  await sink.close();
}

describe.skipIf(!requires('tshark'))('read by tshark', () => {
  test('one file a lane: interface name, time to the nanosecond, lengths, flags', () =>
    withFolder(async (directory) => {
      await write(directory, 'lane');
      expect(tsharkFields(join(directory, 'vni-5.pcapng'), FIELDS)).toEqual([
        ['vni-5', '1795233600.000000001', '60', '60', ''],
        ['vni-5', '1795233601.000000000', '9000', '9000', '0x00000200'],
        ['vni-5', '1795233602.000000000', '0', '60', ''],
      ]);
      expect(tsharkFields(join(directory, 'vni-6.pcapng'), FIELDS)).toEqual([
        ['vni-6', '1795233600.999999999', '61', '1514', ''],
      ]);
    }));

  test('all lanes as interfaces of one file, in the order of arrival', () =>
    withFolder(async (directory) => {
      await write(directory, 'none');
      const names = tsharkFields(join(directory, 'all.pcapng'), ['frame.interface_name']);
      expect(names.flat()).toEqual(['vni-5', 'vni-6', 'vni-5', 'vni-5']);
    }));

  test('pcap: nanoseconds, and link type 101 for raw IP', () =>
    withFolder(async (directory) => {
      const context = sinkContext(filesDropReasons);
      context.lanes.replace(0, makeLane(2, 8, false, 0, 0, 101));
      const sink = offlineFiles({ directory, format: 'pcap', split: 'lane', force: false }, context);
      await sink.open();
      await sink.write(batchOf([{ nanoseconds: 123_456_789, wireLen: 1500 }]));
      await sink.close();
      const file = join(directory, 'geneve-8-ip.pcap');
      const [row] = tsharkFields(file, [
        'frame.time_epoch',
        'frame.cap_len',
        'frame.len',
        'frame.encap_type',
      ]);
      expect(row).toEqual(['1795233600.123456789', '60', '1500', '7']);
    }));

  test('a stream to a descriptor is one pcapng with all lanes', () =>
    withFolder(async (directory) => {
      const path = join(directory, 'stream');
      const descriptor = openSync(path, 'w');
      const context = sinkContext(filesDropReasons);
      const sink = streamedFile(descriptor, context);
      await sink.open();
      await sink.write(batchOf(packets));
      await sink.flush();
      await sink.write(batchOf(packets));
      await sink.close();
      closeSync(descriptor);
      expect(tsharkFields(path, ['frame.interface_name']).flat()).toHaveLength(8);
      expect(context.files).toEqual([]);
    }));

  test('statistics close the file: what came and what was dropped, by interface', () =>
    withFolder(async (directory) => {
      const context = sinkContext(filesDropReasons);
      const sink = offlineFiles({ directory, format: 'pcapng', split: 'none', force: false }, context);
      await sink.open();
      await sink.write(batchOf([{ lane: 1 }, { lane: 2 }, { lane: 1 }]));
      sink.missed(batchOf([{ lane: 2 }, { lane: 2 }, { lane: 3 }]));
      await sink.close();
      expect(statistics(join(directory, 'all.pcapng'))).toEqual([
        { interface: 0, received: 2, dropped: 0 },
        { interface: 1, received: 3, dropped: 2 },
      ]);
    }));
});

test.skipIf(!requires('capinfos'))('capinfos counts what was written', () =>
  withFolder(async (directory) => {
    await write(directory, 'lane');
    const table = runWireshark('capinfos', ['-T', '-M', '-r', '-c', join(directory, 'vni-5.pcapng')]);
    expect(table.trim().split('\t').at(-1)).toBe('3');
  }),
);
