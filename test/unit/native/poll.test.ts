import { afterEach, expect, test } from 'vitest';
import { family, socketType } from '../../../src/native/constants.ts';
import { MessageVector, sendMessages } from '../../../src/native/messages.ts';
import { pollIn } from '../../../src/native/poll.ts';
import { bindSocket, closeDescriptor, openSocket, socketAddress } from '../../../src/native/socket.ts';
import { requiresNative, socketAddress4 } from '../../support/native.ts';

const native = await requiresNative();
const open: number[] = [];

function udp(): number {
  const descriptor = openSocket(family.AF_INET, socketType.SOCK_DGRAM, 0);
  open.push(descriptor);
  bindSocket(descriptor, socketAddress4('127.0.0.1', 0));
  return descriptor;
}

function send(to: number): void {
  const message = new MessageVector(1, 8, 0, 16);
  message.setDestination(socketAddress(to));
  sendMessages(udp(), message, 0, 1);
}

afterEach(() => {
  for (const descriptor of open.splice(0)) closeDescriptor(descriptor);
});

test.skipIf(!native)('it tells how many can be read, however many there are', () => {
  const all = Array.from({ length: 20 }, udp);
  expect(pollIn(all, 0)).toBe(0);
  expect(pollIn([], 0)).toBe(0);
  for (const descriptor of all.slice(5, 8)) send(descriptor);
  expect(pollIn(all, 1000)).toBe(3);
  expect(pollIn(all.slice(7), 1000)).toBe(1);
  expect(pollIn(all.slice(8), 0)).toBe(0);
});

test.skipIf(!native)('it waits no less than it was told', () => {
  const from = performance.now();
  expect(pollIn([udp()], 30)).toBe(0);
  expect(performance.now() - from).toBeGreaterThan(29);
});

test.skipIf(!native)('a descriptor that was closed is an error, as it would be ready for ever', () => {
  const descriptor = udp();
  closeDescriptor(descriptor);
  open.splice(open.indexOf(descriptor), 1);
  expect(() => pollIn([udp(), 0x7fff_fff0], 0)).toThrow(
    expect.objectContaining({ context: { call: 'poll', errno: 'EBADF' } }),
  );
});
