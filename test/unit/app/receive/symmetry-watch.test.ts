import { expect, test } from 'vitest';
import { SymmetryWatch } from '../../../../src/app/receive/symmetry-watch.ts';
import { loadConfig } from '../../../../src/config/load.ts';
import type { Config } from '../../../../src/config/settings.ts';
import {
  allocateSymmetry,
  BACKWARD,
  FORWARD,
  SPLIT,
  TCP,
  USED,
} from '../../../../src/receive/symmetry-memory.ts';
import { LogLines } from '../../../support/log-lines.ts';

/** A watch whose clock stands still until the test moves it. */
function makeWatch(behind: Config['behind'] = 'direct') {
  const sample = allocateSymmetry();
  const slots = new Int32Array(sample);
  const log = new LogLines();
  const clock = { ms: 5000 };
  const config = loadConfig({ file: 'settings', text: '', environment: {}, set: [`behind=${behind}`] });
  const watch = new SymmetryWatch({ sample, config, log, now: () => clock.ms });
  return {
    watch,
    log,
    /** Fills the sample with so many connections of one kind, in slots from `from` on. */
    fill: (from: number, count: number, bits: number) => slots.fill(USED | bits, from, from + count),
    look: (seconds: number) => {
      clock.ms = 5000 + 1000 * seconds;
      watch.look();
    },
  };
}

const BOTH = FORWARD | BACKWARD;
const nothing = { sampled: 0, split: 0, tcp: 0, oneSided: 0 };

test('a sample lasts a minute; its figures are told until the next is over', () => {
  const { watch, fill, look } = makeWatch();
  fill(0, 3, TCP | BOTH);
  look(59);
  const first = { sampled: 3, split: 0, tcp: 3, oneSided: 0 };
  expect([watch.state(), watch.current()]).toEqual([first, first]);
  look(60);
  expect([watch.state(), watch.current()]).toEqual([first, nothing]);
  fill(0, 2, BOTH | SPLIT);
  look(119);
  const second = { sampled: 2, split: 2, tcp: 0, oneSided: 0 };
  expect([watch.state(), watch.current()]).toEqual([first, second]);
  look(121);
  expect([watch.state(), watch.current()]).toEqual([second, nothing]);
  look(180);
  expect(watch.state()).toEqual(second);
  look(181);
  expect(watch.state()).toEqual(nothing);
});

test.each([
  ['as many as are judged, none split', [100, BOTH], undefined, false],
  ['one of 100 split', [99, BOTH], [1, BOTH | SPLIT], false],
  ['two of 100 split', [98, BOTH], [2, BOTH | SPLIT], true],
  ['all of 99 split: too few to judge', [99, BOTH | SPLIT], undefined, false],
] as const)('%s', (_, most, rest, warned) => {
  const { log, fill, look } = makeWatch();
  fill(0, most[0], most[1]);
  if (rest !== undefined) fill(1000, rest[0], rest[1]);
  look(60);
  expect(log.lines.map(({ level }) => level)).toEqual(warned ? ['warn'] : []);
  if (!warned) return;
  expect(log.lines[0]).toMatchObject({ fields: { split: 2, sampled: 100 } });
  // said again only while it is so
  look(120);
  expect(log.lines).toHaveLength(1);
});

test.each([
  ['direct', 'mirror filter'],
  ['nlb', 'stickiness by source address'],
  ['gwlb', '2-tuple'],
] as const)('behind %s: TCP connections with one direction have their remedy', (behind, remedy) => {
  const { log, fill, look } = makeWatch(behind);
  fill(0, 80, TCP | BOTH);
  fill(1000, 10, TCP | FORWARD);
  fill(2000, 10, TCP | BACKWARD);
  fill(3000, 500, FORWARD);
  look(60);
  expect(log.lines).toEqual([]);
  fill(0, 80, TCP | BOTH);
  fill(1000, 21, TCP | FORWARD);
  look(120);
  expect(log.lines).toEqual([
    {
      level: 'warn',
      message: 'Of many TCP connections one direction is missing.',
      fields: { oneSided: 21, tcp: 101, remedy: expect.stringContaining(remedy) },
    },
  ]);
  fill(0, 99, TCP | FORWARD);
  look(180);
  expect(log.lines).toHaveLength(1);
});
