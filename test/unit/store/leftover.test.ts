import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFileSystem } from '../../../src/store/file-system.ts';
import { finishLeftover } from '../../../src/store/leftover.ts';
import { type LiveName, parseLiveName } from '../../../src/store/live-names.ts';
import { failing, Killed, killedAt } from '../../support/killed-files.ts';
import { leaveCaptures, variedPackets } from '../../support/live-captures.ts';
import { walkPcapng } from '../../support/pcapng-walk.ts';
import { requires } from '../../support/requires.ts';
import { runWireshark, tsharkFields, withFolder } from '../../support/tshark.ts';

const NAME = '20261121T040000Z-000001-w0';
const pcapng = parseLiveName(`${NAME}.pcapng`)!;
const pcap = parseLiveName(`${NAME}.pcap`)!;

/** Where records of a capture begin, and its end. */
function boundaries(bytes: Buffer, { format }: LiveName): number[] {
  const found = format === 'pcap' ? [0, 24] : [0];
  for (let at = found.at(-1) ?? 0; at < bytes.length; found.push(at)) {
    at += format === 'pcap' ? 16 + bytes.readUInt32LE(at + 8) : bytes.readUInt32LE(at + 4);
  }
  return found;
}

async function leftover(directory: string, settings: object, lanes: number): Promise<Buffer> {
  const captures = join(directory, 'left');
  const [path = ''] = await leaveCaptures({
    directory: captures,
    settings,
    packets: variedPackets(12, lanes),
  });
  return readFileSync(join(captures, path));
}

/** Puts bytes where a crash leaves them, and returns the path of the finished file. */
function put(directory: string, bytes: Buffer, { format }: LiveName): string {
  const path = `vni-0/${NAME}.${format}`;
  rmSync(join(directory, 'vni-0'), { recursive: true, force: true });
  mkdirSync(join(directory, 'vni-0'), { recursive: true });
  writeFileSync(join(directory, `${path}.part`), bytes);
  return path;
}

const kinds = [
  { kind: 'one lane', settings: {}, lanes: 1, live: pcapng, header: 2, blocks: 12 },
  {
    kind: 'three lanes in one file',
    settings: { split: 'none' },
    lanes: 3,
    live: pcapng,
    header: 1,
    blocks: 12,
  },
  { kind: 'pcap', settings: { format: 'pcap' }, lanes: 1, live: pcap, header: 1, blocks: 12 },
];

test.each(kinds)(
  '$kind, cut at and around every record: whole records stay, the rest goes',
  async ({ settings, lanes, live }) =>
    withFolder(async (directory) => {
      const bytes = await leftover(directory, settings, lanes);
      const ends = boundaries(bytes, live);
      for (const length of new Set(ends.flatMap((at) => [at - 5, at - 1, at, at + 1, at + 4, at + 12]))) {
        if (length < 0 || length > bytes.length) continue;
        const path = put(directory, bytes.subarray(0, length), live);
        const whole = ends.findLast((at) => at <= length) ?? 0;
        const packets = countPackets(bytes, whole, live);
        const end = finishLeftover(nodeFileSystem, directory, path, live);
        if (packets === 0) {
          expect([length, end.kind, readdirSync(join(directory, 'vni-0'))]).toEqual([length, 'removed', []]);
          continue;
        }
        expect(end).toMatchObject({ kind: 'finished', packets, cutBytes: length - whole });
        const finished = readFileSync(join(directory, path));
        expect(finished.subarray(0, whole).equals(bytes.subarray(0, whole))).toBe(true);
        if (live.format === 'pcap') expect(finished.length).toBe(whole);
        else expect(walkPcapngLoosely(finished)).toBe(packets);
        expect(existsSync(join(directory, `${path}.part`))).toBe(false);
      }
    }),
);

test.skipIf(!requires('tshark') || !requires('capinfos'))(
  'tshark and capinfos read what was finished, with the time and count of every packet',
  () =>
    withFolder(async (directory) => {
      const bytes = await leftover(directory, { split: 'none' }, 3);
      const path = put(directory, bytes.subarray(0, bytes.length - 10), pcapng);
      finishLeftover(nodeFileSystem, directory, path, pcapng);
      const file = join(directory, path);
      expect(tsharkFields(file, ['frame.interface_name', 'frame.len'])).toHaveLength(11);
      const facts = runWireshark('capinfos', [file]);
      expect(facts).toMatch(/Number of packets:\s+11/);
      expect(facts).toContain('Number of stat entries = 1');
    }),
);

test('killed at any call and begun again: the same file comes out', () =>
  withFolder(async (directory) => {
    const bytes = await leftover(directory, { split: 'none' }, 3);
    const cut = bytes.subarray(0, bytes.length - 10);
    const expectedPath = put(directory, cut, pcapng);
    finishLeftover(nodeFileSystem, directory, expectedPath, pcapng);
    const expected = readFileSync(join(directory, expectedPath));
    let deaths = 0;
    for (let atCall = 1; ; atCall++) {
      const path = put(directory, cut, pcapng);
      try {
        finishLeftover(killedAt(atCall), directory, path, pcapng);
        break;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        deaths++;
      }
      if (existsSync(join(directory, `${path}.part`)))
        finishLeftover(nodeFileSystem, directory, path, pcapng);
      expect(readFileSync(join(directory, path)).equals(expected)).toBe(true);
    }
    expect(deaths).toBeGreaterThanOrEqual(5);
  }));

test('a file that had its statistics already keeps what they say of drops', () =>
  withFolder(async (directory) => {
    const bytes = await leftover(directory, {}, 1);
    const path = put(directory, bytes, pcapng);
    finishLeftover(nodeFileSystem, directory, path, pcapng);
    const statistics = Buffer.concat([
      readFileSync(join(directory, path)).subarray(0, bytes.length),
      dropped(7),
    ]);
    const again = put(directory, statistics, pcapng);
    const end = finishLeftover(nodeFileSystem, directory, again, pcapng);
    expect(end.kind === 'finished' && end.walk.interfaces[0]?.dropped).toBe(7);
    expect(readFileSync(join(directory, again)).equals(statistics)).toBe(true);
    expect(walkPcapng(statistics).statistics.get(0)).toEqual({ received: 19, dropped: 7 });
  }));

test.each([
  { name: 'zeros, as a power failure leaves them', bytes: Buffer.alloc(4096) },
  { name: 'text', bytes: Buffer.from('not a capture at all, but long enough') },
])('$name: set aside, whole', ({ bytes }) =>
  withFolder((directory) => {
    const path = put(directory, bytes, pcapng);
    expect(finishLeftover(nodeFileSystem, directory, path, pcapng)).toEqual({ kind: 'set aside' });
    expect(readdirSync(join(directory, 'vni-0'))).toEqual([`${NAME}.pcapng.damaged`]);
    expect(readFileSync(join(directory, `${path}.damaged`)).equals(bytes)).toBe(true);
  }),
);

test('zeros behind good packets are cut off', () =>
  withFolder(async (directory) => {
    const bytes = await leftover(directory, {}, 1);
    const path = put(directory, Buffer.concat([bytes, Buffer.alloc(4096)]), pcapng);
    expect(finishLeftover(nodeFileSystem, directory, path, pcapng)).toMatchObject({
      packets: 12,
      cutBytes: 4096,
    });
  }));

test('a file of the final name is never replaced', () =>
  withFolder(async (directory) => {
    const bytes = await leftover(directory, {}, 1);
    const path = put(directory, bytes, pcapng);
    writeFileSync(join(directory, path), 'was here before');
    expect(finishLeftover(nodeFileSystem, directory, path, pcapng)).toEqual({ kind: 'set aside' });
    expect(readFileSync(join(directory, path), 'utf8')).toBe('was here before');
  }));

test('on a full disk the file is finished without statistics; on a broken one it stays as it is', () =>
  withFolder(async (directory) => {
    const bytes = await leftover(directory, {}, 1);
    const path = put(directory, bytes, pcapng);
    const broken = failing({ writeSync: 'EIO' });
    expect(() => finishLeftover(broken, directory, path, pcapng)).toThrow('EIO');
    expect(readFileSync(join(directory, `${path}.part`)).equals(bytes)).toBe(true);
    const full = failing({ writeSync: 'ENOSPC' });
    expect(finishLeftover(full, directory, path, pcapng)).toMatchObject({ kind: 'finished', packets: 12 });
    expect(readFileSync(join(directory, path)).equals(bytes)).toBe(true);
    expect(dirname(path)).toBe('vni-0');
  }));

function countPackets(bytes: Buffer, end: number, live: LiveName): number {
  const starts = boundaries(bytes, live).filter((at) => at < end);
  if (live.format === 'pcap') return Math.max(0, starts.length - 1);
  return starts.filter((at) => bytes.readUInt32LE(at) === 6).length;
}

/** Packets of a pcapng all of whose blocks are whole; its last ones are one statistics block an interface. */
function walkPcapngLoosely(bytes: Buffer): number {
  const starts = boundaries(bytes, pcapng).slice(0, -1);
  const types = starts.map((at) => bytes.readUInt32LE(at));
  const interfaces = types.filter((type) => type === 1).length;
  expect(types.slice(-interfaces)).toEqual(Array.from({ length: interfaces }, () => 5));
  expect(types.filter((type) => type === 5)).toHaveLength(interfaces);
  return types.filter((type) => type === 6).length;
}

/** A statistics block of interface 0 with these drops and 12 packets besides. */
function dropped(count: number): Buffer {
  const block = Buffer.alloc(52);
  block.writeUInt32LE(5, 0);
  block.writeUInt32LE(52, 4);
  block.writeUInt16LE(4, 20);
  block.writeUInt16LE(8, 22);
  block.writeUInt32LE(12 + count, 24);
  block.writeUInt16LE(5, 32);
  block.writeUInt16LE(8, 34);
  block.writeUInt32LE(count, 36);
  block.writeUInt32LE(52, 48);
  return block;
}
