import { open } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { inspect } from 'node:util';

import { MirrorError } from '../../observe/error.ts';
import type { KafkaClientSettings } from './settings.ts';

/** Most bytes of a file with a secret: a chain of certificates is far smaller. */
export const MAX_SECRET_BYTES = 1_048_576;

/** What a broker takes for OAUTHBEARER. */
export interface KafkaToken {
  readonly value: string;
  /** When it ends, in milliseconds since the epoch; undefined where the token does not say so. */
  readonly expiresAtMs: number | undefined;
}

/** PEM texts; what is not set is left out. */
export interface TlsSecrets {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
}

/**
 * What a Kafka client must know and nobody may read. It shows nothing of it where it is printed, logged or made into JSON.
 */
export class Secrets {
  readonly #password: string | undefined;
  readonly #tls: TlsSecrets;
  readonly #token: () => Promise<KafkaToken>;

  constructor(password: string | undefined, tls: TlsSecrets, token: () => Promise<KafkaToken>) {
    this.#password = password;
    this.#tls = tls;
    this.#token = token;
  }

  get password(): string | undefined {
    return this.#password;
  }

  get tls(): TlsSecrets {
    return this.#tls;
  }

  /** The token as it is now: asked for anew for each connection. Rejects with MirrorError SECRET_UNREADABLE. */
  token(): Promise<KafkaToken> {
    return this.#token();
  }

  toJSON(): string {
    return '[secrets]';
  }

  [inspect.custom](): string {
    return '[secrets]';
  }
}

/**
 * Reads what the settings name, as far as the mechanism and TLS need it. With aws-msk-iam the token is not ours to read:
 * `makeToken` is asked.
 *
 * @throws MirrorError SECRET_UNREADABLE, which names the setting and the file, never what it holds
 */
export async function readSecrets(
  settings: Pick<KafkaClientSettings, 'sasl' | 'tls'>,
  makeToken?: () => Promise<KafkaToken>,
): Promise<Secrets> {
  const { sasl } = settings;
  const readToken = makeToken ?? (() => tokenOf(sasl));
  const needsPassword = sasl.mechanism === 'plain' || sasl.mechanism.startsWith('scram-');
  const password = needsPassword ? await readPassword(sasl, 'sasl') : undefined;
  if (sasl.mechanism === 'oauthbearer') await readToken();
  return new Secrets(password, await readTls(settings.tls), readToken);
}

/**
 * A password from a file or from the environment; undefined where neither is set.
 *
 * @param group - path of the settings that `source` stands in, for the error
 */
export async function readPassword(
  source: { readonly passwordFile: string; readonly passwordEnv: string },
  group: string,
): Promise<string | undefined> {
  if (source.passwordFile !== '') {
    const text = await readSecretFile(source.passwordFile, `${group}.passwordFile`);
    return notEmpty(text.replace(/\r?\n$/, ''), `${group}.passwordFile`, { file: source.passwordFile });
  }
  return source.passwordEnv === '' ? undefined : readEnvironment(source.passwordEnv, `${group}.passwordEnv`);
}

async function tokenOf(sasl: KafkaClientSettings['sasl']): Promise<KafkaToken> {
  let value: string;
  if (sasl.tokenFile !== '') {
    const text = await readSecretFile(sasl.tokenFile, 'sasl.tokenFile');
    value = notEmpty(text.trim(), 'sasl.tokenFile', { file: sasl.tokenFile });
  } else {
    value = readEnvironment(sasl.tokenEnv, 'sasl.tokenEnv').trim();
  }
  return { value, expiresAtMs: expiryOf(value) };
}

/** `exp` of a JSON Web Token (RFC 7519 section 4.1.4); undefined for any other token. */
function expiryOf(token: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const seconds = (claims as { exp?: unknown } | null)?.exp;
    return typeof seconds === 'number' ? Math.round(seconds * 1000) : undefined;
  } catch {
    return undefined;
  }
}

async function readTls(tls: KafkaClientSettings['tls']): Promise<TlsSecrets> {
  if (!tls.enabled) return {};
  const texts: { -readonly [name in keyof TlsSecrets]: string } = {};
  if (tls.caFile !== '') texts.ca = await readPem(tls.caFile, 'tls.caFile');
  if (tls.certFile !== '') texts.cert = await readPem(tls.certFile, 'tls.certFile');
  if (tls.keyFile !== '') texts.key = await readPem(tls.keyFile, 'tls.keyFile');
  if (tls.keyPassphraseFile !== '') {
    const text = await readSecretFile(tls.keyPassphraseFile, 'tls.keyPassphraseFile');
    texts.passphrase = text.replace(/\r?\n$/, '');
  }
  tryContext(texts, tls);
  return texts;
}

async function readPem(file: string, setting: string): Promise<string> {
  const text = await readSecretFile(file, setting);
  if (text.includes('-----BEGIN ')) return text;
  throw new MirrorError('SECRET_UNREADABLE', `${setting} names a file that holds no PEM text`, {
    setting,
    file,
  });
}

/** A wrong passphrase, or a key of another certificate, is told at the start and not at each connection. */
function tryContext(texts: TlsSecrets, tls: KafkaClientSettings['tls']): void {
  try {
    createSecureContext(texts);
  } catch (cause) {
    const setting = texts.key === undefined ? 'tls.caFile' : 'tls.keyFile';
    throw new MirrorError(
      'SECRET_UNREADABLE',
      'the certificates and the key cannot be used together, or the passphrase of the key is wrong',
      { setting, file: texts.key === undefined ? tls.caFile : tls.keyFile },
      { cause },
    );
  }
}

function readEnvironment(name: string, setting: string): string {
  return notEmpty(process.env[name] ?? '', setting, { variable: name });
}

function notEmpty(text: string, setting: string, source: { file: string } | { variable: string }): string {
  if (text !== '') return text;
  const what = 'file' in source ? 'a file that is empty' : 'an environment variable that is not set or empty';
  throw new MirrorError('SECRET_UNREADABLE', `${setting} names ${what}`, { setting, ...source });
}

async function readSecretFile(file: string, setting: string): Promise<string> {
  try {
    const handle = await open(file, 'r');
    try {
      return await readToEnd(handle);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new MirrorError(
      'SECRET_UNREADABLE',
      `${setting} names a file that cannot be read`,
      { setting, file },
      { cause },
    );
  }
}

/** Not `readFile`: the file may be a device or a pipe, which promise no size and need not end. */
async function readToEnd(handle: Awaited<ReturnType<typeof open>>): Promise<string> {
  const bytes = Buffer.alloc(MAX_SECRET_BYTES + 1);
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await handle.read(bytes, length, bytes.length - length);
    if (bytesRead === 0) return bytes.toString('utf8', 0, length);
    length += bytesRead;
  }
  throw new RangeError(`it is larger than ${MAX_SECRET_BYTES} bytes`);
}
