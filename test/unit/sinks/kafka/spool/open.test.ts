import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import {
  HEAD_BYTES,
  HEADER_BYTES,
  makeHeader,
  MARK_BYTES,
  TRAILER_BYTES,
  VERSION,
} from '../../../../../src/sinks/kafka/spool/layout.ts';
import { faultySpoolDisk } from '../../../../support/faulty-spool-disk.ts';
import { numberedBlock, numbersOf, openSpool, readAll, segmentsIn } from '../../../../support/spooling.ts';
import { withFolder } from '../../../../support/tshark.ts';

const program = new URL('../../../../support/programs/use-spool.ts', import.meta.url).pathname;

/** A process that uses a spool until the test ends, or until it is killed. */
async function otherUser(directory: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  if (child.stdout === null) throw new Error('no output');
  await once(child.stdout, 'data');
  child.stdout.resume();
  return child;
}

test('one process at a time: another is refused until it has ended, however it ends', () =>
  withFolder(async (directory) => {
    const child = await otherUser(directory);
    await expect(openSpool(directory)).rejects.toMatchObject({
      code: 'SPOOL_UNUSABLE',
      message: `The spool ${directory} is used by process ${child.pid}.`,
      context: { directory, process: child.pid },
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { spool } = await openSpool(directory);
    await expect(openSpool(directory)).rejects.toMatchObject({ context: { process: process.pid } });
    await spool.close();
    await (await openSpool(directory)).spool.close();
  }));

test('a worker thread that is ended gives its spool up', () =>
  withFolder(async (directory) => {
    const worker = new Worker(program, { argv: [directory], stdout: true });
    await new Promise<void>((resolve) => {
      worker.stdout.on('data', (text: Buffer) => text.includes('kept') && resolve());
    });
    await expect(openSpool(directory)).rejects.toMatchObject({ code: 'SPOOL_UNUSABLE' });
    await worker.terminate();
    const { spool, recovered } = await openSpool(directory);
    expect(recovered.records).toBeGreaterThan(0);
    await spool.close();
  }));

test('a folder that cannot be used is told with the reason', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'file');
    writeFileSync(path, '');
    await expect(openSpool(path)).rejects.toMatchObject({
      code: 'SPOOL_UNUSABLE',
      context: { error: 'ENOTDIR' },
    });
    await expect(openSpool(join(path, 'spool'))).rejects.toMatchObject({ context: { error: 'ENOTDIR' } });
    const disk = faultySpoolDisk();
    disk.faults.open = 'EROFS';
    await expect(openSpool(join(folder, 'a'), {}, disk)).rejects.toMatchObject({
      context: { error: 'EROFS' },
    });
    disk.faults.open = undefined;
    // it was given up again
    await (await openSpool(join(folder, 'a'), {}, disk)).spool.close();
  }));

test('a spool of a later version is left alone', () =>
  withFolder(async (directory) => {
    const header = makeHeader(Buffer.alloc(MARK_BYTES, 1), 5);
    header.writeUInt32LE(VERSION + 1, 12);
    // its checksum covers the version
    header.writeUInt32LE(crc32(header.subarray(12)), 8);
    const path = join(directory, '0000000000000005.spool');
    writeFileSync(path, header);
    await expect(openSpool(directory)).rejects.toMatchObject({
      code: 'SPOOL_UNUSABLE',
      context: { version: VERSION + 1, readable: VERSION },
    });
    expect(readFileSync(path)).toEqual(header);
  }));

test('files are for the user and the group; others in the folder stay; names sort', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'spool');
    const { spool } = await openSpool(directory, { segmentBytes: 100 });
    for (let number = 0; number < 12; number++) await spool.append([numberedBlock(number)]);
    expect(statSync(directory).mode & 0o777).toBe(0o750);
    for (const name of readdirSync(directory))
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o640);
    expect(segmentsIn(directory)).toHaveLength(12);
    expect(readdirSync(directory).slice(0, 2)).toEqual(['0000000000000001.spool', '0000000000000002.spool']);
    const others = ['mine.spool', '12.spool', '9999999999999999.spool', 'notes.txt'];
    for (const name of others) writeFileSync(join(directory, name), 'mine');
    mkdirSync(join(directory, '0000000000000099.spool'));
    await spool.close();
    const again = await openSpool(directory);
    expect(again.recovered).toMatchObject({ records: 12, damaged: 0, cutBytes: 0 });
    expect(numbersOf(await again.spool.read(10))).toEqual([0]);
    await again.spool.close();
    for (const name of others) expect(readFileSync(join(directory, name), 'utf8')).toBe('mine');
  }));

test('a segment that went missing is counted', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'spool');
    const { spool } = await openSpool(directory, { segmentBytes: 300 });
    for (let number = 0; number < 9; number += 3)
      await spool.append([0, 1, 2].map((i) => numberedBlock(number + i)));
    await spool.close();
    const [first = '', , third = ''] = segmentsIn(directory);
    const other = join(folder, 'other');
    mkdirSync(other);
    for (const name of [first, third]) copyFileSync(join(directory, name), join(other, name));
    const { spool: left, recovered } = await openSpool(other);
    expect(recovered).toMatchObject({ records: 6, damaged: 3 });
    expect(left.lost.blocks).toBe(0);
    await left.close();
  }));

test('a torn end is cut off once, and the segment is finished', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'spool');
    const { spool } = await openSpool(join(folder, 'killed'));
    await spool.append([numberedBlock(1), numberedBlock(2), numberedBlock(3, 500)]);
    cpSync(join(folder, 'killed'), directory, { recursive: true });
    await spool.close();
    const path = join(directory, segmentsIn(directory)[0]!);
    const end = HEADER_BYTES + 2 * (HEAD_BYTES + 8);
    truncateSync(path, end + 300);
    for (const cutBytes of [300, 0]) {
      const again = await openSpool(directory);
      expect(again.recovered).toMatchObject({ records: 2, cutBytes, damaged: 0 });
      await again.spool.close();
      expect(statSync(path).size).toBe(end + TRAILER_BYTES);
    }
  }));

test('the end of another segment is not believed', () =>
  withFolder(async (directory) => {
    const { spool } = await openSpool(directory, { segmentBytes: 300 });
    for (let number = 0; number < 6; number += 3)
      await spool.append([0, 1, 2].map((i) => numberedBlock(number + i)));
    await spool.close();
    const [first = '', second = ''] = segmentsIn(directory).map((name) => join(directory, name));
    const trailer = readFileSync(first).subarray(-TRAILER_BYTES);
    const blocks = readFileSync(second).subarray(0, -TRAILER_BYTES);
    writeFileSync(second, Buffer.concat([blocks, trailer]));
    const again = await openSpool(directory);
    expect(again.recovered).toMatchObject({ records: 6, cutBytes: TRAILER_BYTES, damaged: 0 });
    expect(numbersOf(await readAll(again.spool))).toEqual([0, 1, 2, 3, 4, 5]);
    await again.spool.close();
  }));
