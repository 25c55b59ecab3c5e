import type { Socket } from 'node:dgram';
import { array, assert, asyncProperty, constantFrom, integer, oneof, record } from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { listenAddress } from '../../../../src/inputs/listen-address.ts';
import { MmsgInput } from '../../../../src/inputs/mmsg/mmsg-input.ts';
import { SOCKET_ADDRESS_MAX_LEN } from '../../../../src/inputs/socket-address.ts';
import { family, socketType } from '../../../../src/native/constants.ts';
import { MessageVector, sendMessages } from '../../../../src/native/messages.ts';
import { closeDescriptor, openSocket } from '../../../../src/native/socket.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { now, openDgram, openTestInput, openTestSockets, portOf } from '../../../support/mmsg-sockets.ts';
import { requiresNative } from '../../../support/native.ts';
import { Collector, type Delivered, senderOn, sendTo } from '../../../support/socket-traffic.ts';

const LOOPBACK = '127.0.0.1';
const native = await requiresNative();
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function cleaned<Thing extends { close(): unknown }>(thing: Thing): Thing {
  cleanups.push(() => thing.close());
  return thing;
}

async function sender(address = LOOPBACK): Promise<Socket> {
  return cleaned(await senderOn(address));
}

function payloadsOf(packets: readonly Delivered[]): string[] {
  return packets.map(({ bytes }) => bytes.toString('latin1', 28));
}

/** All of a packet but its destination port and time. */
function comparable({ bytes, wireLen, linkType }: Delivered): object {
  const copy = Buffer.from(bytes);
  const udpAt = copy[0] === 0x45 ? 20 : 40;
  copy.writeUInt16BE(0, udpAt + 2);
  return { bytes: copy.toString('hex'), wireLen, linkType };
}

describe.skipIf(!native)('sockets that are read with recvmmsg', () => {
  test('the packets are those that sockets of Node give for the same datagrams', async () => {
    const set = cleaned(await openTestSockets({ address: '::' }));
    const fast = new Collector(cleaned(await openTestInput(set)));
    const dgram = await openDgram('::');
    const slow = new Collector(cleaned(dgram.input));
    const senders = new Map<string, Socket>();
    // one of them is link-local to nothing, two are seen as IPv4-mapped by the sockets
    for (const address of [LOOPBACK, '127.1.2.3', '::1']) senders.set(address, await sender(address));
    const datagram = record({
      from: constantFrom(...senders.keys()),
      length: oneof(
        integer({ min: 0, max: 2000 }),
        integer({ min: 0, max: 65_507 }),
        constantFrom(0, 65_507),
      ),
    });
    await assert(
      asyncProperty(array(datagram, { minLength: 1, maxLength: 40 }), async (datagrams) => {
        fast.packets.length = 0;
        slow.packets.length = 0;
        for (const [index, { from, length }] of datagrams.entries()) {
          const payload = Buffer.alloc(length, index + 1);
          const to = from === '::1' ? from : LOOPBACK;
          for (const port of [portOf(set), dgram.port]) await sendTo(senders.get(from)!, payload, port, to);
        }
        await Promise.all([fast.until(datagrams.length), slow.until(datagrams.length)]);
        expect(fast.packets.map(comparable)).toEqual(slow.packets.map(comparable));
      }),
      { numRuns: 50 },
    );
  });

  test('packets have the time at which the kernel took them, not that at which they were read', async () => {
    const set = cleaned(await openTestSockets());
    const from = await sender();
    const beforeMs = Date.now();
    for (let number = 0; number < 300; number++) await sendTo(from, String(number), portOf(set), LOOPBACK);
    const afterMs = Date.now();
    while (Date.now() < afterMs + 20) await new Promise(setImmediate);
    const got = new Collector(cleaned(await openTestInput(set)));
    await got.until(300);
    const times = got.packets.map(({ timeNs }) => timeNs);
    expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(new Set(times).size).toBeGreaterThan(1);
    expect(Number(times[0]! / 1_000_000n)).toBeGreaterThanOrEqual(beforeMs);
    expect(Number(times.at(-1)! / 1_000_000n)).toBeLessThanOrEqual(afterMs + 1);
    expect(got.packets[0]).toMatchObject({ linkType: LinkType.raw, wireLen: 29 });
  });

  test('several sockets share what one turn delivers, in order each', async () => {
    const set = cleaned(await openTestSockets({ vxlanPorts: [0, 0], genevePorts: [0] }));
    const ports = set.bound().map(({ port }) => port);
    const from = await sender();
    for (let number = 0; number < 900; number++) {
      await sendTo(from, String(number), ports[number % 3]!, LOOPBACK);
    }
    const got = new Collector(cleaned(await openTestInput(set)));
    await got.until(900);
    for (const [index, port] of ports.entries()) {
      const ofPort = got.packets.filter(({ bytes }) => bytes.readUInt16BE(22) === port);
      const expected = Array.from({ length: 300 }, (_, number) => String(3 * number + index));
      expect(payloadsOf(ofPort)).toEqual(expected);
    }
    // a socket with much to read does not keep the others from their turn
    expect(got.batchSizes[0]).toBeLessThanOrEqual(3 * 256);
    expect(new Set(got.packets.slice(0, 600).map(({ bytes }) => bytes.readUInt16BE(22))).size).toBe(3);
  });

  test('all that the kernel holds when it is closed is delivered', async () => {
    const set = cleaned(await openTestSockets());
    const input = await openTestInput(set);
    const got = new Collector(input);
    const from = await sender();
    for (let number = 0; number < 400; number++) await sendTo(from, String(number), portOf(set), LOOPBACK);
    await input.close();
    await got.ended;
    expect(payloadsOf(got.packets)).toEqual(Array.from({ length: 400 }, (_, number) => String(number)));
  });

  test('a sender that never stops does not keep it from closing', async () => {
    const set = cleaned(await openTestSockets());
    const descriptor = openSocket(family.AF_INET, socketType.SOCK_DGRAM, 0);
    cleanups.push(() => closeDescriptor(descriptor));
    const datagram = new MessageVector(1, 100, 0, SOCKET_ADDRESS_MAX_LEN);
    datagram.setDestination(listenAddress(LOOPBACK, portOf(set)));
    const sendOne = (): void => expect(sendMessages(descriptor, datagram, 0, 1)).toBe(1);
    let clockMs = 0;
    let batches = 0;
    const input = new MmsgInput({ sockets: set.handles[0]!, now: () => (clockMs += 10) });
    await input.open();
    const ended = input.run(() => {
      batches++;
      if (batches < 10_000) sendOne();
      return Promise.resolve();
    });
    sendOne();
    await input.close();
    await expect(ended).resolves.toBeUndefined();
    expect(clockMs).toBeGreaterThanOrEqual(1000);
    expect(batches).toBeLessThan(1000);
  });

  test('another input on the same sockets goes on where the last one ended', async () => {
    const set = cleaned(await openTestSockets());
    const from = await sender();
    const first = await openTestInput(set);
    const gotFirst = new Collector(first);
    await sendTo(from, 'first', portOf(set), LOOPBACK);
    await gotFirst.until(1);
    await first.close();
    await gotFirst.ended;
    await sendTo(from, 'meanwhile', portOf(set), LOOPBACK);
    const second = new Collector(cleaned(await openTestInput(set)));
    await sendTo(from, 'second', portOf(set), LOOPBACK);
    await second.until(2);
    expect([...payloadsOf(gotFirst.packets), ...payloadsOf(second.packets)]).toEqual([
      'first',
      'meanwhile',
      'second',
    ]);
  });

  test('a socket that is gone ends the run with what the system says, after what was read before', async () => {
    const set = await openTestSockets({ vxlanPorts: [0, 0] });
    const [whole, broken] = set.handles[0]!;
    const from = await sender();
    await sendTo(from, 'kept', whole!.port, LOOPBACK);
    closeDescriptor(broken!.descriptor);
    // the number of the closed descriptor may go to another file: any number that is open nowhere does here
    const sockets = [whole!, { ...broken!, descriptor: 99_999 }];
    const input = new MmsgInput({ sockets, now });
    await input.open();
    const got = new Collector(input);
    await expect(got.ended).rejects.toMatchObject({
      code: 'SYSTEM_CALL_FAILED',
      context: { call: 'recvmmsg', errno: 'EBADF' },
    });
    expect(payloadsOf(got.packets)).toEqual(['kept']);
    closeDescriptor(whole!.descriptor);
  });

  test('it looks when it is time, and at once where there may be more', async () => {
    const set = cleaned(await openTestSockets());
    const from = await sender();
    const messages = await import('../../../../src/native/messages.ts');
    const looks = vi.spyOn(messages, 'receiveMessages');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'] });
    const looksIn = (ms: number): number => {
      looks.mockClear();
      vi.advanceTimersByTime(ms);
      return looks.mock.calls.length;
    };
    try {
      const input = await openTestInput(set);
      const got = new Collector(input);
      expect(looksIn(2000)).toBeGreaterThan(100);
      expect(looksIn(1000)).toBeLessThanOrEqual(125);
      for (let number = 0; number < 500; number++) {
        await sendTo(from, String(number), portOf(set), LOOPBACK);
      }
      // four calls of 64, and the rest in a turn that waits for no timer
      expect(looksIn(25)).toBeGreaterThanOrEqual(8);
      expect(got.packets).toHaveLength(500);
      expect(got.batchSizes.slice(0, 2)).toEqual([256, 244]);
      await input.close();
      await got.ended;
      expect(looksIn(1000)).toBe(0);
    } finally {
      vi.useRealTimers();
      vi.restoreAllMocks();
    }
  });
});
