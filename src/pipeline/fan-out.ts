import type { PacketBatch } from '../packet/batch.ts';
import { doAll } from './do-all.ts';
import type { Outlet } from './outlet.ts';

const NOTHING_TO_WAIT_FOR: Promise<void> = Promise.resolve();

/** Gives each batch to every sink. Sinks share the batch: it is the caller's again when the last one is done. */
export class FanOut {
  readonly outlets: readonly Outlet[];

  constructor(outlets: readonly Outlet[]) {
    this.outlets = outlets;
  }

  /** Opens all sinks. Rejects with the first error after all have tried. */
  open(): Promise<void> {
    return each(this.outlets, ({ sink }) => sink.open());
  }

  /**
   * Queues a batch for all sinks.
   *
   * @returns settles when every sink gave the batch back; never rejects
   */
  deliver(batch: PacketBatch): Promise<void> {
    const bytes = frameBytes(batch);
    let first: Promise<void> | undefined;
    let others: Promise<void>[] | undefined;
    for (const outlet of this.outlets) {
      const returned = outlet.push(batch, bytes);
      if (returned === undefined) continue;
      if (first === undefined) first = returned;
      else (others ??= [first]).push(returned);
    }
    if (others !== undefined) return Promise.all(others).then(nothing);
    return first ?? NOTHING_TO_WAIT_FOR;
  }

  /** Settles when all queues are empty. */
  drain(): Promise<void> {
    return each(this.outlets, (outlet) => outlet.drain());
  }

  /** Empties the queues and makes what the sinks took durable. Rejects with the first error after all are done. */
  flush(): Promise<void> {
    return each(this.outlets, async (outlet) => {
      await outlet.drain();
      await outlet.sink.flush();
    });
  }

  /** Empties the queues and closes all sinks. Rejects with the first error after all are closed. */
  close(): Promise<void> {
    return each(this.outlets, async (outlet) => {
      await outlet.drain();
      await outlet.sink.close();
    });
  }
}

/** Bytes of the frames that a batch delivers. */
function frameBytes(batch: PacketBatch): number {
  let bytes = 0;
  for (let i = 0; i < batch.deliveredCount; i++) {
    const slot = batch.delivered[i] ?? 0;
    bytes += (batch.frameEnd[slot] ?? 0) - (batch.frameAt[slot] ?? 0);
  }
  return bytes;
}

function each(outlets: readonly Outlet[], work: (outlet: Outlet) => Promise<void>): Promise<void> {
  return doAll(outlets.map((outlet) => () => work(outlet)));
}

function nothing(): void {}
