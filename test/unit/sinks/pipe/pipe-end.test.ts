import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pipeSource } from '../../../../src/sinks/pipe/pipe-end.ts';
import { requiresNative } from '../../../support/native.ts';
import { requires } from '../../../support/requires.ts';
import { withFolder } from '../../../support/tshark.ts';

const hasNative = await requiresNative();

/** Opens the end that is read from, as a reader that has not come yet does not. */
const openReader = (path: string): number => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);

test.skipIf(!hasNative)('a named pipe is made where it is missing, and is ready once it has a reader', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'live');
    const source = pipeSource(path);
    await source.prepare();
    await source.prepare();
    expect(statSync(path).isFIFO()).toBe(true);
    expect(statSync(path).mode & 0o137).toBe(0);
    expect(await source.open()).toBeUndefined();
    const reader = openReader(path);
    const end = await source.open();
    expect(end?.hasReader()).toBe(true);
    expect(await end?.write(Buffer.from('..packet..'), 2, 6)).toBe(6);
    const read = Buffer.alloc(16);
    expect(read.toString('latin1', 0, readSync(reader, read))).toBe('packet');
    closeSync(reader);
    expect(end?.hasReader()).toBe(false);
    await expect(end?.write(read, 0, 1)).rejects.toMatchObject({ code: 'EPIPE' });
    await end?.close();
  }),
);

test.skipIf(!requires('mkfifo'))('a full pipe takes nothing, and nobody waits', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'live');
    execFileSync('mkfifo', [path]);
    const source = pipeSource(path);
    await source.prepare();
    const reader = openReader(path);
    const end = await source.open();
    const bytes = Buffer.alloc(1_000_000);
    const taken = (await end?.write(bytes, 0, bytes.length)) ?? 0;
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(bytes.length);
    expect(await end?.write(bytes, 0, bytes.length)).toBe(0);
    await end?.close();
    closeSync(reader);
  }),
);

test('what is there and is no named pipe is left as it is', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'live');
    writeFileSync(path, 'mine');
    await expect(pipeSource(path).prepare()).rejects.toMatchObject({
      code: 'OUTPUT_UNWRITABLE',
      message: `The named pipe ${path} cannot be used: it is there, and is no named pipe.`,
    });
    expect(statSync(path).size).toBe(4);
  }));

test.skipIf(!hasNative)('a folder that is missing is not made', () =>
  withFolder(async (folder) => {
    await expect(pipeSource(join(folder, 'no', 'live')).prepare()).rejects.toMatchObject({
      code: 'OUTPUT_UNWRITABLE',
    });
  }),
);
