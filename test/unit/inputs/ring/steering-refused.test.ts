import { afterEach, expect, test, vi } from 'vitest';
import { openSocketCount } from '../../../support/mmsg-sockets.ts';
import { hostsOf, sendFrames } from '../../../support/cable.ts';
import { requiresRings, ringsOf, withRings } from '../../../support/kernel-rings.ts';
import { withNetwork } from '../../../support/namespaces.ts';
import { frame4, udpDatagram } from '../../../../samples/make/packets.ts';

/** A program that ends without a result, which every kernel refuses: one instruction, `ld #0`. */
vi.mock(import('../../../../src/inputs/bpf/steering.ts'), async (original) => ({
  ...(await original()),
  fanOutProgram: () => new Uint8Array(8),
}));
afterEach(() => vi.restoreAllMocks());

const able = await requiresRings();

test.skipIf(!able)('a kernel that refuses the program hashes, which is said with the reason', () =>
  withNetwork('veth', async (network) => {
    const before = openSocketCount();
    await withRings(network, { workers: 2 }, async ({ set, workers, stop }) => {
      expect(set.steering).toBe('outer addresses and ports (the kernel refused the program: EINVAL)');
      expect(set.notes.map(({ fields }) => fields['remedy'])).toEqual(['set workers: 1']);
      const { sender, receiver } = hostsOf(network);
      const frames = Array.from({ length: 100 }, (_, i) =>
        frame4(sender, receiver, udpDatagram(1000 + (i % 50), 4789, Buffer.of(i % 50))),
      );
      sendFrames(network.sender, network.senderInterface, frames);
      await stop();
      const ports = workers.map(({ packets }) => packets.map(({ bytes }) => bytes.at(-1)));
      expect(ports.flat().length).toBe(100);
      expect(ports.flatMap((some) => [...new Set(some)]).length).toBe(50);
      for (const some of ports) expect(some.length).toBeGreaterThan(0);
    });
    expect(openSocketCount()).toBe(before);
  }),
);

test.skipIf(!able)('a single worker needs no program', () =>
  withNetwork('veth', (network) => {
    const set = ringsOf(network);
    expect([set.steering, set.notes]).toEqual(['one worker', []]);
    set.close();
    return Promise.resolve();
  }),
);
