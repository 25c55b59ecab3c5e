import { execFileSync } from 'node:child_process';

import { afterEach, expect, test, vi } from 'vitest';

import { MirrorError } from '../../../../../src/observe/error.ts';
import { mskTokens } from '../../../../../src/sinks/kafka/clients/msk-token.ts';
import { newClient } from '../../../../support/kafka/clients.ts';
import { defaultKafka } from '../../../../support/kafka/kafka-settings.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const names = ['@platformatic/kafka', 'kafkajs', 'aws-msk-iam-sasl-signer-js', 'koffi'];

test.each([
  ['platformatic', ['@platformatic/kafka']],
  ['kafkajs', ['kafkajs']],
])('client %s loads its library and no other', (client, loaded) => {
  const script = `
    import { registerHooks } from 'node:module';
    const seen = new Set();
    registerHooks({
      load(url, context, next) {
        for (const name of ${JSON.stringify(names)}) if (url.includes('/node_modules/' + name + '/')) seen.add(name);
        return next(url, context);
      },
    });
    const { makeKafkaClient } = await import('./src/sinks/kafka/clients/index.ts');
    const settings = ${JSON.stringify(defaultKafka({ client: client as 'kafkajs' }))};
    const nothing = () => undefined;
    const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
    const client = await makeKafkaClient({ settings, worker: 0, log });
    await client.close();
    console.log(JSON.stringify([...seen]));
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(JSON.parse(output)).toEqual(loaded);
});

test('a token for Amazon MSK is made from the credentials of the environment, for its region', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'hidden');
  const makeToken = await mskTokens('eu-central-1');
  const { value, expiresAtMs } = await makeToken();
  const url = new URL(Buffer.from(value, 'base64url').toString());
  expect(url.hostname).toBe('kafka.eu-central-1.amazonaws.com');
  expect(url.searchParams.get('Action')).toBe('kafka-cluster:Connect');
  expect(url.href).not.toContain('hidden');
  expect(expiresAtMs).toBeGreaterThan(Date.now() + 800_000);
});

test('without a region there is none', async () => {
  vi.stubEnv('AWS_REGION', '');
  vi.stubEnv('AWS_DEFAULT_REGION', '');
  await expect(mskTokens('')).rejects.toMatchObject({
    code: 'SECRET_UNREADABLE',
    context: { setting: 'sasl.region' },
  });
});

test('a secret that cannot be read is told before anything is sent', async () => {
  const { sasl } = defaultKafka();
  const given = { ...sasl, mechanism: 'plain', username: 'u', passwordFile: '/nowhere/p' } as const;
  await expect(newClient('127.0.0.1:9', { sasl: given })).rejects.toThrow(MirrorError);
});
