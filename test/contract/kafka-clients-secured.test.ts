import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { loadRdKafka, rdKafka } from '../../src/native/rdkafka.ts';
import { KafkaError, type KafkaFailureReason } from '../../src/sinks/kafka/client.ts';
import type { KafkaSaslSettings, KafkaTlsSettings } from '../../src/sinks/kafka/security-settings.ts';
import type { KafkaSettings } from '../../src/sinks/kafka/settings.ts';
import { clientNames, deliver, newClient, recordOf } from '../support/kafka/clients.ts';
import { defaultKafka } from '../support/kafka/kafka-settings.ts';
import { readTopic } from '../support/kafka/kcat.ts';
import { unsecuredToken, user } from '../support/kafka/logins.ts';
import type { ListenerName } from '../support/kafka/properties.ts';
import { type SharedKafka, sharedKafka } from '../support/kafka/shared.ts';
import { requiresOwnKafka } from '../support/kafka/wanted.ts';

const { sasl: noSasl, tls: noTls } = defaultKafka();

/** Files that a test names by what is in them. */
interface Files {
  readonly password: string;
  readonly wrongPassword: string;
  readonly token: string;
  readonly expiredToken: string;
  readonly passphrase: string;
  readonly ca: string;
  readonly otherCa: string;
  readonly cert: string;
  readonly key: string;
  readonly encryptedKey: string;
}

type Way = readonly [
  name: string,
  listener: ListenerName,
  settings: (files: Files) => { sasl?: Partial<KafkaSaslSettings>; tls?: Partial<KafkaTlsSettings> },
];

const { name: username } = user;
const way = (mechanism: KafkaSaslSettings['mechanism'], passwordFile: string) => ({
  sasl: { mechanism, username, passwordFile },
});

const open: readonly Way[] = [
  ['TLS', 'SSL', ({ ca }) => ({ tls: { caFile: ca } })],
  ['TLS without a look at the certificate', 'SSL', () => ({ tls: { verify: false } })],
  [
    'TLS with a client certificate',
    'SSL',
    ({ ca, cert, key }) => ({ tls: { caFile: ca, certFile: cert, keyFile: key } }),
  ],
  [
    'TLS with an encrypted key',
    'SSL',
    ({ ca, cert, encryptedKey, passphrase }) => ({
      tls: { caFile: ca, certFile: cert, keyFile: encryptedKey, keyPassphraseFile: passphrase },
    }),
  ],
  ['PLAIN', 'SASL_PLAINTEXT', ({ password }) => way('plain', password)],
  ['SCRAM-SHA-256', 'SASL_PLAINTEXT', ({ password }) => way('scram-sha-256', password)],
  ['SCRAM-SHA-512', 'SASL_PLAINTEXT', ({ password }) => way('scram-sha-512', password)],
  [
    'OAUTHBEARER',
    'SASL_PLAINTEXT',
    ({ token }) => ({ sasl: { mechanism: 'oauthbearer', tokenFile: token } }),
  ],
  [
    'SCRAM-SHA-512 over TLS',
    'SASL_SSL',
    ({ password, ca }) => ({ ...way('scram-sha-512', password), tls: { caFile: ca } }),
  ],
];

const shut: readonly (readonly [...Way, reasons: readonly KafkaFailureReason[]])[] = [
  [
    'an authority that signed it not',
    'SSL',
    ({ otherCa }) => ({ tls: { caFile: otherCa } }),
    ['authentication'],
  ],
  ['the authorities of the system', 'SSL', () => ({ tls: {} }), ['authentication']],
  ['no TLS', 'SSL', () => ({}), ['garbage', 'unreachable']],
  [
    'TLS on the plain listener',
    'PLAINTEXT',
    ({ ca }) => ({ tls: { caFile: ca } }),
    ['unreachable', 'garbage', 'authentication'],
  ],
  [
    'a wrong password by PLAIN',
    'SASL_PLAINTEXT',
    ({ wrongPassword }) => way('plain', wrongPassword),
    ['authentication'],
  ],
  [
    'a wrong password by SCRAM-SHA-256',
    'SASL_PLAINTEXT',
    ({ wrongPassword }) => way('scram-sha-256', wrongPassword),
    ['authentication'],
  ],
  [
    'a wrong password by SCRAM-SHA-512',
    'SASL_PLAINTEXT',
    ({ wrongPassword }) => way('scram-sha-512', wrongPassword),
    ['authentication'],
  ],
  [
    'a token that has expired',
    'SASL_PLAINTEXT',
    ({ expiredToken }) => ({ sasl: { mechanism: 'oauthbearer', tokenFile: expiredToken } }),
    ['authentication'],
  ],
  ['nothing', 'SASL_PLAINTEXT', () => ({}), ['unreachable', 'authentication', 'timeout']],
];

describe.runIf(requiresOwnKafka())('brokers that ask who is there', () => {
  let kafka: SharedKafka;
  let files: Files;
  let folder: string;

  beforeAll(async () => {
    kafka = await sharedKafka();
    folder = mkdtempSync(join(tmpdir(), 'kafka-secrets-'));
    const file = (name: string, content: string): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const { caFile, otherCaFile, clientCertFile, clientKeyFile, clientEncryptedKeyFile, passphrase } =
      kafka.certificates;
    files = {
      password: file('password', `${user.password}\n`),
      wrongPassword: file('wrong', 'guess'),
      token: file('token', `${unsecuredToken()}\n`),
      expiredToken: file('expired', unsecuredToken(user.name, -60)),
      passphrase: file('passphrase', `${passphrase}\n`),
      ca: caFile,
      otherCa: otherCaFile,
      cert: clientCertFile,
      key: clientKeyFile,
      encryptedKey: clientEncryptedKeyFile,
    };
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function settingsOf([, , settings]: Way): Pick<KafkaSettings, 'sasl' | 'tls'> {
    const { sasl, tls } = settings(files);
    return { sasl: { ...noSasl, ...sasl }, tls: { ...noTls, enabled: tls !== undefined, ...tls } };
  }

  describe.each(clientNames)('client %s', (client) => {
    test.each(open)('is let in by %s', async (...given) => {
      if (client === 'librdkafka' && given[0].includes('SCRAM') && (await repeatsNonce())) return;
      const topic = await kafka.newTopic('secured');
      const made = await newClient(`127.0.0.1:${kafka.port(given[1])}`, {
        client,
        requestTimeoutMs: 10_000,
        ...settingsOf(given),
      });
      try {
        await made.connect();
        const outcomes = await deliver(made, [{ topic, partition: 0, records: [recordOf('in')] }]);
        expect(outcomes).toEqual([{ kind: 'delivered' }]);
      } finally {
        await made.close();
      }
      const read = await readTopic({ bootstrap: kafka.bootstrap }, topic);
      expect(read.map(({ value }) => value?.toString())).toEqual(['in']);
    });

    test.each(shut)('is not let in with %s', async (name, listener, settings, reasons) => {
      const requestTimeoutMs = 4000;
      const given = settingsOf([name, listener, settings]);
      const made = await newClient(`127.0.0.1:${kafka.port(listener)}`, {
        client,
        requestTimeoutMs,
        ...given,
      });
      try {
        // without SASL, the listener ends the connection at the first question
        const error: unknown = await made.connect().then(
          () => made.topic('any').catch((reason: unknown) => reason),
          (reason: unknown) => reason,
        );
        expect(error).toBeInstanceOf(KafkaError);
        const { reason, message } = (error as KafkaError).failure;
        expect(reasons).toContain(reason);
        expect(message).not.toMatch(/guess|correct-horse|eyJ/);
        const [outcome] = await made.sendBatch([{ topic: 'any', partition: 0, records: [recordOf('out')] }]);
        expect(outcome?.kind).toBe('retry');
      } finally {
        await made.close();
      }
    });
  });
});

/**
 * librdkafka below 2.6.1 sends its nonce twice (confluentinc/librdkafka#4895), which brokers refuse since Kafka 4, as RFC 5802
 * section 5.1 asks for.
 */
async function repeatsNonce(): Promise<boolean> {
  if ((await loadRdKafka()) !== undefined) return false;
  const [major = 0, minor = 0, patch = 0] = rdKafka().version_str().split('.').map(Number.parseFloat);
  return major * 10_000 + minor * 100 + patch < 20_601;
}
