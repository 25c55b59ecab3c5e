import { constants } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import { family, level, messageFlag, socketOption, socketType } from '../../../src/native/constants.ts';
import {
  MessageVector,
  receiveMessages,
  sendMessages,
  trySendMessages,
} from '../../../src/native/messages.ts';
import { pollIn } from '../../../src/native/poll.ts';
import {
  bindSocket,
  closeDescriptor,
  openSocket,
  setIntOption,
  socketAddress,
} from '../../../src/native/socket.ts';
import { AssertionFailure } from '../../../src/wire/assert.ts';
import { requiresNative, socketAddress4 } from '../../support/native.ts';

const native = await requiresNative();
const open: number[] = [];

function udp(): number {
  const descriptor = openSocket(family.AF_INET, socketType.SOCK_DGRAM, 0);
  open.push(descriptor);
  bindSocket(descriptor, socketAddress4('127.0.0.1', 0));
  setIntOption(descriptor, level.SOL_SOCKET, socketOption.SO_RCVBUF, 4_000_000);
  return descriptor;
}

afterEach(() => {
  for (const descriptor of open.splice(0)) closeDescriptor(descriptor);
});

/** Sends messages of the given lengths, message i filled with i; returns the descriptor they came from. */
function send(to: number, lengths: readonly number[]): number {
  const from = udp();
  const vector = new MessageVector(lengths.length, 2000, 0, 16);
  vector.setDestination(socketAddress(to));
  for (const [i, length] of lengths.entries()) {
    vector.bytes.fill(i, vector.bufferAt(i), vector.bufferAt(i) + length);
    vector.setLength(i, length);
  }
  let sent = 0;
  while (sent < lengths.length) sent += sendMessages(from, vector, sent, lengths.length - sent);
  return from;
}

test.skipIf(!native)('messages keep order, bytes and sender, and leave the room around them alone', () => {
  const lengths = [0, 1, 7, 8, 9, 100, 1999, 2000];
  const to = udp();
  const from = send(to, lengths);
  const vector = new MessageVector(16, 2000, 0, 28, 13);
  vector.bytes.fill(0xa5, vector.bufferAt(0) - 13);
  expect(receiveMessages(to, vector)).toBe(lengths.length);
  const sender = socketAddress(from);
  for (const [i, length] of lengths.entries()) {
    const at = vector.bufferAt(i);
    expect([vector.length(i), vector.flags(i), vector.controlLength(i)]).toEqual([length, 0, 0]);
    expect(vector.bytes.subarray(at, at + length)).toEqual(Buffer.alloc(length, i));
    expect(vector.bytes.subarray(at - 13, at)).toEqual(Buffer.alloc(13, 0xa5));
    expect(vector.bytes.subarray(at + length, at + 2000)).toEqual(Buffer.alloc(2000 - length, 0xa5));
    expect(vector.bytes.subarray(vector.nameAt(i), vector.nameAt(i) + vector.nameLength(i))).toEqual(sender);
    expect(vector.view.getUint16(vector.nameAt(i), true)).toBe(family.AF_INET);
  }
});

test.skipIf(!native)('nothing there is 0, and what is more than the vector waits', () => {
  const to = udp();
  const vector = new MessageVector(3, 10, 0, 0);
  expect(receiveMessages(to, vector)).toBe(0);
  send(to, [1, 2, 3, 4, 5]);
  expect([receiveMessages(to, vector), vector.length(2), vector.nameLength(0)]).toEqual([3, 3, 0]);
  expect([receiveMessages(to, vector), vector.length(1)]).toEqual([2, 5]);
  expect(receiveMessages(to, vector)).toBe(0);
});

test.skipIf(!native)('a message that is too long is cut, and flagged', () => {
  const to = udp();
  send(to, [11, 10]);
  const vector = new MessageVector(2, 10, 0, 0);
  expect(receiveMessages(to, vector)).toBe(2);
  expect([vector.length(0), vector.flags(0)]).toEqual([10, messageFlag.MSG_TRUNC]);
  expect([vector.length(1), vector.flags(1)]).toEqual([10, 0]);
});

test.skipIf(!native)('control messages have their room in every call', () => {
  const to = udp();
  setIntOption(to, level.SOL_SOCKET, socketOption.SO_TIMESTAMPNS, 1);
  const vector = new MessageVector(4, 10, 32, 16);
  for (const count of [1, 4, 2, 4]) {
    const before = Math.floor(Date.now() / 1000) - 1;
    send(to, new Array<number>(count).fill(5));
    expect(pollIn([to], 1000)).toBe(1);
    expect(receiveMessages(to, vector)).toBe(count);
    for (let i = 0; i < count; i++) {
      const at = vector.controlAt(i);
      expect([vector.controlLength(i), vector.flags(i), vector.nameLength(i)]).toEqual([32, 0, 16]);
      expect(vector.view.getInt32(at + 8, true)).toBe(level.SOL_SOCKET);
      expect(vector.view.getInt32(at + 12, true)).toBe(socketOption.SO_TIMESTAMPNS);
      expect(Number(vector.view.getBigInt64(at + 16, true))).toBeGreaterThanOrEqual(before);
    }
  }
});

test.skipIf(!native)('a message without controls or name takes no room from the next', () => {
  const to = openSocket(family.AF_UNIX, socketType.SOCK_DGRAM, 0);
  const [unnamed, named] = [0, 0].map(() => openSocket(family.AF_UNIX, socketType.SOCK_DGRAM, 0));
  open.push(to, unnamed!, named!);
  for (const one of [to, named!]) bindSocket(one, Buffer.from([family.AF_UNIX, 0]));
  const message = new MessageVector(2, 8, 0, 110);
  message.setDestination(socketAddress(to));
  const received = new MessageVector(2, 8, 64, 110);
  const lengths = (): number[][] =>
    [0, 1].map((i) => [received.nameLength(i), received.controlLength(i), received.flags(i)]);

  sendMessages(unnamed!, message, 0, 2);
  expect(receiveMessages(to, received)).toBe(2);
  expect(lengths()).toEqual([
    [0, 0, 0],
    [0, 0, 0],
  ]);
  setIntOption(to, level.SOL_SOCKET, socketOption.SO_TIMESTAMPNS, 1);
  sendMessages(named!, message, 0, 2);
  expect(receiveMessages(to, received)).toBe(2);
  const name = socketAddress(named!);
  for (const i of [0, 1]) {
    expect(lengths()[i]).toEqual([name.length, 32, 0]);
    const at = received.nameAt(i);
    expect(received.bytes.subarray(at, at + name.length)).toEqual(name);
  }
});

test.skipIf(!native)('a part of a vector is sent', () => {
  const [to, from] = [udp(), udp()];
  const vector = new MessageVector(6, 10, 0, 16);
  vector.setDestination(socketAddress(to));
  for (let i = 0; i < 6; i++) vector.setLength(i, i);
  expect(sendMessages(from, vector, 2, 3)).toBe(3);
  const received = new MessageVector(6, 10, 0, 0);
  expect(receiveMessages(to, received)).toBe(3);
  expect([received.length(0), received.length(1), received.length(2)]).toEqual([2, 3, 4]);
});

test.skipIf(!native)('a full device or buffer takes fewer, and then none', () => {
  const sender = openSocket(family.AF_UNIX, socketType.SOCK_DGRAM, 0);
  const receiver = openSocket(family.AF_UNIX, socketType.SOCK_DGRAM, 0);
  open.push(sender, receiver);
  // two bytes alone: the kernel chooses an address that only it knows
  bindSocket(receiver, Buffer.from([family.AF_UNIX, 0]));
  const vector = new MessageVector(1000, 10, 0, 16);
  vector.setDestination(socketAddress(receiver));
  const taken = sendMessages(sender, vector, 0, 1000);
  expect(taken).toBeGreaterThan(0);
  expect(taken).toBeLessThan(1000);
  expect(sendMessages(sender, vector, taken, 1000 - taken)).toBe(0);
});

test.skipIf(!native)('a vector lives through collections of everything else', () => {
  const to = udp();
  const lengths = Array.from({ length: 64 }, (_, i) => i);
  const vectors = Array.from({ length: 8 }, () => new MessageVector(64, 2000, 64, 28));
  for (const vector of vectors) {
    // rubbish for the collector to move things for
    for (let i = 0; i < 200; i++) Buffer.alloc(100_000, i);
    send(to, lengths);
    expect(receiveMessages(to, vector)).toBe(64);
  }
  for (const vector of vectors) expect(lengths.map((_, i) => vector.length(i))).toEqual(lengths);
});

test.skipIf(!native)('what the kernel refuses is said', () => {
  const vector = new MessageVector(1, 10, 0, 16);
  const unknown = 0x7fff_fff0;
  expect(() => receiveMessages(unknown, vector)).toThrow(
    expect.objectContaining({ code: 'SYSTEM_CALL_FAILED', context: { call: 'recvmmsg', errno: 'EBADF' } }),
  );
  expect(() => sendMessages(unknown, vector, 0, 1)).toThrow(
    expect.objectContaining({ code: 'SYSTEM_CALL_FAILED', context: { call: 'sendmmsg', errno: 'EBADF' } }),
  );
});

test.skipIf(!native)('what is outside of a vector is our mistake', () => {
  const vector = new MessageVector(2, 10, 0, 16);
  expect(() => vector.setLength(0, 11)).toThrow(AssertionFailure);
  expect(() => vector.setDestination(Buffer.alloc(17))).toThrow(AssertionFailure);
  expect(() => sendMessages(0, vector, 1, 2)).toThrow(AssertionFailure);
});

test.skipIf(!native)('who expects refusals is told the number of the error', () => {
  const closed = udp();
  closeDescriptor(closed);
  open.splice(open.indexOf(closed), 1);
  const vector = new MessageVector(1, 10, 0, 0);
  expect(trySendMessages(closed, vector, 0, 1)).toBe(-constants.errno.EBADF);
  expect(() => sendMessages(closed, vector, 0, 1)).toThrow(
    expect.objectContaining({ code: 'SYSTEM_CALL_FAILED' }),
  );
});
