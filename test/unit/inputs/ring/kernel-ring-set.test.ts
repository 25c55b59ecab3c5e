import { expect, test } from 'vitest';
import { frame4, frame6 } from '../../../../samples/make/packets.ts';
import { Wakefulness } from '../../../../src/inputs/ring/slumber.ts';
import { hostsOf, sendFrames, sendPayloads } from '../../../support/cable.ts';
import { turns } from '../../../support/consumer.ts';
import {
  counted,
  datagram,
  geneve,
  ip,
  requiresRings,
  ringsOf,
  textsOf,
  vxlan,
  withRings,
} from '../../../support/kernel-rings.ts';
import { inNamespace, withNetwork } from '../../../support/namespaces.ts';
import { openSocketCount } from '../../../support/mmsg-sockets.ts';

const able = await requiresRings();

test.skipIf(!able)('a new address counts after the next look; a new interface is said, once', () =>
  withNetwork('veth', (network) =>
    withRings(network, {}, async ({ set, workers: [seen], stop }) => {
      const { receiver, sender, receiverInterface } = network;
      const look = () => inNamespace(receiver, () => set.refresh());
      const send = (text: string): void => sendPayloads(sender, '10.99.0.4', vxlan, [Buffer.from(text)]);
      ip(network, `address add 10.99.0.4/24 dev ${receiverInterface}`);
      send('too early');
      expect(look()).toEqual([]);
      send('in time');
      await seen?.until(1);
      // an interface that is without its address for a moment keeps it
      ip(network, `address del 10.99.0.4/24 dev ${receiverInterface}`);
      look();
      ip(network, `address add 10.99.0.4/24 dev ${receiverInterface}`);
      send('again');
      await seen?.until(2);
      ip(network, 'link add other0 type veth peer name other1');
      ip(network, 'link set other1 addrgenmode none');
      ip(network, 'address add 10.98.0.1/24 dev other0');
      ip(network, 'link set other0 up');
      ip(network, 'link set other1 up');
      let notes = look();
      while (notes.length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        notes = look();
      }
      expect(notes.map(({ fields }) => fields['interface'])).toEqual(['other0']);
      expect(look()).toEqual([]);
      await stop();
      expect(textsOf(seen?.packets ?? [])).toEqual(['in time', 'again']);
    }),
  ),
);

test.skipIf(!able)('an interface that is gone is said, once; one of the same name is another one', () =>
  withNetwork('veth', (network) =>
    withRings(network, { interface: [network.receiverInterface, 'lo'] }, ({ set }) => {
      const look = (): unknown[] =>
        inNamespace(network.receiver, () => set.refresh().map(({ fields }) => fields['interface']));
      ip(network, `link set ${network.receiverInterface} down`);
      expect(look()).toEqual([]);
      ip(network, `link del ${network.receiverInterface}`);
      ip(network, `link add ${network.receiverInterface} type veth peer name other1`);
      expect(look()).toEqual([network.receiverInterface]);
      expect(look()).toEqual([]);
      return Promise.resolve();
    }),
  ),
);

test.skipIf(!able).each(['0.0.0.0', '::'])(
  'listening on %s, a worker that would rather sleep is called',
  (address) =>
    withNetwork('veth', async (network) => {
      const { receiver } = network;
      const set = ringsOf(network, { workers: 2, address });
      try {
        const words = set.handles.map(([ring]) => new Int32Array(ring?.wake ?? new SharedArrayBuffer(4)));
        const states = (): number[] => words.map((word) => Atomics.load(word, 0));
        const { awake, drowsy, asleep } = Wakefulness;
        const look = () => inNamespace(receiver, () => set.refresh());
        const hosts = hostsOf(network);
        // with a checksum that the receiver has to verify
        const send = (port: number): void => {
          const made = (address === '::' ? frame6 : frame4)(
            hosts.sender,
            hosts.receiver,
            datagram('bell', port),
          );
          sendFrames(network.sender, network.senderInterface, [made]);
        };
        for (const port of [vxlan, geneve, vxlan]) {
          // awake: nobody is put to sleep who does not ask, and packets ring no bell
          look();
          send(port);
          await turns(10);
          expect(states()).toEqual([awake, awake]);
          for (const word of words.slice(0, 1)) Atomics.store(word, 0, drowsy);
          look();
          expect(states()).toEqual([asleep, awake]);
          for (const word of words) Atomics.compareExchange(word, 0, awake, drowsy);
          look();
          expect(states()).toEqual([asleep, asleep]);
          send(port);
          while (states().includes(asleep)) await turns(1);
          expect(states()).toEqual([awake, awake]);
          // from then on the ports drop again what comes
          const dropped = address === '::' ? 'Udp6InErrors' : 'Udp InErrors';
          const before = counted(network, dropped);
          send(port);
          expect(counted(network, dropped)).toBe(before + 1);
        }
      } finally {
        set.close();
      }
    }),
);

test.skipIf(!able)('a packet is read although its worker sleeps', () =>
  withNetwork('veth', (network) =>
    withRings(network, {}, async ({ set, workers: [seen] }) => {
      const [ring] = set.handles[0] ?? [];
      const word = new Int32Array(ring?.wake ?? new SharedArrayBuffer(4));
      for (const count of [1, 2]) {
        while (Atomics.load(word, 0) !== Wakefulness.asleep) {
          await turns(1);
          inNamespace(network.receiver, () => set.refresh());
        }
        sendPayloads(network.sender, network.receiverAddress, vxlan, [Buffer.from('wake')]);
        await seen?.until(count);
      }
      expect(textsOf(seen?.packets ?? [])).toEqual(['wake', 'wake']);
    }),
  ),
);

const refusals = [
  {
    name: 'an interface that is not there',
    code: 'INTERFACE_UNKNOWN',
    options: { interface: ['in0', 'in1'] },
  },
  { name: 'an interface that is down', code: 'INTERFACE_DOWN', options: { interface: ['in0', 'down0'] } },
  { name: 'an address of another host', code: 'UDP_BIND_FAILED', options: { address: '10.99.0.77' } },
  { name: 'a ring too large for any memory', code: 'SYSTEM_CALL_FAILED', options: { ringBytes: 2 ** 42 } },
];

test.skipIf(!able).each(refusals)('$name is refused, and nothing stays open', ({ code, options }) =>
  withNetwork('veth', (network) => {
    ip(network, 'link add down0 type veth peer name down1');
    const before = openSocketCount();
    expect(() => ringsOf(network, options)).toThrow(expect.objectContaining({ code }));
    expect(openSocketCount()).toBe(before);
    return Promise.resolve();
  }),
);

test.skipIf(!able)('a second one on the same ports is refused; closed, nothing stays open', () =>
  withNetwork('veth', (network) => {
    const before = openSocketCount();
    const set = ringsOf(network, { workers: 2, address: '::' });
    // in0 and lo, two versions, two workers; two ports
    expect(openSocketCount()).toBe(before + 8 + 2);
    expect(() => ringsOf(network)).toThrow(expect.objectContaining({ code: 'UDP_BIND_FAILED' }));
    expect(openSocketCount()).toBe(before + 8 + 2);
    set.close();
    expect(openSocketCount()).toBe(before);
    return Promise.resolve();
  }),
);
