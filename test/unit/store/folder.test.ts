import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nodeFileSystem } from '../../../src/store/file-system.ts';
import { closeFolder, nowLeftOver, openFolder, orphansOf } from '../../../src/store/folder.ts';
import {
  livingOwners,
  type OwnerIdentity,
  ownerName,
  register,
  renew,
  thisProcess,
} from '../../../src/store/owner.ts';
import { indexedFile, openIndex } from '../../support/indexed-files.ts';
import { withFolder } from '../../support/tshark.ts';

const files = nodeFileSystem;
const self = thisProcess();
const LANE = 'vni-1';

/** A process that lives until the test ends, or until it is killed. */
function otherProcess(): { readonly child: ChildProcess; readonly identity: OwnerIdentity } {
  const child = spawn('sleep', ['1000']);
  onTestFinished(() => void child.kill('SIGKILL'));
  const pid = child.pid ?? 0;
  const stat = files.readFileSync(`/proc/${pid}/stat`, 'utf8');
  return { child, identity: { pid, startTicks: Number(stat.split(' ')[21]), place: self.place } };
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** A file that was last written so many seconds from now. */
function touch(directory: string, name: string, seconds: number): void {
  mkdirSync(join(directory, LANE), { recursive: true });
  const path = join(directory, LANE, name);
  writeFileSync(path, '');
  const time = Date.now() / 1000 + seconds;
  utimesSync(path, time, time);
}

const first = '20261121T040000Z-000001-w0.pcapng';
const second = '20261121T040000Z-000002-w0.pcapng';

test('this process is known by number, start and place', () => {
  expect(self.pid).toBe(process.pid);
  expect(self.startTicks).toBeGreaterThan(0);
  expect(self.place).toMatch(/^[0-9a-f-]{36} pid:\[\d+\]$/);
});

test('alone: what was there before is left over, half-compressed files go, other files stay', () =>
  withFolder((directory) => {
    for (const name of [`${first}.part`, `${second}.zst.part`, 'mine.part', second])
      touch(directory, name, -5);
    const opened = openFolder(files, directory, self);
    expect(opened).toMatchObject({
      otherOwners: 0,
      leftovers: [`${LANE}/${first}`],
      undecided: [],
      removedHalves: 1,
    });
    expect(readdirSync(join(directory, LANE)).toSorted()).toEqual([`${first}.part`, second, 'mine.part']);
    expect(readdirSync(directory)).toContain(ownerName(self));
    closeFolder(files, directory, opened.owner);
    expect(readdirSync(directory)).not.toContain(ownerName(self));
  }));

test('beside a living process: only what was written before it began is left over', () =>
  withFolder(async (directory) => {
    const { child, identity } = otherProcess();
    register(files, directory, identity);
    touch(directory, `${first}.part`, -5);
    touch(directory, `${second}.part`, 5);
    touch(directory, `${second}.gz.part`, 5);
    const { leftovers, undecided, otherOwners, removedHalves } = openFolder(files, directory, self);
    expect({ leftovers, otherOwners, removedHalves }).toEqual({
      leftovers: [`${LANE}/${first}`],
      otherOwners: 1,
      removedHalves: 0,
    });
    expect(undecided.toSorted()).toEqual([`${LANE}/${second}`, `${LANE}/${second}.gz`]);
    expect(nowLeftOver(files, directory, self, undecided)).toEqual({ leftovers: [], undecided });

    await end(child);
    expect(nowLeftOver(files, directory, self, undecided)).toEqual({ leftovers: undecided, undecided: [] });
    expect(existsSync(join(directory, ownerName(identity)))).toBe(false);
  }));

test('a number that another process has now is no sign of life', () =>
  withFolder((directory) => {
    const { identity } = otherProcess();
    register(files, directory, { ...identity, startTicks: identity.startTicks - 1 });
    expect(livingOwners(files, directory, self)).toEqual([]);
  }));

test.each([
  { renewedSecondsAgo: 5, lives: true },
  { renewedSecondsAgo: 60, lives: false },
])(
  'of another container or machine: renewed $renewedSecondsAgo s ago, it lives: $lives',
  ({ renewedSecondsAgo, lives }) =>
    withFolder((directory) => {
      const elsewhere = { pid: 1, startTicks: 5, place: 'another boot' };
      register(files, directory, elsewhere);
      const time = Date.now() / 1000 - renewedSecondsAgo;
      utimesSync(join(directory, ownerName(elsewhere)), time, time);
      expect(livingOwners(files, directory, self).map(({ pid }) => pid)).toEqual(lives ? [1] : []);
    }),
);

test('one that was taken for dead says that it lives, and since when', () =>
  withFolder(async (directory) => {
    const { sinceMs } = register(files, directory, self);
    closeFolder(files, directory, ownerName(self));
    await renew(directory, self, sinceMs);
    expect(livingOwners(files, directory, self)).toMatchObject([{ pid: process.pid, sinceMs }]);
    utimesSync(join(directory, ownerName(self)), 1, 1);
    await renew(directory, self, sinceMs);
    const [{ renewedMs } = { renewedMs: 0 }] = livingOwners(files, directory, self);
    expect(renewedMs).toBeGreaterThan(Date.now() - 60_000);
  }));

test('an owner that has only begun to say who it is lives', () =>
  withFolder((directory) => {
    writeFileSync(join(directory, '.owner-77-88'), '');
    expect(livingOwners(files, directory, self)).toMatchObject([{ pid: 77 }]);
  }));

test('what a worker of ours left when it died is its own, written before, and no business of ours beside another process', () =>
  withFolder((directory) => {
    openFolder(files, directory, self);
    touch(directory, `${first}.part`, -5);
    touch(directory, `${first.replace('-w0', '-w1')}.part`, -5);
    touch(directory, `${second}.part`, 5);
    touch(directory, `${second}.zst.part`, -5);
    expect(orphansOf(files, directory, self, 0, Date.now())).toEqual([`${LANE}/${first}`]);
    register(files, directory, otherProcess().identity);
    expect(orphansOf(files, directory, self, 0, Date.now())).toEqual([]);
  }));

test('what the dead have left to be compressed is taken over, what the living have not', () =>
  withFolder((directory) => {
    const { identity } = otherProcess();
    register(files, directory, identity);
    const index = openIndex(directory);
    index.add(indexedFile({ path: `${LANE}/a`, owner: ownerName(identity), state: 'finished' }));
    index.add(indexedFile({ path: `${LANE}/b`, owner: '.owner-999999-1', state: 'finished' }));
    const { owner } = openFolder(files, directory, self);
    expect(index.unkept(owner, 9).map(({ path }) => path)).toEqual([`${LANE}/b`]);
    index.close();
  }));
