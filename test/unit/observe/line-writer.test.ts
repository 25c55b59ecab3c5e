import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LineWriter } from '../../../src/observe/line-writer.ts';
import { requires } from '../../support/requires.ts';

const MKFIFO = 'mkfifo';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mirrortap-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const lost = (lines: number): string => `lost ${lines}\n`;

test('a line is in the file when the call returns', () => {
  const path = join(folder, 'log');
  const fd = openSync(path, 'w');
  const writer = new LineWriter(fd, lost);
  writer.write('a\n');
  expect(readFileSync(path, 'utf8')).toBe('a\n');
  writer.write('é\n');
  expect(readFileSync(path, 'utf8')).toBe('a\né\n');
  closeSync(fd);
});

test('a full disk costs lines, not an exception', () => {
  const fd = openSync('/dev/full', 'w');
  const writer = new LineWriter(fd, lost);
  expect(() => writer.write('a\n')).not.toThrow();
  expect(() => writer.write('b\n')).not.toThrow();
  closeSync(fd);
});

test('a descriptor that is closed costs lines, not an exception', () => {
  const fd = openSync(join(folder, 'log'), 'w');
  closeSync(fd);
  expect(() => new LineWriter(fd, lost).write('a\n')).not.toThrow();
});

test.skipIf(!requires(MKFIFO))(
  'a reader that stands still costs lines, and the next line says how many',
  () => {
    const path = join(folder, 'pipe');
    expect(spawnSync(MKFIFO, [path]).status).toBe(0);
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const writer = new LineWriter(fd, lost);

    writer.write(`${'x'.repeat(200_000)}\n`);
    writer.write('b\n');
    writer.write('c\n');
    const kept = drain(fd);
    expect(kept).toMatch(/^x+$/);
    expect(kept.length).toBeLessThan(200_000);

    writer.write('d\n');
    writer.write('e\n');
    expect(drain(fd)).toBe('\nlost 3\nd\ne\n');
    closeSync(fd);
  },
);

/** Everything that is in the pipe. */
function drain(fd: number): string {
  const chunk = Buffer.alloc(1 << 20);
  let text = '';
  for (;;) {
    try {
      text += chunk.toString('utf8', 0, readSync(fd, chunk));
    } catch {
      return text;
    }
  }
}
