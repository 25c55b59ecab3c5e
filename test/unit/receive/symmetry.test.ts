import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mirrored, outer, vxlanTunnel } from '../../../samples/make/mirrored.ts';
import { frame4, tcpSegment, udpDatagram } from '../../../samples/make/packets.ts';
import { client, server } from '../../../samples/make/traffic.ts';
import { SymmetrySampler } from '../../../src/receive/symmetry.ts';
import {
  allocateSymmetry,
  clearSymmetry,
  readSymmetry,
  SLOTS,
  WORKERS_MAX,
} from '../../../src/receive/symmetry-memory.ts';
import { Flag } from '../../../src/wire/tcp.ts';
import { batchOf, makeBench } from '../../support/receiving.ts';
import { scaled } from '../../support/scale.ts';
import {
  type Conversation,
  frameOf,
  packetOf,
  payloadOf,
  type Shape,
  shapes,
  tunnelKinds,
} from '../../support/steered.ts';

const nothing = { sampled: 0, split: 0, tcp: 0, oneSided: 0 };
const tcp4: Conversation = {
  version: 4,
  protocol: 'tcp',
  addresses: [client.ipv4, server.ipv4],
  ports: [40_000, 443],
};
const tcp6: Conversation = {
  version: 6,
  protocol: 'tcp',
  addresses: [client.ipv6, server.ipv6],
  ports: [40_000, 443],
};
const udp4: Conversation = { ...tcp4, protocol: 'udp' };
const udp6: Conversation = { ...tcp6, protocol: 'udp' };

/** Workers over one sample; what each is given goes through its receiver. */
function makeWorkers(count: number, perVni = false) {
  const memory = allocateSymmetry();
  const receivers = Array.from({ length: count }, (_, worker) => {
    return makeBench({ symmetry: new SymmetrySampler(memory, worker, perVni) }).receiver;
  });
  return {
    memory,
    give(worker: number, ...frames: readonly Buffer[]): void {
      receivers[worker]!.process(batchOf(frames.map((bytes) => ({ bytes }))));
    },
    read: () => readSymmetry(memory),
  };
}

function sent(talk: Conversation, forward: boolean, shape: Shape = 'whole', vni = 42): Buffer {
  return mirrored(vxlanTunnel(client, server, vni), frameOf(packetOf(talk, forward, shape), talk.version));
}

const segment = (flags: number): Buffer =>
  mirrored(
    vxlanTunnel(client, server, 42),
    frame4(
      client,
      server,
      tcpSegment({ sourcePort: 1, destinationPort: 2, sequence: 0, acknowledgement: 0, flags }),
    ),
  );

test.each([
  ['TCP', tcp4],
  ['TCP over IPv6', tcp6],
])('%s: both directions on one worker', (_, talk) => {
  const { give, read } = makeWorkers(2);
  expect(read()).toEqual(nothing);
  give(1, sent(talk, true));
  expect(read()).toEqual({ sampled: 1, split: 0, tcp: 1, oneSided: 1 });
  give(1, sent(talk, true), sent(talk, false), sent(talk, false));
  expect(read()).toEqual({ sampled: 1, split: 0, tcp: 1, oneSided: 0 });
});

test.each([
  ['UDP', udp4],
  ['UDP over IPv6', udp6],
])('%s may have one direction only', (_, talk) => {
  const { give, read } = makeWorkers(1);
  give(0, sent(talk, true));
  expect(read()).toEqual({ sampled: 1, split: 0, tcp: 0, oneSided: 0 });
});

test('directions on two workers are a connection that is split, and it stays one', () => {
  const { give, read, memory } = makeWorkers(3);
  give(2, sent(tcp4, true));
  give(0, sent(tcp4, false));
  const split = { sampled: 1, split: 1, tcp: 1, oneSided: 0 };
  expect(read()).toEqual(split);
  give(0, sent(tcp4, false), sent(tcp4, true));
  give(2, sent(tcp4, true));
  expect(read()).toEqual(split);
  clearSymmetry(memory);
  expect(read()).toEqual(nothing);
  give(2, sent(tcp4, true), sent(tcp4, false));
  expect(read()).toEqual({ ...split, split: 0 });
});

test('TCP and UDP of the same ports are two connections, of which one gets the slot', () => {
  const { give, read } = makeWorkers(1);
  give(0, sent(tcp4, true), sent(udp4, true), sent(udp4, false));
  expect(read()).toEqual({ sampled: 1, split: 0, tcp: 1, oneSided: 1 });
});

test('copies under two VNIs are one connection, unless VNIs are kept apart', () => {
  for (const [perVni, sampled] of [
    [false, 1],
    [true, 2],
  ] as const) {
    const { give, read } = makeWorkers(2, perVni);
    give(0, sent(tcp4, true, 'whole', 1));
    give(1, sent(tcp4, true, 'whole', 2));
    expect(read()).toEqual({ sampled, split: 2 - sampled, tcp: sampled, oneSided: sampled });
  }
});

describe('not looked at', () => {
  const self: Conversation = { ...tcp4, addresses: [client.ipv4, client.ipv4], ports: [7, 7] };
  const cutFlags = mirrored(
    vxlanTunnel(client, server, 42, 4, 14 + 20 + 13),
    frameOf(packetOf(tcp4, true, 'whole'), 4),
  );
  const cutPorts = mirrored(
    vxlanTunnel(client, server, 42, 4, 14 + 20 + 3),
    frameOf(packetOf(udp4, true, 'whole'), 4),
  );
  test.each<[string, Buffer]>([
    ['a SYN', segment(Flag.syn)],
    ['its answer', segment(Flag.syn | Flag.ack)],
    ['a RST', segment(Flag.rst | Flag.ack)],
    ['a first fragment', sent(tcp4, true, 'first fragment')],
    ['a later fragment', sent(udp4, true, 'later fragment')],
    ['a later fragment of IPv6', sent(udp6, true, 'later fragment')],
    ['an ICMP error', sent(udp4, true, 'ICMP error about it')],
    ['ends that are the same', sent(self, true)],
    // padding of the outer frame stands where the flags would be
    ['TCP that ends before its flags', Buffer.concat([cutFlags, Buffer.alloc(8, Flag.ack)])],
    ['UDP that ends before its ports', cutPorts],
    ['ARP', mirrored(vxlanTunnel(client, server, 42), Buffer.alloc(60, 0x08).fill(0x06, 13))],
  ])('%s', (_, bytes) => {
    const { give, read } = makeWorkers(1);
    give(0, bytes);
    expect(read()).toEqual(nothing);
  });

  test.each([Flag.ack, Flag.ack | Flag.psh, Flag.ack | Flag.fin])(
    'but a segment with flags %i is',
    (flags) => {
      const { give, read } = makeWorkers(1);
      give(0, segment(flags));
      expect(read()).toMatchObject({ sampled: 1 });
    },
  );

  test.each<[string, Conversation, number]>([
    ['TCP that ends behind its flags', tcp4, 14],
    ['UDP that ends behind its ports', udp4, 4],
  ])('but %s is', (_, talk, kept) => {
    const { give, read } = makeWorkers(1);
    give(
      0,
      mirrored(vxlanTunnel(client, server, 42, 4, 34 + kept), frameOf(packetOf(talk, true, 'whole'), 4)),
    );
    expect(read()).toMatchObject({ sampled: 1 });
  });
});

test('a connection is the same in every tunnel and every whole shape', () => {
  for (const talk of [tcp4, tcp6, udp4, udp6]) {
    const { give, read } = makeWorkers(1);
    for (const kind of tunnelKinds) {
      for (const shape of Object.keys(shapes) as Shape[]) {
        const payload = payloadOf(
          { kind, vni: 9, optionWords: 2, tags: [5] },
          packetOf(talk, true, shape),
          talk.version,
        );
        const port = kind === 'vxlan' ? 4789 : 6081;
        give(0, outer({ from: client, to: server, version: 4, port }, 50_000, payload));
      }
    }
    expect(read()).toMatchObject({ sampled: 1, split: 0 });
  }
});

test('many connections: slots fill evenly, and hardly any two are taken for one', () => {
  const { give, read, memory } = makeWorkers(2);
  const count = 40_000;
  const frames = Array.from({ length: count }, (_, index) => {
    const datagram = udpDatagram(32_768 + (index % 20_000), index < 20_000 ? 53 : 443, Buffer.alloc(0));
    return mirrored(vxlanTunnel(client, server, 1), frame4(client, server, datagram));
  });
  for (let at = 0; at < count; at += 500) give(0, ...frames.slice(at, at + 500));
  const expected = SLOTS * (1 - Math.exp(-count / SLOTS));
  expect(Math.abs(read().sampled - expected)).toBeLessThan(600);
  expect(read().split).toBe(0);
  // another worker's connections, none of them one of those before: about a fourth of them finds its slot taken
  clearSymmetry(memory);
  give(0, ...frames.slice(0, 20_000));
  const before = read().sampled;
  give(1, ...frames.slice(20_000));
  expect(read().sampled).toBeGreaterThan(before + 10_000);
  expect(read().split).toBeLessThan(5);
});

test('whatever order the packets come in, the sample says what the workers saw', () => {
  const talks = Array.from(
    { length: 8 },
    (_, index): Conversation => ({ ...tcp4, ports: [1000 + 17 * index, 443] }),
  );
  const sights = fc.record({ talk: fc.nat(talks.length - 1), forward: fc.boolean(), worker: fc.nat(2) });
  fc.assert(
    fc.property(fc.array(sights, { maxLength: 30 }), (list) => {
      const { give, read } = makeWorkers(3);
      for (const { talk, forward, worker } of list) give(worker, sent(talks[talk]!, forward));
      const seen = talks
        .map((_, index) => list.filter(({ talk }) => talk === index))
        .filter(({ length }) => length > 0);
      expect(read()).toEqual({
        sampled: seen.length,
        tcp: seen.length,
        split: seen.filter((of) => new Set(of.map(({ worker }) => worker)).size > 1).length,
        oneSided: seen.filter((of) => new Set(of.map(({ forward }) => forward)).size === 1).length,
      });
    }),
    { numRuns: scaled(1000) },
  );
});

test('another thread may change the slot between a look and the change', () => {
  const memory = allocateSymmetry();
  const slots = new Int32Array(memory);
  const exchange = Atomics.compareExchange;
  /** Exchanges of the sample's words. */
  let disturbed = 0;
  Atomics.compareExchange = ((words: Int32Array, index: number, old: number, next: number) => {
    if (words.buffer !== memory || disturbed++ > 0) return exchange(words, index, old, next);
    // the main thread clears the sample at this very moment, and another worker is faster to claim the slot
    exchange(words, index, old, (next & ~0xfc00) | (5 << 10));
    return exchange(words, index, old, next);
  }) as typeof Atomics.compareExchange;
  try {
    const { receiver } = makeBench({ symmetry: new SymmetrySampler(memory, 1, false) });
    receiver.process(batchOf([{ bytes: sent(tcp4, true) }]));
  } finally {
    Atomics.compareExchange = exchange;
  }
  expect(disturbed).toBeGreaterThan(0);
  expect(readSymmetry(memory)).toEqual({ sampled: 1, split: 1, tcp: 1, oneSided: 1 });
  expect(slots.filter((word) => word !== 0)).toHaveLength(1);
});

test('no more workers than a slot can name', () => {
  expect(() => new SymmetrySampler(allocateSymmetry(), WORKERS_MAX, false)).toThrow('64 workers');
});
