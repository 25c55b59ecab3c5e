import { describe, expect, test } from 'vitest';
import { meaningOf, repeatsNonce } from '../../../../../src/sinks/kafka/clients/librdkafka-failures.ts';
import { librdkafkaOptions } from '../../../../../src/sinks/kafka/clients/librdkafka-options.ts';
import { Secrets, type TlsSecrets } from '../../../../../src/sinks/kafka/secrets.ts';
import type { KafkaSettings } from '../../../../../src/sinks/kafka/settings.ts';
import { KafkaProducer } from '../../../../../src/native/kafka-producer.ts';
import { rdKafka } from '../../../../../src/native/rdkafka.ts';
import { defaultKafka } from '../../../../support/kafka/kafka-settings.ts';
import { requiresRdKafka } from '../../../../support/native.ts';

const canRun = await requiresRdKafka();

function optionsOf(
  changed: Partial<KafkaSettings>,
  password?: string,
  tls: TlsSecrets = {},
): Map<string, string> {
  const token = (): Promise<never> => Promise.reject(new Error('no token'));
  return librdkafkaOptions(defaultKafka(changed), new Secrets(password, tls, token));
}

const { tls, sasl } = defaultKafka();

const rows: readonly {
  readonly what: string;
  readonly changed: Partial<KafkaSettings>;
  readonly password?: string;
  readonly pem?: TlsSecrets;
  readonly expected: Readonly<Record<string, string | undefined>>;
}[] = [
  {
    what: 'brokers, and records that never time out',
    changed: { brokers: ['a:1', '[::1]:2'], acks: 'all', idempotence: true },
    expected: {
      'bootstrap.servers': 'a:1,[::1]:2',
      acks: 'all',
      'enable.idempotence': 'true',
      'message.timeout.ms': '0',
      'security.protocol': 'plaintext',
      'sasl.mechanism': undefined,
    },
  },
  {
    what: 'no acknowledgement',
    changed: { acks: 'none', idempotence: false, compression: 'lz4', inFlightRequests: 7 },
    expected: {
      acks: '0',
      'enable.idempotence': 'false',
      'compression.type': 'lz4',
      'max.in.flight.requests.per.connection': '7',
    },
  },
  {
    what: 'timeouts within the ranges of the library',
    changed: { requestTimeoutMs: 3_600_000 },
    expected: { 'socket.timeout.ms': '300000', 'request.timeout.ms': '900000' },
  },
  {
    what: 'TLS, checked',
    changed: { tls: { ...tls, enabled: true } },
    pem: { ca: 'CA' },
    expected: {
      'security.protocol': 'ssl',
      'ssl.ca.pem': 'CA',
      'ssl.key.pem': undefined,
      'enable.ssl.certificate.verification': 'true',
      'ssl.endpoint.identification.algorithm': 'https',
    },
  },
  {
    what: 'TLS, not checked',
    changed: { tls: { ...tls, enabled: true, verify: false } },
    expected: {
      'enable.ssl.certificate.verification': 'false',
      'ssl.endpoint.identification.algorithm': 'none',
    },
  },
  {
    what: 'SCRAM',
    changed: { sasl: { ...sasl, mechanism: 'scram-sha-512', username: 'bob' } },
    password: 'secret',
    expected: {
      'security.protocol': 'sasl_plaintext',
      'sasl.mechanism': 'SCRAM-SHA-512',
      'sasl.username': 'bob',
      'sasl.password': 'secret',
    },
  },
  {
    what: 'MSK over TLS',
    changed: { tls: { ...tls, enabled: true }, sasl: { ...sasl, mechanism: 'aws-msk-iam' } },
    expected: {
      'security.protocol': 'sasl_ssl',
      'sasl.mechanism': 'OAUTHBEARER',
      'sasl.username': undefined,
    },
  },
  {
    what: 'options of the user: above presets, below settings',
    changed: { options: { 'linger.ms': 50, 'client.id': 'other', 'socket.nagle.disable': false } },
    expected: { 'linger.ms': '50', 'client.id': 'mirrortap', 'socket.nagle.disable': 'false' },
  },
];

test.each(rows)('$what', ({ changed, password, pem, expected }) => {
  const options = optionsOf(changed, password, pem);
  expect(Object.fromEntries(Object.keys(expected).map((name) => [name, options.get(name)]))).toEqual(
    expected,
  );
});

test('an option that is no single value is refused by its name', () => {
  expect(() => optionsOf({ options: { 'linger.ms': [5] } })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', context: { setting: 'options.linger.ms' } }),
  );
});

test.each([
  ['1.9.2', true],
  ['2.0.2', true],
  ['2.6.0', true],
  ['2.6.1', false],
  ['2.6.1-RC2', false],
  ['2.10.0', false],
  ['3.0.0', false],
])('SCRAM of version %s does not go with Kafka 4: %s', (version, expected) => {
  expect(repeatsNonce(version)).toBe(expected);
});

describe.runIf(canRun)('the library', () => {
  const nothing = (): void => undefined;
  const deaf = {
    reported: nothing,
    settled: nothing,
    failed: nothing,
    logged: nothing,
    tokenWanted: nothing,
  };

  test.each(rows.filter(({ pem }) => pem === undefined))(
    'takes them: $what',
    async ({ changed, password }) => {
      const producer = new KafkaProducer(optionsOf(changed, password), deaf);
      await expect(producer.close()).resolves.toBeUndefined();
    },
  );

  test.each([
    ['refused', 'tooLarge', 'MSG_SIZE_TOO_LARGE'],
    ['refused', 'notAuthorised', 'TOPIC_AUTHORIZATION_FAILED'],
    ['refused', 'noTopic', 'UNKNOWN_TOPIC_OR_PART'],
    ['refused', 'noTopic', '_UNKNOWN_TOPIC'],
    ['refused', 'invalid', 'INVALID_RECORD'],
    ['retry', 'unreachable', '_ALL_BROKERS_DOWN'],
    ['retry', 'timeout', '_MSG_TIMED_OUT'],
    ['retry', 'authentication', '_AUTHENTICATION'],
    ['retry', 'garbage', '_BAD_MSG'],
    ['retry', 'unavailable', 'NOT_ENOUGH_REPLICAS'],
    ['retry', 'unavailable', 'NOT_LEADER_FOR_PARTITION'],
  ])('%s for %s: %s', (kind, reason, name) => {
    const codes = Array.from({ length: 320 }, (_, i) => i - 200);
    const error = codes.find((code) => rdKafka().err2name(code) === name) ?? Number.NaN;
    expect(meaningOf(error)).toEqual({ kind, reason });
  });
});
