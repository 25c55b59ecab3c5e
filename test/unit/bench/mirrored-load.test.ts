import { expect, test } from 'vitest';
import { host } from '../../../samples/make/packets.ts';
import { INNER_BYTES_MIN, mirroredLoad, numberOf, putNumber } from '../../support/mirrored-load.ts';
import { batchOf, makeBench } from '../../support/receiving.ts';
import { Verdict } from '../../../src/packet/verdict.ts';

const [from, to] = [host(1, '10.0.0.1', '2001:db8::1'), host(2, '10.0.0.2', '2001:db8::2')];
const shape = { connections: 100, vnis: 16, sourcePorts: 8, from, to };
const UDP_SOURCE_PORT_AT = 34;

test.each([INNER_BYTES_MIN, 128, 1400, 8900])(
  'every packet of a load with inner frames of %i bytes is delivered, valid, with its number',
  (innerBytes) => {
    const frames = mirroredLoad({ ...shape, innerBytes });
    expect(frames.length).toBe(200);
    for (const [i, frame] of frames.entries()) {
      putNumber(new DataView(frame.buffer, frame.byteOffset, frame.length), 0, 0xffff_ff00 + i);
    }
    const batch = batchOf(frames.map((bytes) => ({ bytes })));
    const { receiver, lanes } = makeBench({ maxLanes: 64 });
    receiver.process(batch);
    expect(batch.deliveredCount).toBe(200);
    for (let slot = 0; slot < batch.count; slot++) {
      const at = batch.frameAt[slot]!;
      expect(batch.frameEnd[slot]! - at).toBe(innerBytes);
      expect(batch.transportVerdict[slot]).toBe(Verdict.valid);
      expect(numberOf(batch.view, at)).toBe((0xffff_ff00 + slot) % 2 ** 32);
      expect(lanes.lane(batch.lane[slot]!).vni).toBe(1 + ((slot % 100) % 16));
    }
  },
);

test('outer source ports are as few as asked for, and one for both directions of a connection', () => {
  const ports = mirroredLoad({ ...shape, innerBytes: 128 }).map((frame) =>
    frame.readUInt16BE(UDP_SOURCE_PORT_AT),
  );
  expect(new Set(ports).size).toBe(8);
  expect(ports.slice(0, 100)).toEqual(ports.slice(100));
});

test('bytes that are no number say so', () => {
  const [frame = Buffer.alloc(0)] = mirroredLoad({ ...shape, innerBytes: 128 });
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  expect(numberOf(view, 0)).toBe(-1);
});
