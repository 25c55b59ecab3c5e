import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { MirrorError } from '../../../../src/observe/error.ts';
import { MAX_SECRET_BYTES, readPassword, readSecrets, Secrets } from '../../../../src/sinks/kafka/secrets.ts';
import type { KafkaSaslSettings } from '../../../../src/sinks/kafka/security-settings.ts';
import type { KafkaClientSettings } from '../../../../src/sinks/kafka/settings.ts';

const noSasl: KafkaSaslSettings = {
  mechanism: 'none',
  username: '',
  passwordFile: '',
  passwordEnv: '',
  tokenFile: '',
  tokenEnv: '',
  region: '',
};
const noTls = { enabled: false, caFile: '', certFile: '', keyFile: '', keyPassphraseFile: '', verify: true };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const read = (
  sasl: Partial<KafkaSaslSettings>,
  tls: Partial<KafkaClientSettings['tls']> = {},
): Promise<Secrets> => readSecrets({ sasl: { ...noSasl, ...sasl }, tls: { ...noTls, ...tls } });

async function failure(promise: Promise<unknown>): Promise<MirrorError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MirrorError);
  return error as MirrorError;
}

test.each([
  ['hunter2', 'hunter2'],
  ['hunter2\n', 'hunter2'],
  ['hunter2\r\n', 'hunter2'],
  ['hunter2\n\n', 'hunter2\n'],
  [' hunter2 ', ' hunter2 '],
])('the password in a file %j is %j', async (content, password) => {
  const secrets = await read({ mechanism: 'plain', passwordFile: file('password', content) });
  expect(secrets.password).toBe(password);
});

test('the environment counts where there is no file', async () => {
  vi.stubEnv('TEST_KAFKA_PASSWORD', 'from the environment');
  const passwordFile = file('password', 'from the file');
  const both = { passwordFile, passwordEnv: 'TEST_KAFKA_PASSWORD' };
  expect(await readPassword(both, 'x')).toBe('from the file');
  expect(await readPassword({ ...both, passwordFile: '' }, 'x')).toBe('from the environment');
  expect(await readPassword({ passwordFile: '', passwordEnv: '' }, 'x')).toBeUndefined();
});

test('what is not asked for is not read', async () => {
  const missing = join(folder, 'missing');
  const secrets = await read({ passwordFile: missing, tokenFile: missing }, { caFile: missing });
  expect(secrets.password).toBeUndefined();
  expect(secrets.tls).toEqual({});
});

test.each<[string, Partial<KafkaSaslSettings>, Partial<KafkaClientSettings['tls']>, object, RegExp]>([
  [
    'missing password',
    { mechanism: 'plain', passwordFile: '/nowhere/p' },
    {},
    { setting: 'sasl.passwordFile', file: '/nowhere/p' },
    /cannot be read/,
  ],
  [
    'a folder',
    { mechanism: 'scram-sha-256', passwordFile: '/' },
    {},
    { setting: 'sasl.passwordFile', file: '/' },
    /cannot be read/,
  ],
  [
    'endless',
    { mechanism: 'scram-sha-512', passwordFile: '/dev/zero' },
    {},
    { setting: 'sasl.passwordFile', file: '/dev/zero' },
    /cannot be read/,
  ],
  [
    'empty',
    { mechanism: 'plain', passwordFile: '/dev/null' },
    {},
    { setting: 'sasl.passwordFile', file: '/dev/null' },
    /empty/,
  ],
  [
    'no variable',
    { mechanism: 'plain', passwordEnv: 'TEST_KAFKA_NOT_SET' },
    {},
    { setting: 'sasl.passwordEnv', variable: 'TEST_KAFKA_NOT_SET' },
    /not set/,
  ],
  [
    'no token',
    { mechanism: 'oauthbearer', tokenFile: '/nowhere/t' },
    {},
    { setting: 'sasl.tokenFile', file: '/nowhere/t' },
    /cannot be read/,
  ],
  [
    'no CA',
    {},
    { enabled: true, caFile: '/nowhere/ca' },
    { setting: 'tls.caFile', file: '/nowhere/ca' },
    /cannot be read/,
  ],
  [
    'no PEM',
    {},
    { enabled: true, certFile: '/etc/hostname' },
    { setting: 'tls.certFile', file: '/etc/hostname' },
    /no PEM/,
  ],
])('%s is told with setting and source', async (_name, sasl, tls, context, message) => {
  const error = await failure(read(sasl, tls));
  expect(error.code).toBe('SECRET_UNREADABLE');
  expect(error.context).toEqual(context);
  expect(error.message).toMatch(message);
});

test('a key that OpenSSL refuses is told, and not shown', async () => {
  const begin = `-----BEGIN ${'PRIVATE KEY'}-----`;
  const keyFile = file('key', `${begin}\nc2VjcmV0\n${begin.replace('BEGIN', 'END')}\n`);
  const error = await failure(read({}, { enabled: true, keyFile }));
  expect(error.code).toBe('SECRET_UNREADABLE');
  expect(error.context).toEqual({ setting: 'tls.keyFile', file: keyFile });
  expect(inspect(error, { depth: 9 })).not.toContain('c2VjcmV0');
});

test('a file larger than any secret is refused', async () => {
  const passwordFile = file('large', Buffer.alloc(MAX_SECRET_BYTES + 1, 'a'));
  const error = await failure(read({ mechanism: 'plain', passwordFile }));
  expect((error.cause as Error).message).toBe(`it is larger than ${MAX_SECRET_BYTES} bytes`);
});

test('a token is read again each time, and says when it ends', async () => {
  const jwt = (claims: object): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`;
  const tokenFile = file('token', `${jwt({ exp: 1000.5 })}\n`);
  const secrets = await read({ mechanism: 'oauthbearer', tokenFile });
  expect(await secrets.token()).toEqual({ value: jwt({ exp: 1000.5 }), expiresAtMs: 1_000_500 });
  file('token', 'opaque');
  expect(await secrets.token()).toEqual({ value: 'opaque', expiresAtMs: undefined });
  rmSync(tokenFile);
  expect((await failure(secrets.token())).code).toBe('SECRET_UNREADABLE');
});

test('secrets show nothing of themselves', () => {
  const secrets = new Secrets('pass', { key: 'pem', passphrase: 'phrase' }, () =>
    Promise.resolve({ value: 'token', expiresAtMs: undefined }),
  );
  const texts = [
    inspect(secrets),
    inspect({ secrets }, { showHidden: true, depth: 9 }),
    JSON.stringify({ secrets }),
  ];
  for (const text of texts) expect(text).not.toMatch(/pass|pem|phrase|token/);
});
