import { expect, test } from 'vitest';
import { FileList } from '../../../src/app/file-list.ts';
import type { FinishedFile } from '../../../src/pipeline/finished-file.ts';

function file(path: string, ...lanes: readonly string[]): FinishedFile {
  const times = { firstSeconds: 1, firstNanoseconds: 0, lastSeconds: 2, lastNanoseconds: 0 };
  return {
    path,
    bytes: 1,
    packets: 1,
    lanes: lanes.map((name) => ({ name, packets: 1, dropped: 0, ...times })),
  };
}

test('a file of several lanes belongs to each of them', () => {
  const list = new FileList();
  list.add(file('all/1', 'vni-7', 'vni-42'));
  list.add(file('all/2', 'vni-42'));
  expect(list.of('vni-7')).toEqual({ count: 1, newest: ['all/1'] });
  expect(list.of('vni-42')).toEqual({ count: 2, newest: ['all/1', 'all/2'] });
  expect(list.of('vni-8')).toEqual({ count: 0, newest: [] });
});

test('only lanes that are still there are remembered', () => {
  const list = new FileList();
  list.add(file('all/1', 'vni-7', 'vni-42', 'overflow'));
  list.keepOnly(new Set(['vni-42', 'vni-1']));
  expect(['vni-7', 'vni-42', 'overflow'].map((lane) => list.of(lane).count)).toEqual([0, 1, 0]);
  list.add(file('all/2', 'vni-7'));
  expect(list.of('vni-7')).toEqual({ count: 1, newest: ['all/2'] });
});

test('a file that is called otherwise now keeps its place', () => {
  const list = new FileList();
  for (const path of ['vni-1/a', 'vni-1/b', 'vni-1/c']) list.add(file(path, 'vni-1'));
  list.rename('vni-1/b', 'vni-1/b.zst', ['vni-1', 'vni-2']);
  list.rename('vni-1/gone', 'vni-1/gone.zst', ['vni-1']);
  expect(list.of('vni-1')).toEqual({ count: 3, newest: ['vni-1/a', 'vni-1/b.zst', 'vni-1/c'] });
});
