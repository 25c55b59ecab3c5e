import { describe, expect, test } from 'vitest';
import { describeError, errorFields, printable } from '../../../src/observe/describe-error.ts';
import { MirrorError } from '../../../src/observe/error.ts';

const inUse = Object.assign(new Error('bind EADDRINUSE 0.0.0.0:4789'), { code: 'EADDRINUSE' });
const bind = new MirrorError(
  'UDP_BIND_FAILED',
  'Cannot bind.',
  { port: 4789, remedy: 'Stop it.' },
  { cause: inUse },
);

describe('what the command line prints', () => {
  test('message, code, facts and causes', () => {
    expect(describeError(bind)).toBe(
      [
        'error: Cannot bind. [UDP_BIND_FAILED]',
        '  port: 4789',
        '  remedy: Stop it.',
        '  cause: bind EADDRINUSE 0.0.0.0:4789',
      ].join('\n'),
    );
  });

  test('a code that its message does not show is added', () => {
    const error = new MirrorError('WORKER_FAILED', 'Gone.', {}, { cause: bind });
    expect(describeError(error).split('\n').slice(1)).toEqual([
      '  cause: Cannot bind. [UDP_BIND_FAILED]',
      '  cause: bind EADDRINUSE 0.0.0.0:4789',
    ]);
  });

  test('an error without a code shows where it came from', () => {
    const lines = describeError(new Error('oops')).split('\n');
    expect(lines[0]).toBe('error: oops');
    expect(lines[1]).toMatch(/^ {4}at .*describe-error\.test\.ts/);
  });

  test.each([
    ['text', 'error: text'],
    [undefined, 'error: undefined'],
    [null, 'error: null'],
    [7, 'error: 7'],
  ])('%s may be thrown too', (thrown, text) => {
    expect(describeError(thrown)).toBe(text);
  });
});

test('fields have code, context and causes, and a stack only where nobody expected the error', () => {
  expect(errorFields(bind)).toEqual({
    message: 'Cannot bind.',
    code: 'UDP_BIND_FAILED',
    context: { port: 4789, remedy: 'Stop it.' },
    cause: { message: 'bind EADDRINUSE 0.0.0.0:4789', code: 'EADDRINUSE' },
  });
  expect(errorFields(new Error('oops'))).toEqual({ message: 'oops', stack: expect.stringContaining('at ') });
});

test('a chain of causes that goes in a circle ends', () => {
  const circle = new Error('round');
  circle.cause = circle;
  const [first, ...others] = describeError(circle).split('\n');
  expect(first).toBe('error: round');
  expect(others.filter((line) => line === '  cause: round')).toHaveLength(8);
});

test('control characters cannot reach the terminal', () => {
  expect(printable('a\u001b[2Jb\r\u009b1m\u0000\ttab\nline é €')).toBe(
    'a\\x1b[2Jb\\x0d\\x9b1m\\x00\ttab\nline é €',
  );
  const error = new MirrorError('CAPTURE_UNREADABLE', 'Cannot read \u001b]0;x\u0007.', { path: '\u001bc' });
  expect(describeError(error)).toBe(
    'error: Cannot read \\x1b]0;x\\x07. [CAPTURE_UNREADABLE]\n  path: \\x1bc',
  );
});
