import { afterEach, expect, test } from 'vitest';
import { family, level, socketOption, socketType } from '../../../src/native/constants.ts';
import * as socket from '../../../src/native/socket.ts';
import { requiresNative, socketAddress4 } from '../../support/native.ts';
import { requiresRoot } from '../../support/requires.ts';

const native = await requiresNative();
const open: number[] = [];

function udp(): number {
  const descriptor = socket.openSocket(family.AF_INET, socketType.SOCK_DGRAM, 0);
  open.push(descriptor);
  return descriptor;
}

function bound(address = '127.0.0.1', port = 0): { descriptor: number; port: number } {
  const descriptor = udp();
  socket.bindSocket(descriptor, socketAddress4(address, port));
  return { descriptor, port: socket.socketAddress(descriptor).readUInt16BE(2) };
}

afterEach(() => {
  for (const descriptor of open.splice(0)) socket.closeDescriptor(descriptor);
});

test.skipIf(!native)('a bound socket has the address it was given, and a port', () => {
  const { descriptor, port } = bound('127.0.0.9');
  const address = socket.socketAddress(descriptor);
  expect(port).toBeGreaterThan(0);
  expect(address).toEqual(socketAddress4('127.0.0.9', port));
});

test.skipIf(!native)('options are set and read back', () => {
  const { descriptor } = bound();
  socket.setIntOption(descriptor, level.SOL_SOCKET, socketOption.SO_RCVBUF, 100_000);
  // the kernel doubles it
  expect(socket.getIntOption(descriptor, level.SOL_SOCKET, socketOption.SO_RCVBUF)).toBe(200_000);
  expect(socket.getIntOption(descriptor, level.SOL_SOCKET, socketOption.SO_DOMAIN)).toBe(family.AF_INET);
  const memory = Buffer.alloc(100, 0xa5);
  const bytes = socket.getOption(descriptor, level.SOL_SOCKET, socketOption.SO_MEMINFO, memory);
  expect(bytes).toBe(36);
  expect(memory.readUInt32LE(4)).toBe(200_000);
  expect(memory.subarray(bytes).every((byte) => byte === 0xa5)).toBe(true);
});

test.skipIf(!native)('a number with its top bit set is taken unsigned too', () => {
  const descriptor = udp();
  socket.setIntOption(descriptor, level.SOL_SOCKET, 36 /* SO_MARK */, 0x8000_0001);
  expect(socket.getIntOption(descriptor, level.SOL_SOCKET, 36)).toBe(0x8000_0001 | 0);
});

const instructions = [
  { name: 'no instruction', program: Buffer.alloc(0), errno: 'EINVAL' },
  { name: 'one that returns', program: Buffer.from('0600000000000000', 'hex') },
  { name: 'one that does not', program: Buffer.from('0000000000000000', 'hex'), errno: 'EINVAL' },
];

test.skipIf(!native).each(instructions)('a program of $name', ({ program, errno }) => {
  const { descriptor } = bound();
  const attach = (): void =>
    socket.attachProgram(descriptor, level.SOL_SOCKET, socketOption.SO_ATTACH_FILTER, program);
  if (errno === undefined) expect(attach).not.toThrow();
  else
    expect(attach).toThrow(
      expect.objectContaining({ context: { call: 'setsockopt', errno, what: 'SO_ATTACH_FILTER' } }),
    );
});

test.skipIf(!native)('a program that drops lets nothing through', async () => {
  const { pollIn } = await import('../../../src/native/poll.ts');
  const { MessageVector, sendMessages } = await import('../../../src/native/messages.ts');
  const { descriptor, port } = bound();
  const message = new MessageVector(1, 8, 0, 16);
  message.setDestination(socketAddress4('127.0.0.1', port));
  sendMessages(udp(), message, 0, 1);
  expect(pollIn([descriptor], 1000)).toBe(1);
  const { descriptor: filtered, port: filteredPort } = bound();
  const drop = Buffer.from('0600000000000000', 'hex');
  socket.attachProgram(filtered, level.SOL_SOCKET, socketOption.SO_ATTACH_FILTER, drop);
  message.setDestination(socketAddress4('127.0.0.1', filteredPort));
  sendMessages(udp(), message, 0, 1);
  expect(pollIn([filtered], 0)).toBe(0);
});

const refusals = [
  {
    name: 'a port that is taken',
    make: () => bound('127.0.0.1', bound().port),
    context: { call: 'bind', errno: 'EADDRINUSE', what: expect.stringMatching(/^AF_INET port \d+$/) },
  },
  {
    name: 'an address of another machine',
    make: () => bound('192.0.2.1'),
    context: { call: 'bind', errno: 'EADDRNOTAVAIL', what: 'AF_INET port 0' },
  },
  {
    name: 'a family that there is not',
    make: () => socket.openSocket(99, socketType.SOCK_DGRAM, 0),
    context: { call: 'socket', errno: 'EAFNOSUPPORT', what: 'family 99' },
  },
  {
    name: 'an option of another level',
    make: () => socket.setIntOption(bound().descriptor, level.SOL_PACKET, 5, 1),
    context: { call: 'setsockopt', errno: 'ENOPROTOOPT', what: 'PACKET_RX_RING' },
  },
  {
    name: 'a descriptor that is no socket',
    make: () => socket.socketAddress(0x7fff_ffff),
    context: { call: 'getsockname', errno: 'EBADF' },
  },
];

test.skipIf(!native).each(refusals)('$name is refused, and said', ({ make, context }) => {
  expect(make).toThrow(expect.objectContaining({ code: 'SYSTEM_CALL_FAILED', context }));
});

test.skipIf(!native || !requiresRoot())('a packet socket can be opened by root', () => {
  const descriptor = socket.openSocket(family.AF_PACKET, socketType.SOCK_DGRAM, 0);
  open.push(descriptor);
  expect(socket.getIntOption(descriptor, level.SOL_SOCKET, socketOption.SO_DOMAIN)).toBe(family.AF_PACKET);
});
