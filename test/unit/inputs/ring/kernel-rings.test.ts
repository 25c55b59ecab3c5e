import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  frame,
  frame4,
  frame6,
  ipv4Packet,
  opaque,
  tcpSegment,
  udpDatagram,
} from '../../../../samples/make/packets.ts';
import { Wakefulness } from '../../../../src/inputs/ring/slumber.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { EtherType } from '../../../../src/wire/ether-type.ts';
import { IpProtocol } from '../../../../src/wire/ip-protocol.ts';
import { hostsOf, sendFrames, sendPayloads } from '../../../support/cable.ts';
import { turns } from '../../../support/consumer.ts';
import { requiresRings, ringsOf, withRings } from '../../../support/kernel-rings.ts';
import {
  inNamespace,
  type NetworkKind,
  requiresVlan,
  type TestNetwork,
  VLAN_ID,
  withNetwork,
} from '../../../support/namespaces.ts';
import { openSocketCount } from '../../../support/mmsg-sockets.ts';
import type { Delivered } from '../../../support/socket-traffic.ts';

const able = await requiresRings();
const kinds: readonly NetworkKind[] = requiresVlan() ? ['veth', 'bridge', 'vlan'] : ['veth', 'bridge'];
const vxlan = 4789;
const geneve = 6081;

const payload = (text: string): Buffer => Buffer.from(text);
const datagram = (text: string, port = vxlan) => udpDatagram(40_000, port, payload(text));

/** Payloads of UDP packets, as text, in order. */
function textsOf(packets: readonly Delivered[]): string[] {
  return packets.map(({ bytes }) => {
    const headers = (bytes[0] ?? 0) >>> 4 === 4 ? 28 : 48;
    return bytes.toString('latin1', headers);
  });
}

function ip(network: TestNetwork, command: string): void {
  execFileSync('ip', ['-netns', network.receiver, ...command.split(' ')]);
}

/** A counter of the receiver's IP stack: `Icmp6OutDestUnreachs`, or `Icmp OutDestUnreachs`. */
function counted(network: TestNetwork, name: string): number {
  const [table = '', field] = name.split(' ');
  const text = inNamespace(network.receiver, () =>
    readFileSync(`/proc/thread-self/net/${field === undefined ? 'snmp6' : 'snmp'}`, 'utf8'),
  );
  const lines = text.split('\n').map((line) => line.split(/:?\s+/));
  if (field === undefined) return Number(lines.find(([first]) => first === table)?.[1]);
  const [heads = [], values = []] = lines.filter(([first]) => first === table);
  return Number(values[heads.indexOf(field)]);
}

test.skipIf(!able).each(kinds)('%s: a packet comes once, from its IP header on, with the time', (kind) =>
  withNetwork(kind, (network) =>
    withRings(network, { address: '::' }, async ({ set, workers: [seen], stop }) => {
      const { sender, receiver } = hostsOf(network);
      const fromNs = BigInt(Date.now()) * 1_000_000n;
      const [four, six] = [
        frame4(sender, receiver, datagram('four')),
        frame6(sender, receiver, datagram('six', geneve)),
      ];
      sendFrames(network.sender, network.senderInterface, [four, six]);
      await seen?.until(2);
      await stop();
      const tillNs = BigInt(Date.now() + 1) * 1_000_000n;
      const packets = seen?.packets ?? [];
      // the two come through two rings
      const sorted = packets.toSorted((a, b) => (a.timeNs < b.timeNs ? -1 : 1));
      expect(sorted.map(({ bytes }) => bytes)).toEqual([four.subarray(14), six.subarray(14)]);
      for (const { bytes, wireLen, linkType, timeNs } of packets) {
        expect([wireLen, linkType]).toEqual([bytes.length, LinkType.raw]);
        expect(timeNs >= fromNs && timeNs <= tillNs).toBe(true);
      }
      expect(set.kernelDrops()).toBe(0);
    }),
  ),
);

test.skipIf(!able)('only tunnel packets for this host come', () =>
  withNetwork('veth', (network) =>
    withRings(network, {}, async ({ workers: [seen], stop }) => {
      const { sender, receiver } = hostsOf(network);
      const stranger = { ...receiver, mac: Uint8Array.of(2, 0, 0, 0, 0, 9) };
      const everybody = { ...receiver, mac: new Uint8Array(6).fill(0xff) };
      const elsewhere = { ...receiver, ipv4: Uint8Array.of(10, 99, 0, 77) };
      const segment = { sourcePort: 1, destinationPort: vxlan, sequence: 1, acknowledgement: 1, flags: 2 };
      const options = Buffer.from('46000000', 'hex');
      const packet = ipv4Packet(sender.ipv4, receiver.ipv4, datagram('with options'));
      const long = Buffer.concat([
        options,
        packet.subarray(4, 20),
        Buffer.from('01010101', 'hex'),
        packet.subarray(20),
      ]);
      long.writeUInt16BE(long.length, 2);
      sendFrames(network.sender, network.senderInterface, [
        frame4(sender, stranger, datagram('another MAC address')),
        frame4(sender, everybody, datagram('broadcast')),
        frame4(sender, elsewhere, datagram('another IP address')),
        frame4(sender, receiver, datagram('another port', 4790)),
        frame4(sender, receiver, tcpSegment(segment)),
        frame4(sender, receiver, opaque(IpProtocol.icmp, Buffer.alloc(20))),
        frame6(sender, receiver, datagram('IPv6')),
        frame4(sender, receiver, datagram('a VLAN without an interface'), {}, [VLAN_ID]),
        frame4(sender, receiver, datagram('a priority'), {}, [0xe000]),
        frame(sender.mac, receiver.mac, long, EtherType.ipv4),
        frame4(sender, receiver, datagram('plain')),
      ]);
      await seen?.until(3);
      await stop();
      expect(textsOf(seen?.packets ?? []).map((text) => text.slice(-12).trim())).toEqual([
        'a priority',
        'with options',
        'plain',
      ]);
    }),
  ),
);

test.skipIf(!able)('what this host sends does not come, unless to itself: then once', () =>
  withNetwork('veth', (network) =>
    withRings(network, { address: '::' }, async ({ workers: [seen], stop }) => {
      const { receiver, senderAddress, receiverAddress, receiverAddress6 } = network;
      sendPayloads(receiver, senderAddress, vxlan, [payload('out')]);
      sendPayloads(receiver, receiverAddress, vxlan, [payload('self')]);
      sendPayloads(receiver, receiverAddress6, vxlan, [payload('self6')]);
      sendPayloads(receiver, '127.0.0.5', vxlan, [payload('loop')]);
      await seen?.until(3);
      await stop();
      expect(textsOf(seen?.packets ?? []).toSorted()).toEqual(['loop', 'self', 'self6']);
    }),
  ),
);

test.skipIf(!able)('the kernel does not answer that nobody has the port', () =>
  withNetwork('veth', (network) =>
    withRings(network, { address: '::' }, async ({ workers: [seen] }) => {
      const { sender, receiverAddress, receiverAddress6 } = network;
      for (const [packets, address, name] of [
        [2, receiverAddress, 'Icmp OutDestUnreachs'],
        [4, receiverAddress6, 'Icmp6OutDestUnreachs'],
      ] as const) {
        const before = counted(network, name);
        sendPayloads(sender, address, vxlan, [payload('a')]);
        sendPayloads(sender, address, geneve, [payload('b')]);
        await seen?.until(packets);
        expect(counted(network, name)).toBe(before);
        // nobody has this one
        sendPayloads(sender, address, 4790, [payload('c')]);
        expect(counted(network, name)).toBe(before + 1);
      }
    }),
  ),
);

test.skipIf(!able)('a bridge and its port are both read: a packet comes once, a fragmented one too', () =>
  withNetwork('bridge', async (network) => {
    const { receiverPort, receiverInterface, sender, receiverAddress } = network;
    ip(network, `address add 10.97.0.1/24 dev ${receiverPort}`);
    await withRings(network, { workers: 2 }, async ({ set, workers, stop }) => {
      const names = (set.handles[0] ?? []).map(({ interfaceName }) => interfaceName);
      expect(names).toEqual(expect.arrayContaining([receiverPort, receiverInterface]));
      sendPayloads(sender, receiverAddress, vxlan, [payload('whole'), Buffer.alloc(20_000, 'f')]);
      await stop();
      const lengths = workers.flatMap(({ packets }) => packets.map(({ bytes }) => bytes.length));
      expect(lengths.toSorted((a, b) => a - b)).toEqual([33, 20_028]);
    });
  }),
);

test.skipIf(!able)('an address of its own: packets to others of this host do not come', () =>
  withNetwork('veth', async (network) => {
    ip(network, `address add 10.99.0.3/24 dev ${network.receiverInterface}`);
    for (const [address, others] of [
      ['10.99.0.3', [network.receiverAddress, '10.99.0.3']],
      [network.receiverAddress6, ['10.99.0.3', network.receiverAddress6]],
    ] as const) {
      await withRings(network, { address }, async ({ workers: [seen], stop }) => {
        for (const one of others) sendPayloads(network.sender, one, vxlan, [payload(one)]);
        await seen?.until(1);
        await stop();
        expect(textsOf(seen?.packets ?? [])).toEqual([address]);
      });
    }
  }),
);

test.skipIf(!able)('a new address counts after the next look; a new interface is said, once', () =>
  withNetwork('veth', (network) =>
    withRings(network, {}, async ({ set, workers: [seen], stop }) => {
      const { receiver, sender, receiverInterface } = network;
      const look = () => inNamespace(receiver, () => set.refresh());
      const send = (text: string): void => sendPayloads(sender, '10.99.0.4', vxlan, [payload(text)]);
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

test.skipIf(!able)('a frame of 9,000 bytes, and a datagram that came in fragments, come whole', () =>
  withNetwork('veth', (network) =>
    withRings(network, {}, async ({ workers: [seen], stop }) => {
      const { sender, receiverAddress } = network;
      const jumbo = Buffer.alloc(8900 + 50, 'j');
      const fragmented = Buffer.alloc(30_000, 'f');
      sendPayloads(sender, receiverAddress, vxlan, [jumbo, fragmented]);
      await seen?.until(2);
      await stop();
      expect((seen?.packets ?? []).map(({ bytes }) => bytes.length)).toEqual([8978, 30_028]);
      const [first, second] = textsOf(seen?.packets ?? []);
      expect([first, second]).toEqual([jumbo.toString(), fragmented.toString()]);
    }),
  ),
);

test.skipIf(!able)('what finds no room in the ring is counted, each packet', () =>
  withNetwork('veth', (network) =>
    withRings(network, { interface: network.receiverInterface, ringBytes: 524_288 }, async (running) => {
      const { set, workers, stop } = running;
      const [seen] = workers;
      const { sender, receiver } = hostsOf(network);
      const frames = Array.from({ length: 3000 }, () =>
        frame4(sender, receiver, udpDatagram(1, vxlan, Buffer.alloc(1000))),
      );
      // nothing is read meanwhile: this is one turn of the event loop
      sendFrames(network.sender, network.senderInterface, frames);
      const drops = set.kernelDrops();
      expect(drops).toBeGreaterThan(2000);
      await seen?.until(3000 - drops);
      sendFrames(network.sender, network.senderInterface, frames.slice(0, 100));
      await stop();
      expect(seen?.packets.length).toBe(3100 - drops);
      expect(set.kernelDrops()).toBe(drops);
    }),
  ),
);

test.skipIf(!able)('packets go to the worker of their connection, whatever their outer ports', () =>
  withNetwork('veth', (network) =>
    withRings(network, { workers: 3 }, async ({ set, workers, stop }) => {
      expect(set.steering).toBe('inner addresses');
      const { sender, receiver } = hostsOf(network);
      const frames = Array.from({ length: 600 }, (_, i) => {
        const [client, server] = [Uint8Array.of(10, 0, 0, i % 60), Uint8Array.of(10, 1, 0, 1)];
        const ends = i % 120 < 60 ? ([client, server] as const) : ([server, client] as const);
        const inner = frame(
          sender.mac,
          receiver.mac,
          ipv4Packet(...ends, datagram(String(i % 60))),
          EtherType.ipv4,
        );
        const tunnel = Buffer.concat([Buffer.from('0800000000000100', 'hex'), inner]);
        return frame4(sender, receiver, udpDatagram(1000 + i, vxlan, tunnel));
      });
      sendFrames(network.sender, network.senderInterface, frames);
      await stop();
      const byWorker = workers.map(({ packets }) => textsOf(packets).map((text) => text.slice(8 + 14 + 28)));
      expect(byWorker.flat().length).toBe(600);
      for (const texts of byWorker) expect(new Set(texts).size).toBeGreaterThan(5);
      expect(byWorker.flatMap((texts) => [...new Set(texts)]).length).toBe(60);
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
        sendPayloads(network.sender, network.receiverAddress, vxlan, [payload('wake')]);
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
