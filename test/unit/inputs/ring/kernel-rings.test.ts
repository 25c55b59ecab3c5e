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
import { LinkType } from '../../../../src/packet/link-type.ts';
import { EtherType } from '../../../../src/wire/ether-type.ts';
import { IpProtocol } from '../../../../src/wire/ip-protocol.ts';
import { hostsOf, sendFrames, sendPayloads } from '../../../support/cable.ts';
import {
  counted,
  datagram,
  geneve,
  ip,
  requiresRings,
  textsOf,
  vxlan,
  withRings,
} from '../../../support/kernel-rings.ts';
import { type NetworkKind, requiresVlan, VLAN_ID, withNetwork } from '../../../support/namespaces.ts';

const able = await requiresRings();
const kinds: readonly NetworkKind[] = requiresVlan() ? ['veth', 'bridge', 'vlan'] : ['veth', 'bridge'];

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
      sendPayloads(receiver, senderAddress, vxlan, [Buffer.from('out')]);
      sendPayloads(receiver, receiverAddress, vxlan, [Buffer.from('self')]);
      sendPayloads(receiver, receiverAddress6, vxlan, [Buffer.from('self6')]);
      sendPayloads(receiver, '127.0.0.5', vxlan, [Buffer.from('loop')]);
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
        sendPayloads(sender, address, vxlan, [Buffer.from('a')]);
        sendPayloads(sender, address, geneve, [Buffer.from('b')]);
        await seen?.until(packets);
        expect(counted(network, name)).toBe(before);
        // nobody has this one
        sendPayloads(sender, address, 4790, [Buffer.from('c')]);
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
      sendPayloads(sender, receiverAddress, vxlan, [Buffer.from('whole'), Buffer.alloc(20_000, 'f')]);
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
        for (const one of others) sendPayloads(network.sender, one, vxlan, [Buffer.from(one)]);
        await seen?.until(1);
        await stop();
        expect(textsOf(seen?.packets ?? [])).toEqual([address]);
      });
    }
  }),
);

test.skipIf(!able)('an interface that was down for a while is read as before, each flow by its worker', () =>
  withNetwork('veth', (network) =>
    withRings(network, { workers: 4, interface: network.receiverInterface }, async ({ workers, stop }) => {
      const { sender, receiver } = hostsOf(network);
      const frames = Array.from({ length: 64 }, (_, i) => {
        const inner = frame4({ ...sender, ipv4: Uint8Array.of(10, 0, 0, i) }, receiver, datagram('inner'));
        const tunnel = Buffer.concat([Buffer.from('0800000000000100', 'hex'), inner]);
        return frame4(sender, receiver, udpDatagram(1, vxlan, tunnel));
      });
      sendFrames(network.sender, network.senderInterface, frames);
      ip(network, `link set ${network.receiverInterface} down`);
      ip(network, `link set ${network.receiverInterface} up`);
      sendFrames(network.sender, network.senderInterface, frames);
      await stop();
      const flows = workers.map(({ packets }) => packets.map(({ bytes }) => bytes[28 + 8 + 14 + 15] ?? -1));
      expect(flows.flat().length).toBe(128);
      expect(flows.flatMap((some) => [...new Set(some)]).length).toBe(64);
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
