import { expect } from 'vitest';
import type { CaptureDecoder, CaptureProblem } from '../../src/format/capture-decoder.ts';
import { MAX_RECORD_BYTES } from '../../src/format/limits.ts';
import { PacketBatch } from '../../src/packet/batch.ts';

/** One packet as a test compares it. */
export interface PacketSeen {
  /** Seconds since the epoch with nine digits after the point, as tshark prints them. */
  readonly time: string;
  readonly linkType: number;
  readonly wireLen: number;
  readonly data: string;
}

export interface Decoded {
  readonly packets: PacketSeen[];
  readonly problem: CaptureProblem | undefined;
}

/** How a stream is handed to a decoder. */
export interface Handing {
  /** Bytes of the chunks, one after the other, again from the first when all are used. */
  readonly chunks?: readonly number[];
  /** Packets a batch holds. */
  readonly capacity?: number;
}

/** Copies what a test compares out of a batch. */
export function packetsOf(batch: PacketBatch): PacketSeen[] {
  return Array.from({ length: batch.count }, (_, slot) => ({
    time: `${batch.seconds[slot]}.${String(batch.nanoseconds[slot]).padStart(9, '0')}`,
    linkType: batch.linkType[slot] ?? -1,
    wireLen: batch.wireLen[slot] ?? -1,
    data: batch.bytes.toString('hex', batch.at[slot], batch.end[slot]),
  }));
}

/**
 * Hands a whole stream to a decoder as an input does: in chunks, what is left moved to another place each time. Each
 * window is surrounded by 0xa5, so that a read outside it shows. Checks what the contract of decoders promises.
 */
export function decodeAll(decoder: CaptureDecoder, stream: Uint8Array, handing: Handing = {}): Decoded {
  const { chunks = [stream.length], capacity = 4 } = handing;
  const packets: PacketSeen[] = [];
  let leftover = new Uint8Array();
  let given = 0;
  let turn = 0;
  while (given < stream.length && decoder.problem === undefined) {
    const size = Math.min(Math.max(chunks[turn % chunks.length] ?? 1, 1), stream.length - given);
    const margin = 3 + (turn % 5);
    const window = Buffer.alloc(leftover.length + size + 2 * margin, 0xa5);
    window.set(leftover, margin);
    window.set(stream.subarray(given, given + size), margin + leftover.length);
    given += size;
    turn++;
    const end = window.length - margin;
    const at = drain(decoder, new PacketBatch(capacity, window), margin, end, packets);
    expect(decoder.offset).toBe(given - (end - at));
    expect(decoder.neededBytes).toBeLessThanOrEqual(MAX_RECORD_BYTES);
    if (decoder.problem === undefined) expect(end - at).toBeLessThan(decoder.neededBytes);
    leftover = Uint8Array.from(window.subarray(at, end));
  }
  decoder.finish(leftover.length);
  return { packets, problem: decoder.problem };
}

function drain(
  decoder: CaptureDecoder,
  batch: PacketBatch,
  from: number,
  end: number,
  packets: PacketSeen[],
): number {
  let at = from;
  do {
    batch.clear();
    const next = decoder.decode(batch, at, end);
    expect(next).toBeGreaterThanOrEqual(at);
    expect(next).toBeLessThanOrEqual(end);
    for (let slot = 0; slot < batch.count; slot++) {
      expect(batch.at[slot]).toBeGreaterThanOrEqual(at);
      expect(batch.end[slot]).toBeLessThanOrEqual(next);
      expect(batch.wireLen[slot]).toBeGreaterThanOrEqual((batch.end[slot] ?? 0) - (batch.at[slot] ?? 0));
      expect(batch.nanoseconds[slot]).toBeLessThan(1_000_000_000);
    }
    packets.push(...packetsOf(batch));
    at = next;
  } while (batch.count === batch.capacity);
  return at;
}
