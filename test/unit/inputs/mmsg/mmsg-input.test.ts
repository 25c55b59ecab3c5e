import type { Socket } from 'node:dgram';
import { array, assert, asyncProperty, constantFrom, integer, oneof, record } from 'fast-check';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { DgramInput } from '../../../../src/inputs/dgram.ts';
import type { IntakeSet } from '../../../../src/inputs/intake-set.ts';
import { MmsgInput } from '../../../../src/inputs/mmsg/mmsg-input.ts';
import { openSockets } from '../../../../src/inputs/mmsg/open-sockets.ts';
import type { SocketHandle } from '../../../../src/inputs/mmsg/socket-handle.ts';
import { loadNative } from '../../../../src/native/library.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { Collector, type Delivered, senderOn, sendTo } from '../../../support/socket-traffic.ts';

const now = (): number => performance.timeOrigin + performance.now();
const cleanups: (() => unknown)[] = [];

beforeAll(async () => expect(await loadNative()).toBeUndefined());

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function openSet(address: string, receiveBufferBytes = 8_388_608): Promise<IntakeSet<SocketHandle>> {
  const set = await openSockets({
    workers: 1,
    address,
    vxlanPorts: [0],
    genevePorts: [],
    receiveBufferBytes,
    steering: 'flow',
  });
  cleanups.push(() => set.close());
  return set;
}

async function openInput(set: IntakeSet<SocketHandle>): Promise<MmsgInput> {
  const input = new MmsgInput({ sockets: set.handles[0]!, now });
  await input.open();
  cleanups.push(() => input.close());
  return input;
}

async function sender(address: string): Promise<Socket> {
  const socket = await senderOn(address);
  cleanups.push(() => socket.close());
  return socket;
}

/** All of a packet but its destination port and time. */
function comparable({ bytes, wireLen, linkType }: Delivered): object {
  const copy = Buffer.from(bytes);
  const udpAt = copy[0] === 0x45 ? 20 : 40;
  copy.writeUInt16BE(0, udpAt + 2);
  return { bytes: copy.toString('hex'), wireLen, linkType };
}

test('one datagram comes as an IP packet with the time of the kernel', async () => {
  const set = await openSet('127.0.0.1');
  const input = await openInput(set);
  const got = new Collector(input);
  const from = await sender('127.0.0.1');
  const beforeNs = BigInt(Date.now()) * 1_000_000n;
  await sendTo(from, 'hello', set.handles[0]![0]!.port, '127.0.0.1');
  const afterNs = BigInt(Date.now() + 1) * 1_000_000n;
  await got.until(1);
  const [packet] = got.packets;
  expect(packet?.bytes.toString('latin1', 28)).toBe('hello');
  expect(packet).toMatchObject({ linkType: LinkType.raw, wireLen: 33 });
  expect(packet?.timeNs).toBeGreaterThanOrEqual(beforeNs);
  expect(packet?.timeNs).toBeLessThanOrEqual(afterNs);
});

test('the packets are those that sockets of Node give for the same datagrams', async () => {
  const set = await openSet('::');
  const fast = await openInput(set);
  const slow = new DgramInput({ worker: 0, address: '::', ports: [0], receiveBufferBytes: 8_388_608, now });
  await slow.open();
  cleanups.push(() => slow.close());
  const ports = [set.handles[0]![0]!.port, slow.bound()[0]!.port];
  const fastGot = new Collector(fast);
  const slowGot = new Collector(slow);
  const senders = new Map<string, Socket>();
  for (const address of ['127.0.0.1', '127.1.2.3', '::1']) senders.set(address, await sender(address));
  const datagram = record({
    from: constantFrom(...senders.keys()),
    length: oneof(integer({ min: 0, max: 2000 }), integer({ min: 0, max: 65_507 }), constantFrom(0, 65_507)),
  });
  await assert(
    asyncProperty(array(datagram, { minLength: 1, maxLength: 40 }), async (datagrams) => {
      fastGot.packets.length = 0;
      slowGot.packets.length = 0;
      for (const [index, { from, length }] of datagrams.entries()) {
        const payload = Buffer.alloc(length, index + 1);
        for (const port of ports)
          await sendTo(senders.get(from)!, payload, port, from.includes(':') ? from : '127.0.0.1');
      }
      await Promise.all([fastGot.until(datagrams.length), slowGot.until(datagrams.length)]);
      expect(fastGot.packets.map(comparable)).toEqual(slowGot.packets.map(comparable));
    }),
    { numRuns: 40 },
  );
});
