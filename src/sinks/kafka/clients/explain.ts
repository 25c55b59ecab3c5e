import { MirrorError } from '../../../observe/error.ts';
import { KafkaError, type KafkaFailure, type KafkaFailureReason } from '../client.ts';
import { verdictOf } from './verdict.ts';

/** What a Kafka library throws, as far as we look at it. */
interface Thrown {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
  /** Number of Kafka's table of errors, as @platformatic/kafka names it; kafkajs puts it into `code`. */
  readonly apiCode?: unknown;
}

/** Names and codes by which the two libraries say what happened. */
const known: ReadonlyMap<unknown, KafkaFailureReason> = new Map<unknown, KafkaFailureReason>([
  ['KafkaJSSASLAuthenticationError', 'authentication'],
  ['PLT_KFK_AUTHENTICATION', 'authentication'],
  ['KafkaJSRequestTimeoutError', 'timeout'],
  ['PLT_KFK_TIMEOUT', 'timeout'],
  ['PLT_KFK_UNEXPECTED_CORRELATION_ID', 'garbage'],
  ['PLT_KFK_UNSUPPORTED_API', 'unavailable'],
  ['KafkaJSServerDoesNotSupportApiKey', 'unavailable'],
  ['ECONNREFUSED', 'unreachable'],
  ['ECONNRESET', 'unreachable'],
  ['EPIPE', 'unreachable'],
  ['ENOTFOUND', 'unreachable'],
  ['EAI_AGAIN', 'unreachable'],
  ['ETIMEDOUT', 'unreachable'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'authentication'],
  ['CERT_HAS_EXPIRED', 'authentication'],
  ['CERT_NOT_YET_VALID', 'authentication'],
  ['CERT_REVOKED', 'authentication'],
  ['CERT_UNTRUSTED', 'authentication'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'authentication'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'authentication'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'authentication'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'authentication'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'authentication'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'garbage'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'garbage'],
  ['ERR_OUT_OF_RANGE', 'garbage'],
  ['ERR_BUFFER_OUT_OF_BOUNDS', 'garbage'],
  ['ERR_INVALID_ARG_TYPE', 'garbage'],
  ['PLT_DYNAMIC_BUFFER_OUT_OF_BOUNDS', 'garbage'],
  ['RangeError', 'garbage'],
  ['TypeError', 'garbage'],
  ['SyntaxError', 'garbage'],
]);

/** Longest chain of causes that is looked at. */
const CHAIN_MAX = 20;

/** Puts what a library, a socket or a secret threw into a word of ours. */
export function explain(thrown: unknown, broker: string): KafkaError {
  if (thrown instanceof KafkaError) return thrown;
  const chain = chainOf(thrown);
  for (const link of chain) {
    const reason = reasonOf(link);
    if (reason !== undefined) return kafkaError(reason, chain, broker);
  }
  return kafkaError('unreachable', chain, broker);
}

function kafkaError(reason: KafkaFailureReason, chain: readonly Thrown[], broker: string): KafkaError {
  const messages = new Set(chain.map(({ message }) => (typeof message === 'string' ? message : '')));
  messages.delete('');
  const failure: KafkaFailure = { reason, message: [...messages].join(': '), broker };
  return new KafkaError(failure, { cause: chain[0] });
}

function reasonOf(thrown: Thrown): KafkaFailureReason | undefined {
  if (thrown instanceof MirrorError) return 'authentication';
  const number = typeof thrown.apiCode === 'number' ? thrown.apiCode : thrown.code;
  if (typeof number === 'number') return verdictOf(number).reason;
  const byCode = known.get(thrown.code) ?? known.get(thrown.name);
  if (byCode !== undefined) return byCode;
  const code = typeof thrown.code === 'string' ? thrown.code : '';
  // An alert of the other side: it did not take our certificate.
  if (/^ERR_SSL_.*ALERT_.*(?:CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/.test(code)) return 'authentication';
  return undefined;
}

/** The error, what caused it, and what they are made of, outermost first. */
function chainOf(thrown: unknown): Thrown[] {
  const chain: Thrown[] = [];
  const open: unknown[] = [thrown];
  while (open.length > 0 && chain.length < CHAIN_MAX) {
    const next = open.shift();
    if (typeof next !== 'object' || next === null || chain.includes(next)) continue;
    const link: Thrown = next;
    chain.push(link);
    open.push(link.cause);
    if (Array.isArray(link.errors)) open.push(...(link.errors as unknown[]));
  }
  return chain;
}
