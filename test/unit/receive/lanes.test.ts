import { Worker } from 'node:worker_threads';
import { array, assert, integer, nat, oneof, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { Encapsulation } from '../../../src/packet/lane.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { LANE_COUNTERS_LENGTH, LaneCounter } from '../../../src/receive/lane-counters.ts';
import { allocateLanes } from '../../../src/receive/lane-memory.ts';
import { LaneDirectory } from '../../../src/receive/lanes.ts';

const { vxlan, geneve, geneveVxlan } = Encapsulation;
const { ethernet, raw } = LinkType;

function vni(directory: LaneDirectory, number: number): number {
  return directory.slot(vxlan, number, 0, 0, 0, ethernet);
}

test('a lane has one slot, and its name from what it is', () => {
  const directory = new LaneDirectory(allocateLanes(8, 1));
  const slots = [
    directory.slot(vxlan, 42, 0, 0, 0, ethernet),
    directory.slot(geneve, 42, 0, 0, 0, ethernet),
    directory.slot(geneve, 42, 0, 0, 0, raw),
    directory.slot(geneve, 42, 1, 0x0a1b2c3d, 0x9e5f6071, raw),
    directory.slot(geneveVxlan, 42, 1, 0x0a1b2c3d, 0x9e5f6071, ethernet),
    directory.slot(geneveVxlan, 42, 1, 0x0a1b2c3d, 0x9e5f6072, ethernet),
    directory.slot(geneveVxlan, 42, 1, 0, 0, ethernet),
    directory.slot(geneveVxlan, 42, 0, 7, 7, ethernet),
  ];
  expect(slots).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(directory.used).toBe(8);
  expect(slots.map((slot) => directory.lane(slot).name)).toEqual([
    'vni-42',
    'geneve-42',
    'geneve-42-ip',
    'geneve-42-0a1b2c3d9e5f6071-ip',
    'gwlb-42-0a1b2c3d9e5f6071',
    'gwlb-42-0a1b2c3d9e5f6072',
    'gwlb-42-0000000000000000',
    'gwlb-42',
  ]);
  // without the option its bytes mean nothing
  expect(directory.slot(geneveVxlan, 42, 0, 8, 8, ethernet)).toBe(7);
  // a second time, out of order, past the slot remembered last
  expect(directory.slot(geneve, 42, 1, 0x0a1b2c3d, 0x9e5f6071, raw)).toBe(3);
  expect(vni(directory, 42)).toBe(0);
  // one object as long as the lane lives
  expect(directory.lane(4)).toBe(directory.lane(4));
});

test('lanes of another directory find their slots, in order, up to the limit of this one', () => {
  const own = new LaneDirectory(allocateLanes(3, 1));
  vni(own, 7);
  const other = new LaneDirectory(allocateLanes(8, 1));
  const slots = [
    vni(other, 5),
    other.slot(geneve, 7, 1, 0x0a1b2c3d, 0x9e5f6071, raw),
    vni(other, 7),
    vni(other, 8),
    other.slot(geneve, 8, 0, 0, 0, raw),
  ];
  expect(slots.map((slot) => own.slotOf(other, slot))).toEqual([1, 2, 0, 3, 4]);
  expect([0, 1, 2, 3, 4].map((slot) => own.lane(slot).name)).toEqual([
    'vni-7',
    'vni-5',
    'geneve-7-0a1b2c3d9e5f6071-ip',
    'overflow',
    'overflow-ip',
  ]);
  expect(own.slot(geneve, 7, 1, 0x0a1b2c3d, 0x9e5f6071, raw)).toBe(2);
});

test.each([ethernet, raw])('says whether packets came past the limit, of link type %d', (linkType) => {
  const directory = new LaneDirectory(allocateLanes(1, 2));
  directory.counters(1)[vni(directory, 1) * LANE_COUNTERS_LENGTH + LaneCounter.packets]! += 1;
  expect(directory.overflowed).toBe(false);
  const slot = directory.slot(vxlan, 2, 0, 0, 0, linkType);
  directory.counters(1)[slot * LANE_COUNTERS_LENGTH + LaneCounter.packets]! += 1;
  expect(directory.overflowed).toBe(true);
});

test('past the limit there is one overflow lane for frames and one for raw IP', () => {
  const directory = new LaneDirectory(allocateLanes(2, 1));
  expect([vni(directory, 1), vni(directory, 2), vni(directory, 3), vni(directory, 4)]).toEqual([0, 1, 2, 2]);
  expect(directory.slot(geneve, 5, 0, 0, 0, raw)).toBe(3);
  expect([vni(directory, 1), vni(directory, 2)]).toEqual([0, 1]);
  expect(directory.slots).toBe(4);
  expect(directory.used).toBe(2);
  expect([2, 3].map((slot) => directory.lane(slot))).toEqual([
    { name: 'overflow', encapsulation: 0, vni: null, gwlbEndpointId: undefined, linkType: ethernet },
    { name: 'overflow-ip', encapsulation: 0, vni: null, gwlbEndpointId: undefined, linkType: raw },
  ]);
  expect([0, 1, 2, 3].map((slot) => directory.isUsed(slot))).toEqual([true, true, true, true]);
});

test('a closed lane makes room for another, whose counters begin at 0', () => {
  const memory = allocateLanes(2, 2);
  const directory = new LaneDirectory(memory);
  const counters = [directory.counters(0), directory.counters(1)];
  vni(directory, 1);
  vni(directory, 2);
  for (const rows of counters) rows.fill(7, 0, 2 * LANE_COUNTERS_LENGTH);
  directory.close(0);
  expect([directory.used, directory.closed, directory.isUsed(0)]).toEqual([1, 1, false]);
  expect(counters[1]![LaneCounter.packets]).toBe(7);
  expect(directory.lane(0).name).toBe('vni-1');
  expect(vni(directory, 3)).toBe(0);
  expect(directory.lane(0).name).toBe('vni-3');
  for (const rows of counters) {
    expect(rows.subarray(0, LANE_COUNTERS_LENGTH).every((value) => value === 0)).toBe(true);
    expect(rows[LANE_COUNTERS_LENGTH]).toBe(7);
  }
  // its first owner is a new lane now, and there is no room
  expect(vni(directory, 1)).toBe(2);
});

test('the lane that was used last is closed: it is not found by memory alone', () => {
  const directory = new LaneDirectory(allocateLanes(4, 1));
  expect(vni(directory, 1)).toBe(0);
  directory.close(0);
  // the closed slot rests as long as there are others
  expect(vni(directory, 1)).toBe(1);
});

test('closing twice, or what is no lane, changes nothing', () => {
  const directory = new LaneDirectory(allocateLanes(2, 1));
  vni(directory, 1);
  directory.close(0);
  directory.close(0);
  directory.close(1);
  directory.close(2);
  directory.close(3);
  expect([directory.used, directory.closed]).toEqual([0, 1]);
  expect([vni(directory, 1), vni(directory, 2), vni(directory, 3)]).toEqual([1, 0, 2]);
});

test('another directory over the same memory sees the same lanes, and when one was replaced', () => {
  const memory = allocateLanes(2, 1);
  const one = new LaneDirectory(memory);
  const two = new LaneDirectory(memory);
  expect(vni(one, 1)).toBe(0);
  expect(vni(two, 1)).toBe(0);
  expect(vni(two, 2)).toBe(1);
  expect(vni(one, 2)).toBe(1);
  const before = two.lane(0);
  expect(before.name).toBe('vni-1');
  one.close(0);
  // packets on their way may still name the slot
  expect(two.lane(0)).toBe(before);
  expect(new LaneDirectory(memory).lane(0).name).toBe('vni-1');
  expect(vni(one, 3)).toBe(0);
  expect(two.lane(0).name).toBe('vni-3');
  expect(two.lane(0)).not.toBe(before);
});

test('the same lane again in its old slot is another lane object', () => {
  const directory = new LaneDirectory(allocateLanes(1, 1));
  vni(directory, 1);
  const before = directory.lane(0);
  directory.close(0);
  expect(vni(directory, 1)).toBe(0);
  expect(directory.lane(0)).toEqual(before);
  expect(directory.lane(0)).not.toBe(before);
});

test('opened and closed in any order it does what a map would do', () => {
  const step = oneof(record({ open: integer({ min: 0, max: 12 }) }), record({ close: nat(12) }));
  assert(
    property(integer({ min: 1, max: 12 }), array(step, { maxLength: 200 }), (maxLanes, steps) => {
      const directory = new LaneDirectory(allocateLanes(maxLanes, 1));
      const model = new Map<number, number>();
      let closed = 0;
      for (const one of steps) {
        if ('open' in one) {
          const slot = vni(directory, one.open);
          const known = model.get(one.open);
          if (known !== undefined) expect(slot).toBe(known);
          else if (model.size === maxLanes) expect(slot).toBe(maxLanes);
          else {
            expect(slot).toBeLessThan(maxLanes);
            expect([...model.values()]).not.toContain(slot);
            model.set(one.open, slot);
          }
          if (slot < maxLanes) expect(directory.lane(slot).vni).toBe(one.open);
        } else {
          const slot = model.get(one.close);
          if (slot === undefined) continue;
          directory.close(slot);
          model.delete(one.close);
          closed++;
        }
        expect([directory.used, directory.closed]).toEqual([model.size, closed]);
      }
      for (const [number, slot] of model) expect(vni(directory, number)).toBe(slot);
    }),
    { numRuns: 300 },
  );
});

test('lanes that come and go, a few open at any time, all over the table, leave no traces', () => {
  const directory = new LaneDirectory(allocateLanes(64, 1));
  const open: number[] = [];
  for (let number = 0; number < 20_000; number++) {
    const slot = vni(directory, number);
    expect(slot).toBeLessThan(64);
    open.push(slot);
    if (open.length > 60) directory.close(open.shift()!);
    if (number % 1000 === 999) {
      for (let last = 0; last < 50; last++) expect(vni(directory, number - last)).toBe(open.at(-1 - last));
    }
  }
  expect([directory.used, directory.closed]).toEqual([60, 19_940]);
});

test('a directory that a dead thread left inconsistent still answers: past the limit', () => {
  const memory = allocateLanes(2, 1);
  const directory = new LaneDirectory(memory);
  vni(directory, 1);
  vni(directory, 2);
  // the thread died between giving the slot out and counting it
  new Int32Array(memory.directory)[1] = 1;
  expect(vni(directory, 3)).toBe(2);
});

const VNIS = 500;
const WORKERS = 3;

/** Looks up all VNIs in an order of its own, again and again, and tells which slot each of them has. */
const source = `
  import { workerData, parentPort } from 'node:worker_threads';
  import { LaneDirectory } from ${JSON.stringify(new URL('../../../src/receive/lanes.ts', import.meta.url).href)};
  const { memory, worker, gate } = workerData;
  const directory = new LaneDirectory(memory);
  const ready = new Int32Array(gate);
  Atomics.add(ready, 0, 1);
  while (Atomics.load(ready, 0) < ${WORKERS}) {}
  const slots = [];
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < ${VNIS}; i++) {
      const vni = (i * [1, 7, 499][worker] + worker * 100) % ${VNIS};
      const slot = directory.slot(1, vni, 0, 0, 0, 1);
      if (slots[vni] !== undefined && slots[vni] !== slot) throw new Error('a lane changed its slot');
      slots[vni] = slot;
    }
  }
  parentPort.postMessage({ slots, names: slots.map((slot) => directory.lane(slot).name) });
`;

test('threads that look up the same new lanes at the same time agree on one slot each', async () => {
  const memory = allocateLanes(VNIS, WORKERS);
  const gate = new SharedArrayBuffer(4);
  const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const results = await Promise.all(
    Array.from(
      { length: WORKERS },
      (_, worker) =>
        new Promise<{ slots: number[]; names: string[] }>((resolve, reject) => {
          const thread = new Worker(url, { workerData: { memory, worker, gate } });
          thread.once('message', resolve);
          thread.once('error', reject);
        }),
    ),
  );
  for (const { slots, names } of results) {
    expect(slots).toEqual(results[0]!.slots);
    expect(names).toEqual(Array.from({ length: VNIS }, (_, number) => `vni-${number}`));
    expect(new Set(slots).size).toBe(VNIS);
  }
  expect(new LaneDirectory(memory).used).toBe(VNIS);
});
