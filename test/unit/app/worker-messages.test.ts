import { expect, test } from 'vitest';
import { packError, unpackError } from '../../../src/app/worker-messages.ts';
import { errorCodes, MirrorError } from '../../../src/observe/error.ts';

/** As between two threads. */
function across(thrown: unknown): MirrorError {
  return unpackError(structuredClone(packError(thrown)));
}

test.each(errorCodes)('%s keeps code, message, context and the text of its cause', (code) => {
  const context = { port: 4789, address: '::', shared: true };
  const cause = new Error('bind EACCES ::');
  const error = across(new MirrorError(code, 'A sentence.', context, { cause }));
  expect(error).toBeInstanceOf(MirrorError);
  expect(error).toMatchObject({ code, message: 'A sentence.', context });
  expect(error.cause).toMatchObject({ message: 'bind EACCES ::' });
});

test('what the system calls the cause comes along', () => {
  const cause = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
  const error = across(new MirrorError('CAPTURE_WRITE_FAILED', 'A sentence.', {}, { cause }));
  expect(error.cause).toMatchObject({ message: 'write EPIPE', code: 'EPIPE' });
});

test('an error without a cause has none afterwards', () => {
  expect('cause' in across(new MirrorError('USAGE', 'A sentence.'))).toBe(false);
});

test('what is our own mistake is a failed worker, with the stack as its cause', () => {
  const error = across(new RangeError('no such lane'));
  expect(error.code).toBe('WORKER_FAILED');
  expect((error.cause as Error).message).toMatch(/RangeError: no such lane\n {4}at /);
});

test('anything may be thrown', () => {
  expect((across('just text').cause as Error).message).toBe('just text');
  expect((across(undefined).cause as Error).message).toBe('undefined');
});

test('a code that this side does not know is a failed worker', () => {
  const error = unpackError({ code: 'OF_A_LATER_VERSION', message: 'm', context: {}, cause: undefined });
  expect(error.code).toBe('WORKER_FAILED');
});
