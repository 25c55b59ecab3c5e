import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { frame6 } from '../../../../samples/make/packets.ts';
import { client, server } from '../../../../samples/make/traffic.ts';
import { liveInject } from '../../../../src/sinks/inject/create.ts';
import { injectCounters, injectDropReasons } from '../../../../src/sinks/inject/drop-reasons.ts';
import { numbered, numberedFrame } from '../../../support/batches.ts';
import { FakeNetwork, injecting } from '../../../support/fake-network.ts';
import { makeInject, tcp, whole } from '../../../support/injected.ts';
import { requiresNative } from '../../../support/native.ts';
import { sinkContext } from '../../../support/sink-context.ts';

const native = await requiresNative();
const { ENETDOWN, ENXIO, EPERM } = constants.errno;

describe.skipIf(!native)('frames that are whole', () => {
  test('leave byte for byte, in order, whatever their length', async () => {
    const { network, context, write, close } = await makeInject();
    const frames = [
      numberedFrame(1, 14),
      numberedFrame(2, 60),
      whole,
      numberedFrame(3, 9015),
      frame6(client, server, tcp()),
    ];
    await write(...frames.map((frame) => ({ frame })));
    expect(network.frames()).toEqual(frames);
    expect([context.counters.written, context.dropped()]).toEqual([5, {}]);
    await close();
    expect([network.opened, network.closed]).toEqual([1, 1]);
  });

  test('many of them take few calls', async () => {
    const { network, context, write } = await makeInject();
    await write(...Array.from({ length: 1000 }, (_, i) => ({ frame: numberedFrame(i) })));
    expect(network.frames().map((frame) => frame.readUInt32BE(0))).toEqual(
      Array.from({ length: 1000 }, (_, i) => i),
    );
    expect([network.calls, context.counters.written]).toEqual([4, 1000]);
  });

  test('a call that takes some of them is made again for the rest', async () => {
    const { network, write } = await makeInject();
    network.atATime = 7;
    await write(...Array.from({ length: 300 }, (_, i) => ({ frame: numberedFrame(i) })));
    expect(network.frames()).toHaveLength(300);
  });
});

describe.skipIf(!native)('an interface that refuses', () => {
  test('is gone: counted, said once, failing; back: with its new number', async () => {
    const { network, context, write } = await makeInject();
    await write({ frame: whole });
    network.goAway('mirror0');
    await write({ frame: whole }, { frame: whole });
    await write({ frame: whole });
    expect(context.dropped()).toEqual({ interfaceGone: 3 });
    expect(context.counters.failingReason).toBe('interfaceGone');
    network.mtus.set('other', 9001);
    network.mtus.set('mirror0', 9001);
    context.clock.ms += 1000;
    await write({ frame: whole });
    expect(network.sent.map((one) => one.to)).toEqual([1, 2]);
    expect(context.counters.failingReason).toBeUndefined();
    expect(context.lines).toEqual([
      'warn: An interface cannot be written to: its packets are dropped.',
      'info: Packets are written to the interface again.',
    ]);
  });

  test('made anew between two looks: what came first is lost, the rest of the batch is not', async () => {
    const { network, context, write } = await makeInject();
    network.goAway('mirror0');
    network.mtus.set('other', 9001);
    network.mtus.set('mirror0', 9001);
    await write({ frame: whole }, { frame: whole }, { frame: whole });
    expect(context.dropped()).toEqual({ interfaceGone: 1 });
    expect(network.sent.map((one) => one.to)).toEqual([2, 2]);
  });

  test.each([ENETDOWN, ENXIO])(
    'errno %i while it is said to be there: each frame is lost, none holds up the others',
    async (errno) => {
      const network = new FakeNetwork({ m1: 9001, m2: 9001 });
      const { context, write } = await makeInject({ interface: 'm{vni}' }, network);
      network.refusals.set(1, errno);
      await write(...[1, 2, 1, 1, 2].map((lane) => ({ lane, frame: whole })));
      expect(network.sent.map((one) => one.to)).toEqual([2, 2]);
      expect(context.dropped()).toEqual({ interfaceGone: 3 });
      // looked up when first used, and once a batch when it refuses
      expect(network.asked).toEqual(['m1', 'm2', 'm1']);
    },
  );

  test('for another reason: counted, said once', async () => {
    const { network, context, write } = await makeInject();
    network.refusals.set(1, EPERM);
    await write({ frame: whole }, { frame: whole });
    expect(context.dropped()).toEqual({ refused: 2 });
    expect(context.lines).toEqual([
      'warn: The kernel refuses to send a frame. It is said once for each reason.',
    ]);
  });

  test('has no room for a while: nothing is lost', async () => {
    const { network, context, write } = await makeInject();
    network.fullCalls = 5;
    await write(...Array.from({ length: 600 }, () => ({ frame: whole })));
    expect([context.counters.written, context.dropped(), context.counters.failingReason]).toEqual([
      600,
      {},
      undefined,
    ]);
  });

  test('has no room for long: the batch is lost, counted, and said by readiness until there is', async () => {
    const { network, context, write } = await makeInject();
    network.fullCalls = Infinity;
    await write(...Array.from({ length: 600 }, () => ({ frame: whole })));
    expect(context.dropped()).toEqual({ interfaceFull: 600 });
    expect(context.counters.failingReason).toBe('interfaceFull');
    expect(network.calls).toBeLessThan(30);
    network.fullCalls = 0;
    await write({ frame: whole });
    expect([context.counters.written, context.counters.failingReason]).toEqual([1, undefined]);
  });

  test('comes back while nothing is written: readiness notices all the same', async () => {
    const { network, context, write } = await makeInject();
    network.goAway('mirror0');
    await write({ frame: whole });
    expect(context.counters.failingReason).toBe('interfaceGone');
    network.comeBack('mirror0', 9001);
    await expect.poll(() => context.counters.failingReason, { timeout: 20_000 }).toBeUndefined();
  });
});

describe.skipIf(!native)('opening', () => {
  test('an interface that is not there', async () => {
    await expect(makeInject({ interface: 'nowhere' })).rejects.toMatchObject({ code: 'INTERFACE_UNKNOWN' });
  });

  test('one that is away while a worker is replaced is waited for', async () => {
    const { network, context, write } = await makeInject({}, new FakeNetwork({}), (made) =>
      Object.assign(made, { restarted: true }),
    );
    expect(context.counters.failingReason).toBe('interfaceGone');
    network.comeBack('mirror0', 9001);
    context.clock.ms += 1000;
    await write({ frame: whole });
    expect([context.counters.written, context.counters.failingReason]).toEqual([1, undefined]);
  });

  test('nobody who completes packets is our own mistake', () => {
    const { completer: _, ...context } = sinkContext(injectDropReasons, 0, injectCounters);
    expect(() => liveInject(injecting(), context, new FakeNetwork())).toThrow('completes');
  });

  test('a batch of nothing makes no call', async () => {
    const { network, context, write } = await makeInject();
    await write();
    expect([network.calls, numbered(0).deliveredCount, context.counters.written]).toEqual([0, 0, 0]);
  });
});
