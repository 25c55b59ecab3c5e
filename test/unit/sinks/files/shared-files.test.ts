import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Lane, LaneReader } from '../../../../src/packet/lane.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { pcapEncoding, pcapngEncoding } from '../../../../src/sinks/files/encoding.ts';
import { allocateSharedFiles } from '../../../../src/sinks/files/shared-file-table.ts';
import { SharedFiles } from '../../../../src/sinks/files/shared-files.ts';
import { withFolder } from '../../../support/tshark.ts';

function lane(slot: number): Lane {
  const vni = slot;
  return {
    name: `vni-${slot}`,
    encapsulation: 1,
    vni,
    gwlbEndpointId: undefined,
    linkType: LinkType.ethernet,
  };
}
const lanes: LaneReader = { lane };

/** Two threads' views of the same files, as pcap: it adds nothing of its own. */
function pair(directory: string, openMax?: number): [SharedFiles, SharedFiles] {
  const memory = allocateSharedFiles(10);
  const output = { kind: 'folder', directory, format: 'pcap', force: false } as const;
  return [
    new SharedFiles(memory, output, pcapEncoding, openMax),
    new SharedFiles(memory, output, pcapEncoding, openMax),
  ];
}

function append(files: SharedFiles, slot: number, text: string): void {
  files.append(slot, Buffer.from(`<${text}>`), 1, text.length + 1, lane(slot));
  files.table.served(slot);
}

test.each([undefined, 1])(
  'pieces of all threads stand in the order of their tickets; at most %s files open',
  (openMax) =>
    withFolder(async (folder) => {
      const [one, other] = pair(folder, openMax);
      for (const slot of [3, 4]) {
        one.begin(slot, lane(slot));
        one.table.takeTicket(slot);
      }
      expect([3, 4].map((slot) => other.table.takeTicket(slot))).toEqual([1, 1]);
      expect(other.table.isDue(3, 1)).toBe(false);
      append(one, 3, 'first, ');
      expect(other.table.isDue(3, 1)).toBe(true);
      append(other, 3, 'second');
      append(one, 4, 'alone');
      append(other, 4, '');
      expect(readFileSync(join(folder, 'vni-3.pcap.part'), 'utf8')).toBe('first, second');
      const finished = one.finish(lanes);
      expect(finished.map(({ path, bytes }) => [path, bytes])).toEqual([
        ['vni-3.pcap', 13],
        ['vni-4.pcap', 5],
      ]);
      expect(readFileSync(join(folder, 'vni-3.pcap'), 'utf8')).toBe('first, second');
      expect(readFileSync(join(folder, 'vni-4.pcap'), 'utf8')).toBe('alone');
    }),
);

test('what lanes had is added up, from the first piece to the last', () =>
  withFolder(async (folder) => {
    const [one, other] = pair(folder);
    one.begin(2, lane(2));
    one.table.takeTicket(2);
    const times = { startSeconds: 5, startNanoseconds: 6, endSeconds: 7, endNanoseconds: 8 };
    one.table.count({ slot: 2, packets: 10, ...times });
    const later = { startSeconds: 50, startNanoseconds: 60, endSeconds: 3, endNanoseconds: 4 };
    other.table.count({ slot: 2, packets: 1, ...later });
    expect(one.finish(lanes)).toEqual([
      {
        path: 'vni-2.pcap',
        bytes: 0,
        packets: 11,
        lanes: [
          {
            name: 'vni-2',
            packets: 11,
            dropped: 0,
            firstSeconds: 5,
            firstNanoseconds: 6,
            lastSeconds: 3,
            lastNanoseconds: 4,
          },
        ],
      },
    ]);
  }));

test('in a stream lanes are numbered as they come', () => {
  const memory = allocateSharedFiles(10);
  const files = new SharedFiles(memory, { kind: 'stream', descriptor: 1 }, pcapngEncoding);
  expect([7, 2].map((slot) => files.begin(slot, lane(slot)))).toEqual([0, 1]);
  expect([2, 7, 1].map((slot) => files.table.interfaceOf(slot))).toEqual([1, 0, undefined]);
  expect([2, 7].map((slot) => files.file(slot))).toEqual([0, 0]);
});

test('what is in the way is told, and what was begun is removed or left', () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, 'vni-1.pcap'), '');
    writeFileSync(join(folder, 'vni-2.pcap.part'), '');
    const [files] = pair(folder);
    expect(() => files.begin(1, lane(1))).toThrow(/A file is in the way: .*vni-1.pcap\./);
    expect(() => files.begin(2, lane(2))).toThrow(/An unfinished file .* is in the way: .*vni-2.pcap.part/);
    files.begin(3, lane(3));
    files.abandon(lanes, false);
    expect(readFileSync(join(folder, 'vni-3.pcap.part'), 'utf8')).toBe('');
    files.abandon(lanes, true);
    expect(() => readFileSync(join(folder, 'vni-3.pcap.part'))).toThrow(/ENOENT/);
  }));

test('a file that cannot be written is named', () =>
  withFolder(async (folder) => {
    const [files] = pair(join(folder, 'missing'));
    expect(() => files.begin(1, lane(1))).toThrow(/vni-1.pcap cannot be written: ENOENT/);
    const stream = { kind: 'stream', descriptor: 1_000_000 } as const;
    const broken = new SharedFiles(allocateSharedFiles(1), stream, pcapEncoding);
    expect(() => append(broken, 0, 'x')).toThrow(/The output cannot be written: EBADF/);
  }));
