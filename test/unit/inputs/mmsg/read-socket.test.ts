import { expect, test } from 'vitest';
import { type DatagramReader, MESSAGES } from '../../../../src/inputs/mmsg/datagram-reader.ts';
import { ReadSocket } from '../../../../src/inputs/mmsg/read-socket.ts';
import { MirrorError } from '../../../../src/observe/error.ts';

const SECOND_MS = 1000;
const socket = {
  descriptor: 3,
  port: 4789,
  worker: 0,
  receiveBufferBytes: 65_536,
  state: new SharedArrayBuffer(4),
};

function refused(errno: string): MirrorError {
  return new MirrorError('SYSTEM_CALL_FAILED', 'refused', { call: 'recvmmsg', errno });
}

/** A reader whose calls end so, one after the other; then there is nothing more. */
function readerOf(...outcomes: (number | Error)[]): DatagramReader {
  const read = (): number => {
    const outcome = outcomes.shift() ?? 0;
    if (typeof outcome === 'number') return outcome;
    throw outcome;
  };
  return { read } as unknown as DatagramReader;
}

test.each([
  { name: 'nothing is there', calls: [0], read: 0, hasMore: false },
  { name: 'some are there', calls: [5, 7], read: 5, hasMore: false },
  { name: 'a call takes all it can', calls: [MESSAGES, 7], read: MESSAGES + 7, hasMore: false },
  { name: 'there is no end', calls: [MESSAGES, MESSAGES, MESSAGES], read: 2 * MESSAGES, hasMore: true },
])('$name: it reads until a call is not full, and at most the calls it may', ({ calls, read, hasMore }) => {
  const readSocket = new ReadSocket(socket);
  expect(readSocket.read(readerOf(...calls), 2, () => 0)).toBe(read);
  expect(readSocket.hasMore).toBe(hasMore);
});

test.each(['ECONNREFUSED', 'ENETDOWN', 'ENOMEM', 'EHOSTUNREACH'])(
  '%s once is an error that was kept for the socket: the next call brings its datagrams',
  (errno) => {
    const readSocket = new ReadSocket(socket);
    const reader = readerOf(refused(errno), 3);
    expect(readSocket.read(reader, 4, () => 0)).toBe(0);
    expect(readSocket.read(reader, 4, () => 0)).toBe(3);
  },
);

test('a socket that fails for seconds on end is given up, and the time begins anew with each datagram', () => {
  const readSocket = new ReadSocket(socket);
  const fail = (atMs: number): number => readSocket.read(readerOf(refused('ENETDOWN')), 1, () => atMs);
  expect(fail(0)).toBe(0);
  expect(fail(4 * SECOND_MS)).toBe(0);
  expect(readSocket.read(readerOf(1), 1, () => 5 * SECOND_MS)).toBe(1);
  expect(fail(6 * SECOND_MS)).toBe(0);
  expect(fail(10 * SECOND_MS)).toBe(0);
  expect(() => fail(12 * SECOND_MS)).toThrow(MirrorError);
});

test.each([refused('EBADF'), refused('ENOTSOCK'), new Error('our own mistake')])(
  'what cannot end by itself is told at once: $message $context.errno',
  (error) => {
    expect(() => new ReadSocket(socket).read(readerOf(error), 4, () => 0)).toThrow(error);
  },
);
