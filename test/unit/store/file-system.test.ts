import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder, nodeFileSystem } from '../../../src/store/file-system.ts';
import { withFolder } from '../../support/tshark.ts';

test('a folder is made with those above it, for its owner and group; one that is there stays', () =>
  withFolder(async (folder) => {
    const below = join(folder, 'a', 'b');
    makeFolder(nodeFileSystem, below);
    makeFolder(nodeFileSystem, below);
    for (const path of [below, join(folder, 'a')]) {
      expect(statSync(path).mode & 0o777).toBe(0o750 & ~process.umask());
    }
  }));

test('a folder below a file cannot be made', () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => makeFolder(nodeFileSystem, join(folder, 'file', 'below'))).toThrow('ENOTDIR');
  }));

// Node's own `mkdir -p` never ends there
test.skipIf(process.platform !== 'linux')('nor below a file system that makes none', () => {
  expect(() => makeFolder(nodeFileSystem, '/proc/none/below')).toThrow('ENOENT');
});
