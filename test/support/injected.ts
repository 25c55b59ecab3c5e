import { expect } from 'vitest';
import { frame4, tcpSegment, type Transport } from '../../samples/make/packets.ts';
import { client, server } from '../../samples/make/traffic.ts';
import { liveInject } from '../../src/sinks/inject/create.ts';
import { injectCounters, injectDropReasons } from '../../src/sinks/inject/drop-reasons.ts';
import type { InjectSettings } from '../../src/sinks/inject/settings.ts';
import { batchOf, type TestPacket } from './batches.ts';
import { FakeNetwork, injecting } from './fake-network.ts';
import { sinkContext, type TestSinkContext } from './sink-context.ts';

export const data = Buffer.from(Array.from({ length: 300 }, (_, i) => (i % 250) + 1));
export const tcp = (bytes: Buffer = data): Transport =>
  tcpSegment({
    sourcePort: 50_001,
    destinationPort: 50_003,
    sequence: 7,
    acknowledgement: 9,
    flags: 16,
    data: bytes,
  });
export const whole = frame4(client, server, tcp());
/** The frame of which `keep` bytes arrived. */
export const cut = (frame: Buffer, keep: number): TestPacket => ({
  frame: frame.subarray(0, keep),
  wireLen: frame.length,
});
/** The data of which `bytes` arrived, the rest zero. */
export const zeroed = (bytes: number): Buffer =>
  Buffer.concat([data.subarray(0, bytes), Buffer.alloc(300 - bytes)]);

/** A sink of kind `inject` that is open, before a network that is none. */
export interface Made {
  readonly network: FakeNetwork;
  readonly context: TestSinkContext;
  /** Gives the sink a batch as the pipeline does. */
  readonly write: (...packets: readonly TestPacket[]) => Promise<void>;
  readonly close: () => Promise<void>;
  /** What it counts besides its ledger, only what is not 0. */
  readonly further: () => Record<string, number>;
}

/** @param prepare changes what the sink is given */
export async function makeInject(
  some: Partial<InjectSettings> = {},
  network = new FakeNetwork(),
  prepare: (context: TestSinkContext) => void = () => undefined,
): Promise<Made> {
  const context = sinkContext(injectDropReasons, 0, injectCounters);
  prepare(context);
  const sink = liveInject(injecting(some), context, network);
  await sink.open();
  const { counters } = context;
  return {
    network,
    context,
    write: async (...packets) => {
      counters.addDelivered(packets.length);
      await sink.write(batchOf(packets));
      expect(counters.pending).toBe(0);
    },
    close: () => sink.close(),
    further: () =>
      Object.fromEntries(
        counters.names.map((name) => [name, counters.further(name)] as const).filter(([, n]) => n > 0),
      ),
  };
}
