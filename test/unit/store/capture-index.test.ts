import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { CaptureIndex } from '../../../src/store/capture-index.ts';
import { INDEX_NAME } from '../../../src/store/index-file.ts';
import { checkIndex } from '../../../src/store/folder.ts';
import { nodeFileSystem } from '../../../src/store/file-system.ts';
import { SCHEMA_VERSION } from '../../../src/store/index-schema.ts';
import { mergedByName, spanOf } from '../../../src/store/indexed-file.ts';
import { indexedFile, lane, openIndex } from '../../support/indexed-files.ts';
import { requires } from '../../support/requires.ts';
import { withFolder } from '../../support/tshark.ts';

function withIndex(work: (index: CaptureIndex, directory: string) => void): Promise<void> {
  return withFolder((directory) => {
    const index = openIndex(directory);
    try {
      work(index, directory);
    } finally {
      index.close();
    }
  });
}

test('a file comes back as it was added, with its lanes, also after a restart', () =>
  withIndex((index, directory) => {
    const added = indexedFile({
      path: 'all/a.pcapng',
      dropped: undefined,
      sha256: undefined,
      lanes: [
        lane('vni-1', 5, 9, 3),
        { ...lane('vni-2', 4, 8, 2), dropped: undefined, lastNanoseconds: 999_999_999 },
      ],
    });
    index.add(added);
    const { lanes, ...file } = added;
    const again = openIndex(directory);
    expect(again.file('all/a.pcapng')).toEqual(file);
    expect(again.lanesIn('all/a.pcapng')).toEqual(lanes.toReversed());
    expect(again.file('all/b.pcapng')).toBeUndefined();
    again.close();
  }));

test("one lane's files of all workers come by time, whatever the order they were added in", () =>
  withIndex((index) => {
    const files = [
      indexedFile({ path: 'vni-1/c', worker: 1, lanes: [lane('vni-1', 30, 40)] }),
      indexedFile({ path: 'vni-1/a', worker: 2, lanes: [lane('vni-1', 10, 25)] }),
      indexedFile({ path: 'all/b', worker: 0, lanes: [lane('vni-2', 1, 99), lane('vni-1', 20, 35)] }),
      indexedFile({ path: 'vni-2/d', worker: 0, lanes: [lane('vni-2', 15, 16)] }),
    ];
    for (const file of files) index.add(file);
    const paths = (from?: number, to?: number): string[] =>
      index
        .filesOf('vni-1', {
          ...(from !== undefined && { fromSeconds: from }),
          ...(to !== undefined && { toSeconds: to }),
        })
        .map(({ path }) => path);
    expect(paths()).toEqual(['vni-1/a', 'all/b', 'vni-1/c']);
    expect(paths(26)).toEqual(['all/b', 'vni-1/c']);
    expect(paths(35)).toEqual(['all/b', 'vni-1/c']);
    expect(paths(35.5)).toEqual(['vni-1/c']);
    expect(paths(0, 19.9)).toEqual(['vni-1/a']);
    expect(paths(0, 20)).toEqual(['vni-1/a', 'all/b']);
    expect(paths(41)).toEqual([]);
    expect(index.lanes()).toEqual(['vni-1', 'vni-2']);
  }));

test('the oldest are those whose last packet is the longest ago, over all lanes and workers', () =>
  withIndex((index) => {
    index.add(indexedFile({ path: 'vni-1/b', lanes: [lane('vni-1', 1, 30)], bytes: 3 }));
    index.add(indexedFile({ path: 'vni-2/a', lanes: [lane('vni-2', 20, 25)], bytes: 2 }));
    index.add(indexedFile({ path: 'vni-3/c', lanes: [lane('vni-3', 20, 25)], bytes: 1 }));
    expect(index.oldest(2)).toEqual([
      { path: 'vni-2/a', bytes: 2, lastSeconds: 25 },
      { path: 'vni-3/c', bytes: 1, lastSeconds: 25 },
    ]);
  }));

test('totals follow what is added, replaced, compressed and removed', () =>
  withIndex((index) => {
    index.add(indexedFile({ path: 'vni-1/a', bytes: 100, state: 'finished' }));
    index.add(indexedFile({ path: 'vni-1/b', bytes: 10, state: 'finished' }));
    expect(index.totals()).toEqual({ files: 2, bytes: 110 });
    index.add(indexedFile({ path: 'vni-1/b', bytes: 20, state: 'finished' }));
    expect(index.totals()).toEqual({ files: 2, bytes: 120 });
    const kept = { path: 'vni-1/a.zst', compression: 'zstd', bytes: 30, sha256: 'cd'.repeat(32) } as const;
    expect(index.keep('vni-1/a', kept)).toBe(true);
    expect(index.totals()).toEqual({ files: 2, bytes: 50 });
    expect(index.file('vni-1/a.zst')).toMatchObject({ ...kept, state: 'kept', captureBytes: 1000 });
    index.remove('vni-1/a.zst');
    index.remove('vni-1/a.zst');
    expect(index.totals()).toEqual({ files: 1, bytes: 20 });
    expect(index.filesOf('vni-1').map(({ path }) => path)).toEqual(['vni-1/b']);
    expect(index.keep('vni-1/gone', { ...kept, path: 'vni-1/gone.zst' })).toBe(false);
  }));

test('what waits is given to its owner, in order; what the dead have left is taken over', () =>
  withIndex((index) => {
    for (const owner of ['me', 'dead', 'other'])
      for (const name of ['b', 'a'])
        index.add(indexedFile({ path: `vni-1/${owner}-${name}`, owner, state: 'finished' }));
    index.add(indexedFile({ path: 'vni-1/kept', owner: 'dead', state: 'kept' }));
    const waiting = (owner: string) => index.unkept(owner, 10).map(({ path }) => path);
    expect(waiting('me')).toEqual(['vni-1/me-b', 'vni-1/me-a']);
    expect(index.takeOver('me', ['other'])).toBe(2);
    expect(waiting('me')).toEqual(['vni-1/me-b', 'vni-1/me-a', 'vni-1/dead-b', 'vni-1/dead-a']);
    expect(waiting('other')).toEqual(['vni-1/other-b', 'vni-1/other-a']);
    index.giveUp('vni-1/me-b');
    expect(waiting('me')[0]).toBe('vni-1/me-a');
  }));

test('names in a folder are those of this folder alone', () =>
  withIndex((index) => {
    for (const path of ['vni-1/a', 'vni-1/b', 'vni-10/c', 'vni-1-ip/d']) index.add(indexedFile({ path }));
    expect(index.namesIn('vni-1')).toEqual(new Set(['a', 'b']));
    expect(index.laneFolders().toSorted()).toEqual(['vni-1', 'vni-1-ip', 'vni-10']);
  }));

test('several things together: all or none', () =>
  withIndex((index) => {
    expect(() =>
      index.together(() => {
        index.add(indexedFile({ path: 'vni-1/a' }));
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(index.totals()).toEqual({ files: 0, bytes: 0 });
  }));

test('a lane that came back while the file grew is one entry of it', () => {
  const merged = mergedByName([lane('vni-1', 5, 6, 2), lane('vni-2', 1, 2), lane('vni-1', 8, 9, 3)]);
  expect(merged).toEqual([{ ...lane('vni-1', 5, 9, 5) }, lane('vni-2', 1, 2)]);
  expect(spanOf([])).toEqual({ firstSeconds: 0, firstNanoseconds: 0, lastSeconds: 0, lastNanoseconds: 0 });
});

const notOurs = [
  { name: 'text', make: (path: string) => writeFileSync(path, 'x'.repeat(5000)), defect: 'damaged' },
  {
    name: 'a database of somebody else',
    make: (path: string) => execute(path, 'CREATE TABLE secrets (a)'),
    defect: 'foreign',
  },
  {
    name: 'an index of a later version',
    make: (path: string) => {
      openIndex(join(path, '..')).close();
      execute(path, `PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    },
    defect: 'later version',
  },
  {
    name: 'an index with damage in the middle',
    make: (path: string) => {
      const index = openIndex(join(path, '..'));
      for (let i = 0; i < 500; i++) index.add(indexedFile({ path: `vni-1/${i}` }));
      index.close();
      const bytes = readFileSync(path);
      bytes.fill(0xa5, 8192, bytes.length - 4096);
      writeFileSync(path, bytes);
    },
    defect: 'damaged',
  },
];

test.each(notOurs)('$name in place of the index is set aside, and a new one begun', ({ make, defect }) =>
  withFolder((directory) => {
    const path = join(directory, INDEX_NAME);
    make(path);
    const before = readFileSync(path);
    const setAside = checkIndex(nodeFileSystem, directory);
    expect(setAside).toMatchObject({ defect });
    expect(readFileSync(join(directory, setAside?.name ?? '')).equals(before)).toBe(true);
    const index = openIndex(directory);
    expect(index.totals()).toEqual({ files: 0, bytes: 0 });
    index.close();
    expect(checkIndex(nodeFileSystem, directory)).toBeUndefined();
  }),
);

test('an index that is closed is one file, and that of a process that was killed is whole', () =>
  withFolder((directory) => {
    const program = `
      const { CaptureIndex } = await import(${JSON.stringify(join(import.meta.dirname, '../../../src/store/capture-index.ts'))});
      const { indexedFile } = await import(${JSON.stringify(join(import.meta.dirname, '../../support/indexed-files.ts'))});
      const index = CaptureIndex.open(${JSON.stringify(directory)});
      for (let i = 0; i < 100; i++) index.add(indexedFile({ path: 'vni-1/' + i }));
      process.kill(process.pid, 'SIGKILL');`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    expect([child.signal, child.stderr]).toEqual(['SIGKILL', '']);
    expect(existsSync(join(directory, `${INDEX_NAME}-wal`))).toBe(true);
    expect(checkIndex(nodeFileSystem, directory)).toBeUndefined();
    const index = openIndex(directory);
    expect(index.totals().files).toBe(100);
    index.close();
    expect(readdirSync(directory)).toEqual([INDEX_NAME]);
  }));

test.skipIf(!requires('sqlite3'))('others read it while it is written', () =>
  withIndex((index, directory) => {
    index.add(indexedFile({ path: 'vni-1/a', lanes: [lane('vni-1', 5, 9, 3)] }));
    const sql = `SELECT path, lane, file_lane.packets FROM file JOIN file_lane ON file_lane.file = file.id`;
    const printed = execFileSync('sqlite3', ['-readonly', join(directory, INDEX_NAME), sql], {
      encoding: 'utf8',
    });
    expect(printed).toBe('vni-1/a|vni-1|3\n');
  }),
);

test('docs/capture-store.md names every column, and no other', () =>
  withIndex((_index, directory) => {
    const database = new DatabaseSync(join(directory, INDEX_NAME), { readOnly: true });
    const columns = (table: string): string[] =>
      database
        .prepare(`PRAGMA table_info(${table})`)
        .all()
        .map((row) => String(row['name']));
    const text = readFileSync(join(import.meta.dirname, '../../../docs/capture-store.md'), 'utf8');
    const [, ofFile = ''] = /\| `file` \| meaning \|\n([^]*?)\n\n/.exec(text) ?? [];
    const [, ofLane = ''] = /\| `file_lane` \| meaning \|\n([^]*?)\n\n/.exec(text) ?? [];
    const named = (rows: string): string[] =>
      rows
        .split('\n')
        .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name));
    expect(named(ofFile).toSorted()).toEqual(
      columns('file')
        .filter((name) => name !== 'id')
        .toSorted(),
    );
    expect(named(ofLane)).toEqual(['lane', 'file', 'first_s', 'dropped']);
    expect(columns('file_lane').slice(0, 2)).toEqual(['lane', 'first_s']);
    expect(text).toContain(`version of these tables, ${SCHEMA_VERSION};`);
    database.close();
  }));

function execute(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}
