import { constants } from 'node:os';
import { assert } from '../wire/assert.ts';
import { messageFlag } from './constants.ts';
import { systemCallFailed } from './failure.ts';
import { systemCalls } from './library.ts';
import type { MessageVector } from './message-vector.ts';

export { MessageVector } from './message-vector.ts';

const { EAGAIN, EINTR, ENOBUFS } = constants.errno;

/** Headers of messages to send. */
type Sendable = Pick<MessageVector, 'messages' | 'headerAddress'>;

/**
 * Takes what has arrived, as many messages as the vector has room for, without waiting. Allocates nothing.
 *
 * @returns messages 0 .. n - 1 of the vector are new; 0: nothing is there
 * @throws MirrorError `SYSTEM_CALL_FAILED`
 */
export function receiveMessages(descriptor: number, vector: MessageVector): number {
  const calls = systemCalls();
  vector.reset();
  for (;;) {
    const count = calls.recvmmsg(
      descriptor,
      vector.headerAddress(0),
      vector.messages,
      messageFlag.MSG_DONTWAIT,
      null,
    );
    if (count >= 0) {
      vector.used(count);
      return count;
    }
    const errno = calls.errno();
    if (errno === EAGAIN) return 0;
    if (errno !== EINTR) throw systemCallFailed('recvmmsg', errno);
  }
}

/**
 * Sends messages `from .. from + count - 1` of the vector, in order, without waiting.
 *
 * @returns how many the kernel took; 0 where the socket's buffer or the device's queue is full
 * @throws MirrorError `SYSTEM_CALL_FAILED` for the first message; one that fails later ends the call before it
 */
export function sendMessages(descriptor: number, vector: Sendable, from: number, count: number): number {
  const sent = trySendMessages(descriptor, vector, from, count);
  if (sent < 0) throw systemCallFailed('sendmmsg', -sent);
  return sent;
}

/**
 * The same for who expects refusals and knows what to do about each: nothing is made for them.
 *
 * @returns as `sendMessages`; where that throws, the error number, negative
 */
export function trySendMessages(descriptor: number, vector: Sendable, from: number, count: number): number {
  assert(from >= 0 && from + count <= vector.messages, 'only messages of the vector are sent');
  const calls = systemCalls();
  for (;;) {
    const sent = calls.sendmmsg(descriptor, vector.headerAddress(from), count, messageFlag.MSG_DONTWAIT);
    if (sent >= 0) return sent;
    const errno = calls.errno();
    if (errno === EAGAIN || errno === ENOBUFS) return 0;
    if (errno !== EINTR) return -errno;
  }
}
