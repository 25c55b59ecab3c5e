import { expect, test } from 'vitest';

import { clientProblems } from '../../../../src/sinks/kafka/client-rules.ts';
import type { KafkaSettings } from '../../../../src/sinks/kafka/settings.ts';
import { defaultKafka } from '../../../support/kafka/kafka-settings.ts';

const { sasl, tls } = defaultKafka();
const plain = { ...sasl, mechanism: 'plain', username: 'u', passwordEnv: 'P' } as const;
const registryUrl = 'https://registry.example:8081';
type Registry = NonNullable<KafkaSettings['flows']>['registry'];
const avro = (changed: Partial<Registry>): Partial<KafkaSettings> => {
  const flows = defaultKafka().flows!;
  return { flows: { ...flows, encoding: 'avro', registry: { ...flows.registry, ...changed } } };
};
const topics = (packets: string, flows: string): Partial<KafkaSettings> => {
  const settings = defaultKafka();
  return { packets: { ...settings.packets!, topic: packets }, flows: { ...settings.flows!, topic: flows } };
};
const withTls = { ...tls, enabled: true };

const problemsOf = (changed: Partial<KafkaSettings>): string[] =>
  clientProblems(defaultKafka(changed)).map(({ setting }) => setting);

test.each<[string, Partial<KafkaSettings>]>([
  ['the defaults', {}],
  ['an IPv6 broker', { brokers: ['[::1]:9092'] }],
  ['kafkajs with zstd', { client: 'kafkajs', compression: 'zstd' }],
  ['kafkajs with gzip', { client: 'kafkajs', compression: 'gzip' }],
  ['platformatic with lz4', { compression: 'lz4' }],
  ['librdkafka with snappy', { client: 'librdkafka', compression: 'snappy' }],
  ['acks leader without idempotence', { acks: 'leader', idempotence: false }],
  ['many requests without idempotence', { inFlightRequests: 5, idempotence: false }],
  ['plain', { sasl: plain }],
  [
    'scram with a file',
    { sasl: { ...plain, mechanism: 'scram-sha-512', passwordEnv: '', passwordFile: '/p' } },
  ],
  ['oauthbearer with a file', { sasl: { ...sasl, mechanism: 'oauthbearer', tokenFile: '/t' } }],
  ['oauthbearer with a variable', { sasl: { ...sasl, mechanism: 'oauthbearer', tokenEnv: 'T' } }],
  ['aws-msk-iam over TLS', { sasl: { ...sasl, mechanism: 'aws-msk-iam' }, tls: withTls }],
  ['a client certificate', { tls: { ...withTls, certFile: '/c', keyFile: '/k', keyPassphraseFile: '/p' } }],
  ['avro with a registry', avro({ url: registryUrl })],
  ['avro with a user of the registry', avro({ url: registryUrl, username: 'u', passwordFile: '/p' })],
  ['no flow records', { flows: null }],
  ['topics by VNI', topics('mirror.{vni}', 'mirror.{vni}.flows')],
  ['a topic that no VNI makes', topics('mirror.{vni}', 'mirror.x7')],
  ['an option of platformatic', { options: { connectTimeout: 1000 } }],
  ['an option of kafkajs', { client: 'kafkajs', options: { authenticationTimeout: 1 } }],
  [
    'options of librdkafka',
    {
      client: 'librdkafka',
      options: { 'linger.ms': 5, 'sticky.partitioning.linger.ms': '0', 'socket.keepalive.enable': true },
    },
  ],
])('nothing is wrong with %s', (_name, changed) => {
  expect(clientProblems(defaultKafka(changed))).toEqual([]);
});

test.each<[string, Partial<KafkaSettings>]>([
  ['brokers.1', { brokers: ['a:1', 'b:65536'] }],
  ['brokers.0', { brokers: ['a:0'] }],
  ['compression', { client: 'kafkajs', compression: 'lz4' }],
  ['compression', { client: 'kafkajs', compression: 'snappy' }],
  ['acks', { acks: 'leader' }],
  ['acks', { acks: 'none' }],
  ['inFlightRequests', { inFlightRequests: 2 }],
  ['sasl.username', { sasl: { ...plain, username: '' } }],
  ['sasl.passwordFile', { sasl: { ...plain, passwordEnv: '' } }],
  ['sasl.passwordFile', { sasl: { ...plain, mechanism: 'scram-sha-256', passwordEnv: '' } }],
  ['sasl.tokenFile', { sasl: { ...sasl, mechanism: 'oauthbearer' } }],
  ['sasl.mechanism', { sasl: { ...sasl, mechanism: 'aws-msk-iam' } }],
  ['sasl.mechanism', { sasl: { ...sasl, username: 'u' } }],
  ['sasl.mechanism', { sasl: { ...sasl, tokenEnv: 'T' } }],
  ['tls.certFile', { tls: { ...withTls, certFile: '/c' } }],
  ['tls.keyFile', { tls: { ...withTls, keyFile: '/k' } }],
  ['tls.keyPassphraseFile', { tls: { ...withTls, keyPassphraseFile: '/p' } }],
  ['tls.caFile', { tls: { ...tls, caFile: '/ca' } }],
  ['flows.registry.url', avro({})],
  ['flows.topic', topics('mirror', 'mirror')],
  ['flows.topic', topics('mirror.{vni}', 'mirror.{vni}')],
  ['flows.topic', topics('mirror.{vni}', 'mirror.7')],
  ['flows.topic', topics('mirror.7', 'mirror.{vni}')],
  ['flows.topic', topics('mirror.{vni}', 'mirror.1{vni}')],
  ['flows.registry.url', avro({ url: 'registry.example:8081' })],
  ['flows.registry.url', avro({ url: 'https://u:p@registry.example' })],
  ['flows.registry.username', avro({ url: registryUrl, passwordEnv: 'P' })],
  ['options', { options: { maxInflights: 5 } }],
  ['options', { options: { connectTimeout: 'soon' } }],
  ['options', { options: { connectTimeout: 0 } }],
  ['options', { client: 'kafkajs', options: { retry: { retries: 5 } } }],
  ['options', { client: 'librdkafka', options: { 'bootstrap.servers': 'a:1' } }],
  ['options', { client: 'librdkafka', options: { acks: '1' } }],
  ['options', { client: 'librdkafka', options: { 'sasl.password': 'x' } }],
  ['options', { client: 'librdkafka', options: { 'ssl.key.password': 'x' } }],
  ['options', { client: 'librdkafka', options: { dr_msg_cb: 'x' } }],
  ['options', { client: 'librdkafka', options: { 'transactional.id': 'x' } }],
  ['options', { client: 'librdkafka', options: { 'message.timeout.ms': 1 } }],
  ['options', { client: 'librdkafka', options: { 'linger.ms': [1] } }],
])('%s is refused in %o', (setting, changed) => {
  expect(problemsOf(changed)).toEqual([setting]);
});

test('a problem says what was found, what is wrong and what would be right', () => {
  expect(clientProblems(defaultKafka({ client: 'kafkajs', compression: 'lz4' }))).toEqual([
    {
      setting: 'compression',
      found: 'lz4',
      text: 'compression is lz4, which client: kafkajs does not have',
      expected: 'zstd, gzip or none, or another client',
    },
  ]);
});

test('a secret among the options is not shown', () => {
  const [problem] = clientProblems(
    defaultKafka({ client: 'librdkafka', options: { 'sasl.password': 'hunter2' } }),
  );
  expect(JSON.stringify(problem)).not.toContain('hunter2');
});

test('a password in the URL of a registry is refused, whatever the encoding, and not shown', () => {
  const { flows } = avro({ url: 'https://me:hunter2@registry.example' });
  const [problem, ...others] = clientProblems(defaultKafka({ flows: { ...flows!, encoding: 'json' } }));
  expect([problem?.setting, others]).toEqual(['flows.registry.url', []]);
  expect(JSON.stringify(problem)).not.toContain('hunter2');
});
