import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { FrameCheck, MAX_ANSWER_BYTES } from '../../../../../src/sinks/kafka/clients/frame-check.ts';

const frame = (length: number): Buffer => {
  const bytes = Buffer.alloc(4 + length);
  bytes.writeInt32BE(length);
  return bytes;
};

test('frames pass, however they are cut', () => {
  const lengths = fc.array(fc.integer({ min: 4, max: 300 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(lengths, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (sizes, steps) => {
      const stream = Buffer.concat(sizes.map(frame));
      const check = new FrameCheck();
      for (let at = 0, step = 0; at < stream.length; step++) {
        const end = at + steps[step % steps.length]!;
        expect(check.look(stream.subarray(at, end))).toBeUndefined();
        at = end;
      }
      expect(check.look(Buffer.from('HTTP'))).toMatch(/not Kafka/);
    }),
  );
});

test.each<[string, Buffer, RegExp | undefined]>([
  ['text', Buffer.from('HTTP/1.1 400'), /begins with the bytes 48545450/],
  ['TLS', Buffer.from([21, 3, 3, 0, 2, 2, 70]), /speaks TLS/],
  ['a length below 0', Buffer.from([0xff, 0xff, 0xff, 0xfe]), /not Kafka/],
  ['a length that holds no number of a request', Buffer.from([0, 0, 0, 3]), /not Kafka/],
  ['the largest answer', lengthOf(MAX_ANSWER_BYTES), undefined],
  ['one byte more', lengthOf(MAX_ANSWER_BYTES + 1), /not Kafka/],
  ['nothing', Buffer.alloc(0), undefined],
])('%s', (_name, bytes, problem) => {
  const found = new FrameCheck().look(bytes);
  if (problem === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(problem);
});

function lengthOf(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(length);
  return bytes;
}
