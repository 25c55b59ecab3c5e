import { KafkaError } from '../client.ts';
import type { Secrets } from '../secrets.ts';
import type { KafkaSaslSettings } from '../security-settings.ts';

/** A message of SASL, as kafkajs takes it: it puts it into a request, and gives the answer with four bytes of length. */
interface SaslExchange {
  readonly request: { readonly encode: () => Promise<Buffer> };
  readonly response: {
    readonly decode: (answer: Buffer) => Promise<Buffer>;
    readonly parse: (answer: Buffer) => Promise<Buffer>;
  };
}

interface ProviderFacts {
  readonly saslAuthenticate: (exchange: SaslExchange) => Promise<Buffer>;
}

const LENGTH_LEN = 4;
/** As much of a broker's answer goes into a message. */
const ANSWER_MAX = 200;

/** The option `sasl` of kafkajs; undefined: no SASL. */
export function kafkajsSasl(sasl: KafkaSaslSettings, secrets: Secrets): object | undefined {
  const { mechanism, username } = sasl;
  if (mechanism === 'none') return undefined;
  if (mechanism === 'oauthbearer' || mechanism === 'aws-msk-iam') {
    // Its own provider takes a refusal for a success: RFC 7628 section 3.2.2 says it in an answer that is no error.
    const authenticationProvider = ({ saslAuthenticate }: ProviderFacts) => ({
      authenticate: () => presentToken(secrets, saslAuthenticate),
    });
    return { mechanism: 'oauthbearer', authenticationProvider };
  }
  return { mechanism, username, password: secrets.password ?? '' };
}

const same = (answer: Buffer): Promise<Buffer> => Promise.resolve(answer);

async function presentToken(
  secrets: Secrets,
  saslAuthenticate: ProviderFacts['saslAuthenticate'],
): Promise<void> {
  const { value } = await secrets.token();
  const answer = await saslAuthenticate({
    request: { encode: () => Promise.resolve(withLength(`n,,\u0001auth=Bearer ${value}\u0001\u0001`)) },
    response: { decode: same, parse: same },
  });
  const text = answer.toString('utf8', LENGTH_LEN, LENGTH_LEN + ANSWER_MAX);
  if (text === '') return;
  throw new KafkaError({ reason: 'authentication', message: `The broker refused the token: ${text}` });
}

function withLength(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(LENGTH_LEN);
  length.writeInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
