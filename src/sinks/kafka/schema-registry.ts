import { MirrorError } from '../../observe/error.ts';

/** How a schema registry is reached. */
export interface RegistryAccess {
  /** What its paths are appended to. */
  readonly url: string;
  /** Empty: it is asked without user and password. */
  readonly username: string;
  readonly password: string | undefined;
}

/** How long the registry is waited for. */
export interface RegistryPatience {
  readonly timeoutMs?: number;
  readonly ended?: AbortSignal | undefined;
}

/** Longest wait for the registry's whole answer. */
const TIMEOUT_MS = 10_000;
/** What is read of an answer, and what of it is shown: a wrong URL may be answered with any page. */
const ANSWER_BYTES_MAX = 65_536;
const SHOWN_CHARS_MAX = 500;
const ID_MAX = 0xffff_ffff;

/**
 * Registers an Avro schema under a subject, with one POST, and returns the id that the registry knows it by. A schema
 * that is registered already keeps its id.
 *
 * Rejects with a MirrorError SCHEMA_REGISTRY_FAILED that names the URL, the HTTP status and the beginning of the answer.
 */
export async function registerSchema(
  access: RegistryAccess,
  subject: string,
  schema: string,
  { timeoutMs = TIMEOUT_MS, ended }: RegistryPatience = {},
): Promise<number> {
  const url = versionsUrl(access.url, subject);
  const answer = await post(url, headersOf(access), JSON.stringify({ schema }), timeoutMs, ended);
  const context = { url, subject, status: answer.status, answer: shown(answer.text) };
  if (answer.status < 200 || answer.status > 299) {
    const text = `The schema registry refused the schema of flow records: status ${answer.status}, ${context.answer}`;
    throw new MirrorError('SCHEMA_REGISTRY_FAILED', text, context);
  }
  const id = idOf(answer.text);
  if (id !== undefined) return id;
  const text = `What answers at ${url} is no schema registry: there is no schema id in "${context.answer}"`;
  throw new MirrorError('SCHEMA_REGISTRY_FAILED', text, context);
}

/** The URL may have a path of its own; user and password in it would show in messages, and are not taken. */
function versionsUrl(base: string, subject: string): string {
  const url = URL.parse(base);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new MirrorError(
      'SCHEMA_REGISTRY_FAILED',
      'The URL of the schema registry is not of http or https.',
    );
  }
  if (url.username !== '' || url.password !== '') {
    const text = 'The URL of the schema registry carries user and password: they have settings of their own.';
    throw new MirrorError('SCHEMA_REGISTRY_FAILED', text, { host: url.host });
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}/subjects/${encodeURIComponent(subject)}/versions`;
}

function headersOf({ username, password }: RegistryAccess): Record<string, string> {
  const type = 'application/vnd.schemaregistry.v1+json';
  const headers = { 'content-type': type, accept: `${type}, application/json` };
  if (username === '') return headers;
  const credentials = Buffer.from(`${username}:${password ?? ''}`).toString('base64');
  return { ...headers, authorization: `Basic ${credentials}` };
}

async function post(
  url: string,
  headers: Record<string, string>,
  body: string,
  timeoutMs: number,
  ended: AbortSignal | undefined,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    // a redirect would take user and password to another host
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = ended === undefined ? timeout : AbortSignal.any([timeout, ended]);
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    return { status: response.status, text: await beginning(response) };
  } catch (cause) {
    const late = cause instanceof DOMException && cause.name === 'TimeoutError';
    const how = late ? `did not answer within ${timeoutMs} ms` : 'cannot be reached';
    throw new MirrorError('SCHEMA_REGISTRY_FAILED', `The schema registry ${how}: ${url}`, { url }, { cause });
  }
}

async function beginning(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // leaving the loop ends the connection
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= ANSWER_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, ANSWER_BYTES_MAX);
}

function idOf(text: string): number | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return undefined;
  }
  const id = typeof answer === 'object' && answer !== null ? (answer as { id?: unknown }).id : undefined;
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= ID_MAX ? id : undefined;
}

/** On one line, without what a terminal would act on. */
function shown(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  if (plain === '') return 'nothing';
  return plain.length > SHOWN_CHARS_MAX ? `${plain.slice(0, SHOWN_CHARS_MAX)}…` : plain;
}
