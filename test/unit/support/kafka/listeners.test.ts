import { readFileSync } from 'node:fs';
import { Kafka, logLevel, type SASLOptions } from 'kafkajs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Certificates } from '../../../support/kafka/certificates.ts';
import { readTopic, writeLines } from '../../../support/kafka/kcat.ts';
import { unsecuredToken, user } from '../../../support/kafka/logins.ts';
import { type SharedKafka, sharedKafka } from '../../../support/kafka/shared.ts';
import { requiresOwnKafka } from '../../../support/kafka/wanted.ts';

type Properties = Readonly<Record<string, string>>;
type SaslListener = 'SASL_PLAINTEXT' | 'SASL_SSL';

const trusting = ({ caFile }: Certificates): Properties => ({ 'ssl.ca.location': caFile });
const login = { username: user.name, password: user.password };
const token = (seconds: number) => () => Promise.resolve({ value: unsecuredToken(user.name, seconds) });

describe.skipIf(!requiresOwnKafka())('listeners of the shared broker', () => {
  let kafka: SharedKafka;
  let topic: string;
  beforeAll(async () => {
    kafka = await sharedKafka();
    topic = await kafka.newTopic('listeners');
  });

  const send = async (listener: 'SSL' | SaslListener, properties: Properties): Promise<void> => {
    const bootstrap = `127.0.0.1:${kafka.port(listener)}`;
    const quick = { 'message.timeout.ms': '4000', 'security.protocol': listener };
    const line = JSON.stringify([listener, properties]);
    await writeLines({ bootstrap, properties: { ...quick, ...properties } }, topic, [line]);
    const records = await readTopic(kafka, topic);
    expect(records.map(({ value }) => value?.toString())).toContain(line);
  };

  test('SSL, with and without a client certificate', async () => {
    const { clientCertFile, clientKeyFile, clientEncryptedKeyFile, passphrase } = kafka.certificates;
    const trust = trusting(kafka.certificates);
    const certificate = { ...trust, 'ssl.certificate.location': clientCertFile };
    await send('SSL', trust);
    await send('SSL', { ...certificate, 'ssl.key.location': clientKeyFile });
    const locked = { 'ssl.key.location': clientEncryptedKeyFile, 'ssl.key.password': passphrase };
    await send('SSL', { ...certificate, ...locked });
    const wrong = { 'ssl.ca.location': kafka.certificates.otherCaFile };
    await expect(send('SSL', wrong)).rejects.toThrow(/certificate verify failed|kcat ended/);
  });

  test('PLAIN, by kcat', async () => {
    const plain = { 'sasl.mechanism': 'PLAIN', 'sasl.username': user.name, 'sasl.password': user.password };
    await send('SASL_PLAINTEXT', plain);
    await send('SASL_SSL', { ...trusting(kafka.certificates), ...plain });
    const wrong = { ...plain, 'sasl.password': 'wrong' };
    await expect(send('SASL_PLAINTEXT', wrong)).rejects.toThrow(/Authentication failed/);
  });

  // not by kcat: librdkafka before 2.6.1 repeats the nonce in its second message, which brokers since 4.0 refuse
  test.each<{ title: string; right: SASLOptions; wrong: SASLOptions; reason: RegExp }>([
    {
      title: 'SCRAM-SHA-256',
      right: { mechanism: 'scram-sha-256', ...login },
      wrong: { mechanism: 'scram-sha-256', ...login, password: 'wrong' },
      reason: /invalid credentials/,
    },
    {
      title: 'SCRAM-SHA-512',
      right: { mechanism: 'scram-sha-512', ...login },
      wrong: { mechanism: 'scram-sha-512', ...login, username: 'nobody' },
      reason: /invalid credentials/,
    },
    {
      title: 'OAUTHBEARER with a token without a signature, until it expires',
      right: { mechanism: 'oauthbearer', oauthBearerProvider: token(3600) },
      wrong: { mechanism: 'oauthbearer', oauthBearerProvider: token(-5) },
      // its author has no better word for it
      reason: /No brokers/,
    },
  ])('$title', async ({ right, wrong, reason }) => {
    const { caFile } = kafka.certificates;
    const tls = { ca: [readFileSync(caFile, 'utf8')] };
    expect(await topicsSeen('SASL_PLAINTEXT', right, false)).toContain(topic);
    expect(await topicsSeen('SASL_SSL', right, tls)).toContain(topic);
    await expect(topicsSeen('SASL_PLAINTEXT', wrong, false)).rejects.toThrow(reason);
  });

  const topicsSeen = async (
    listener: SaslListener,
    sasl: SASLOptions,
    ssl: { ca: string[] } | false,
  ): Promise<readonly string[]> => {
    const brokers = [`127.0.0.1:${kafka.port(listener)}`];
    const once = { retry: { retries: 0 }, logLevel: logLevel.NOTHING };
    const admin = new Kafka({ brokers, sasl, ssl, ...once }).admin();
    try {
      await admin.connect();
      return await admin.listTopics();
    } finally {
      await admin.disconnect();
    }
  };

  test.each(['write', 'describe'] as const)('who may not %s is refused', async (what) => {
    const denied = await kafka.newTopic('denied');
    await writeLines(kafka, denied, ['before']);
    await kafka.admin.deny(denied, what);
    const properties = { 'message.timeout.ms': '4000' };
    const refused = writeLines({ bootstrap: kafka.bootstrap, properties }, denied, ['after']);
    await expect(refused).rejects.toThrow(/authoriz|kcat ended/i);
    await writeLines(kafka, topic, ['others are allowed']);
  });
});
