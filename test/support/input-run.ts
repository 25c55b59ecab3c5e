import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Input } from '../../src/pipeline/input.ts';
import { MirrorError } from '../../src/observe/error.ts';
import { packetsOf, type PacketSeen } from './decoding.ts';

export interface Run {
  readonly packets: PacketSeen[];
  /** Packets of each batch, in order. */
  readonly batches: number[];
  /** What `open` or `run` rejected with. */
  readonly error: MirrorError | undefined;
}

/**
 * Opens an input, runs it to its end, and closes it. Each batch is looked at only some turns after it was delivered,
 * so that an input which touches it before the promise has settled shows.
 */
export async function runInput(input: Input, onBatch: () => unknown = () => undefined): Promise<Run> {
  const packets: PacketSeen[] = [];
  const batches: number[] = [];
  let error: MirrorError | undefined;
  try {
    await input.open();
    await input.run(async (batch) => {
      batches.push(batch.count);
      await onBatch();
      for (let turn = 0; turn < 3; turn++) await nextTurn();
      packets.push(...packetsOf(batch));
    });
  } catch (thrown) {
    if (!(thrown instanceof MirrorError)) throw thrown;
    error = thrown;
  } finally {
    await input.close();
  }
  return { packets, batches, error };
}
