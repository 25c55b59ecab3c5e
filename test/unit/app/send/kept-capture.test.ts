import { expect, test } from 'vitest';
import { KeptCapture } from '../../../../src/app/send/kept-capture.ts';
import { PacketBatch } from '../../../../src/packet/batch.ts';

function makeBatch(texts: readonly string[], offset: number): PacketBatch {
  const batch = new PacketBatch(8, Buffer.alloc(100, '.'));
  let at = offset;
  for (const [slot, text] of texts.entries()) {
    batch.at[slot] = at;
    batch.end[slot] = at + batch.bytes.write(text, at);
    batch.wireLen[slot] = 1000 + slot;
    batch.seconds[slot] = 10 + slot;
    batch.nanoseconds[slot] = 20 + slot;
    batch.linkType[slot] = 101;
    at += text.length + 3;
  }
  batch.count = texts.length;
  return batch;
}

/** Every column of every packet, as text. */
function rows(batches: readonly PacketBatch[]): string[] {
  return batches.flatMap((batch) =>
    Array.from({ length: batch.count }, (_, slot) => {
      const { wireLen, seconds, nanoseconds, linkType } = batch;
      const numbers = [wireLen, seconds, nanoseconds, linkType].map((column) => column[slot]);
      return `${batch.bytes.toString('latin1', batch.at[slot], batch.end[slot])} ${numbers.join(' ')}`;
    }),
  );
}

test('batches are kept as they were, also when their block is used again', () => {
  const kept = new KeptCapture();
  const first = makeBatch(['one', 'two', ''], 17);
  const second = makeBatch(['three'], 60);
  const expected = rows([first, second]);
  for (const batch of [first, makeBatch([], 0), second]) {
    kept.keep(batch);
    batch.bytes.fill(0);
    batch.at.fill(99);
  }
  expect(rows(kept.batches ?? [])).toEqual(expected);
  expect(kept.batches?.map(({ bytes }) => bytes.length)).toEqual([12, 5]);
});

test('a capture past the limit is not kept at all', () => {
  const kept = new KeptCapture(9);
  kept.keep(makeBatch(['one', 'two'], 0));
  expect(kept.batches).toHaveLength(1);
  kept.keep(makeBatch(['t'], 0));
  expect(kept.batches).toBeUndefined();
  kept.keep(makeBatch([''], 0));
  expect(kept.batches).toBeUndefined();
});
