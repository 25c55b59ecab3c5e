import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { allocateRows, ROW_WORDS } from '../../../../src/receive/flows/flow-layout.ts';
import { indexBuckets } from '../../../../src/receive/flows/flow-index.ts';

const WORD_BYTES = Int32Array.BYTES_PER_ELEMENT;
/** What a flow may take. */
const FLOW_BYTES_MAX = 300;
/** Flows share gaps: one for four of them, of four words each. */
const GAP_BYTES = (4 * WORD_BYTES) / 4;
const MEGABYTE = 1_048_576;

test.each([100_000, 700_000, 1_000_000, 1_398_101, 1_398_102])(
  'with room for %i flows, each takes less than 300 bytes',
  (flows) => {
    const row = ROW_WORDS * WORD_BYTES;
    const index = (indexBuckets(flows) * WORD_BYTES) / flows;
    expect(row + index).toBeLessThan(FLOW_BYTES_MAX);
  },
);

test('and at the default of 1,000,000 with the gaps of TCP streams too', () => {
  const flows = 1_000_000;
  const index = (indexBuckets(flows) * WORD_BYTES) / flows;
  expect(ROW_WORDS * WORD_BYTES + index + GAP_BYTES).toBeLessThan(FLOW_BYTES_MAX);
  expect(allocateRows(10).byteLength).toBe(11 * ROW_WORDS * WORD_BYTES);
});

const program = join(import.meta.dirname, '../../../support/programs/flow-memory.ts');
test('an empty table takes hardly any memory, a full one what was reckoned, and packets leave nothing', () => {
  const output = execFileSync(process.execPath, ['--expose-gc', program], { encoding: 'utf8' });
  const told = JSON.parse(output) as Record<string, number>;
  expect(told['active']).toBe(1_000_000);
  expect(told['records']).toBe(0);
  expect(told['idle']).toBeLessThan(24 * MEGABYTE);
  expect(told['full']).toBeGreaterThan(250 * MEGABYTE);
  expect(told['full']).toBeLessThan(1_000_000 * FLOW_BYTES_MAX + 24 * MEGABYTE);
  // the smallest object takes 16 bytes
  expect(told['heapPerPacket']).toBeLessThan(1);
}, 120_000);
