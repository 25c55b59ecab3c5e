import { MirrorError } from '../../../observe/error.ts';
import type { Secrets } from '../secrets.ts';
import type { KafkaClientSettings } from '../settings.ts';

/** Ranges of librdkafka's own. */
const MAX_SOCKET_TIMEOUT_MS = 300_000;
const MAX_REQUEST_TIMEOUT_MS = 900_000;
const MIN_SOCKET_TIMEOUT_MS = 1000;
/** Records have keys, headers and a few bytes of their own; a batch and a request as well. */
const SPARE_BYTES = 1_048_576;
const MAX_MESSAGE_BYTES = 1_000_000_000;

const acks = { all: 'all', leader: '1', none: '0' } as const;
const mechanisms = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
  oauthbearer: 'OAUTHBEARER',
  // MSK's IAM is OAUTHBEARER with a token made of AWS credentials
  'aws-msk-iam': 'OAUTHBEARER',
} as const;

/**
 * librdkafka's options by name, those of `options` first, so that ours win.
 *
 * @throws MirrorError CONFIG_INVALID - a value of `options` is no text, number or truth value
 */
export function librdkafkaOptions(settings: KafkaClientSettings, secrets: Secrets): Map<string, string> {
  const maxBytes = Math.min(settings.batchBytes + SPARE_BYTES, MAX_MESSAGE_BYTES);
  return new Map([
    ...given(settings.options),
    ['bootstrap.servers', settings.brokers.join(',')],
    ['client.id', settings.clientId],
    ['acks', acks[settings.acks]],
    ['enable.idempotence', String(settings.idempotence)],
    ['compression.type', settings.compression],
    ['max.in.flight.requests.per.connection', String(settings.inFlightRequests)],
    // Records do not time out in the library: it goes on trying, with the sequence numbers that they have, and who sends the
    // same batch again waits for those. Giving up would begin a new epoch, under which a broker takes a record twice.
    ['message.timeout.ms', '0'],
    ['request.timeout.ms', String(Math.min(settings.requestTimeoutMs, MAX_REQUEST_TIMEOUT_MS))],
    ['socket.timeout.ms', String(clamp(settings.requestTimeoutMs))],
    ['message.max.bytes', String(maxBytes)],
    ['batch.size', String(maxBytes)],
    ['batch.num.messages', '1000000'],
    ['statistics.interval.ms', '0'],
    ['log.queue', 'true'],
    ...tls(settings, secrets),
    ...sasl(settings, secrets),
  ]);
}

/** Where a topic is made, that is our doing; and a person who sets one of these knows why. */
const preset = [
  ['linger.ms', '5'],
  // past these a batch waits half handed over; the caller has bounds of its own
  ['queue.buffering.max.messages', '1000000'],
  ['queue.buffering.max.kbytes', '524288'],
  // a topic that brokers do not know is one after this: until then it may be about to be made
  ['topic.metadata.propagation.max.ms', '5000'],
  ['allow.auto.create.topics', 'false'],
  ['socket.nagle.disable', 'true'],
  ['socket.keepalive.enable', 'true'],
  ['reconnect.backoff.ms', '100'],
  ['reconnect.backoff.max.ms', '2000'],
] as const;

function given(options: Readonly<Record<string, unknown>>): [string, string][] {
  const own = Object.entries(options).map(([name, value]): [string, string] => {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      return [name, String(value)];
    }
    throw new MirrorError(
      'CONFIG_INVALID',
      `The option ${name} of librdkafka is neither a text nor a number nor true or false.`,
      { setting: `options.${name}` },
    );
  });
  return [...preset.map(([name, value]): [string, string] => [name, value]), ...own];
}

function tls(settings: KafkaClientSettings, secrets: Secrets): [string, string][] {
  if (!settings.tls.enabled) return [];
  const { ca, cert, key, passphrase } = secrets.tls;
  const options: [string, string | undefined][] = [
    ['ssl.ca.pem', ca],
    ['ssl.certificate.pem', cert],
    ['ssl.key.pem', key],
    ['ssl.key.password', passphrase],
    ['enable.ssl.certificate.verification', String(settings.tls.verify)],
    ['ssl.endpoint.identification.algorithm', settings.tls.verify ? 'https' : 'none'],
  ];
  return options.filter((option): option is [string, string] => option[1] !== undefined);
}

function sasl(settings: KafkaClientSettings, secrets: Secrets): [string, string][] {
  const { mechanism, username } = settings.sasl;
  const transport = settings.tls.enabled ? 'ssl' : 'plaintext';
  if (mechanism === 'none') return [['security.protocol', transport]];
  const named: [string, string][] = [
    ['security.protocol', `sasl_${transport}`],
    ['sasl.mechanism', mechanisms[mechanism]],
  ];
  if (secrets.password === undefined) return named;
  return [...named, ['sasl.username', username], ['sasl.password', secrets.password]];
}

function clamp(timeoutMs: number): number {
  return Math.max(MIN_SOCKET_TIMEOUT_MS, Math.min(timeoutMs, MAX_SOCKET_TIMEOUT_MS));
}
