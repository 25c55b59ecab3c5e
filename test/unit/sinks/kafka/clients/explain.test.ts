import { expect, test } from 'vitest';

import { MirrorError } from '../../../../../src/observe/error.ts';
import { KafkaError } from '../../../../../src/sinks/kafka/client.ts';
import { explain } from '../../../../../src/sinks/kafka/clients/explain.ts';

const coded = (code: string, message = code): Error => Object.assign(new Error(message), { code });
const named = (name: string, message = name): Error => Object.assign(new Error(message), { name });

test.each<[unknown, string]>([
  [coded('ECONNREFUSED'), 'unreachable'],
  [coded('ENOTFOUND'), 'unreachable'],
  [coded('SELF_SIGNED_CERT_IN_CHAIN'), 'authentication'],
  [coded('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'authentication'],
  [coded('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'), 'authentication'],
  [coded('ERR_SSL_WRONG_VERSION_NUMBER'), 'garbage'],
  [coded('ERR_OUT_OF_RANGE'), 'garbage'],
  [new RangeError('Invalid array length'), 'garbage'],
  [new TypeError('x is undefined'), 'garbage'],
  [named('KafkaJSSASLAuthenticationError'), 'authentication'],
  [coded('PLT_KFK_AUTHENTICATION'), 'authentication'],
  [coded('PLT_KFK_TIMEOUT'), 'timeout'],
  [Object.assign(new Error('58'), { code: 58 }), 'authentication'],
  [Object.assign(new Error('29'), { code: 'PLT_KFK_PROTOCOL', apiCode: 29 }), 'notAuthorised'],
  [new MirrorError('SECRET_UNREADABLE', 'no token'), 'authentication'],
  [new Error('anything else'), 'unreachable'],
  ['not even an error', 'unreachable'],
  [undefined, 'unreachable'],
])('%o is %s', (thrown, reason) => {
  const error = explain(thrown, 'b:1');
  expect(error).toBeInstanceOf(KafkaError);
  expect(error.failure).toMatchObject({ reason, broker: 'b:1' });
});

test('the first in the chain of causes that says something counts, and all messages are told once', () => {
  const inner = coded('ECONNREFUSED', 'connect ECONNREFUSED');
  const outer = new Error('Connection failed', { cause: new AggregateError([inner, inner], 'All failed') });
  expect(explain(outer, 'b:1').failure).toEqual({
    reason: 'unreachable',
    message: 'Connection failed: All failed: connect ECONNREFUSED',
    broker: 'b:1',
  });
});

test('a chain that bites its tail ends', () => {
  const one = new Error('one');
  one.cause = new Error('two', { cause: one });
  expect(explain(one, 'b:1').failure.message).toBe('one: two');
});

test('what is ours already stays as it is', () => {
  const error = new KafkaError({ reason: 'timeout', message: 'late' });
  expect(explain(error, 'b:1')).toBe(error);
});
