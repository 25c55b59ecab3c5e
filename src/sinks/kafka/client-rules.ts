import type { ClientProblem } from './client-problem.ts';
import { optionProblems } from './option-rules.ts';
import { registryProblems } from './registry-rules.ts';
import type { KafkaSettings } from './settings.ts';
import { topicProblems } from './topic-rules.ts';

const PORT_MAX = 65_535;

/** Compressions that a client lacks. */
const lacking: Readonly<Partial<Record<KafkaSettings['client'], readonly string[]>>> = {
  kafkajs: ['lz4', 'snappy'],
};

/** All that the settings ask for and will not get. Looks at no file and no broker. */
export function clientProblems(settings: KafkaSettings): ClientProblem[] {
  return [
    ...brokerProblems(settings),
    ...deliveryProblems(settings),
    ...saslProblems(settings),
    ...tlsProblems(settings),
    ...optionProblems(settings.client, settings.options),
    ...registryProblems(settings),
    ...topicProblems(settings),
  ];
}

function brokerProblems({ brokers }: KafkaSettings): ClientProblem[] {
  return brokers.flatMap((broker, index): ClientProblem[] => {
    const port = Number(broker.slice(broker.lastIndexOf(':') + 1));
    if (port >= 1 && port <= PORT_MAX) return [];
    const setting = `brokers.${index}`;
    return [
      problem(
        setting,
        broker,
        `${setting} is ${broker}, and there is no port ${port}`,
        'a port from 1 to 65535',
      ),
    ];
  });
}

function deliveryProblems({
  client,
  compression,
  idempotence,
  acks,
  inFlightRequests,
}: KafkaSettings): ClientProblem[] {
  const found: ClientProblem[] = [];
  if (lacking[client]?.includes(compression) === true) {
    const text = `compression is ${compression}, which client: ${client} does not have`;
    found.push(problem('compression', compression, text, 'zstd, gzip or none, or another client'));
  }
  if (idempotence && acks !== 'all') {
    const text = `acks is ${acks}, and idempotence is on: a leader alone cannot promise that nothing is there twice`;
    found.push(problem('acks', acks, text, 'acks: all, or idempotence: false'));
  }
  if (idempotence && inFlightRequests > 1) {
    const text = `inFlightRequests is ${inFlightRequests}, and idempotence is on: batches are numbered one after the other`;
    const expected = 'inFlightRequests: 1, or idempotence: false';
    found.push(problem('inFlightRequests', String(inFlightRequests), text, expected));
  }
  return found;
}

function saslProblems({ sasl, tls }: KafkaSettings): ClientProblem[] {
  const { mechanism, username } = sasl;
  const hasPassword = sasl.passwordFile !== '' || sasl.passwordEnv !== '';
  const hasToken = sasl.tokenFile !== '' || sasl.tokenEnv !== '';
  const isPassword = mechanism === 'plain' || mechanism.startsWith('scram-');
  const found: ClientProblem[] = [];
  if (isPassword && username === '') {
    found.push(problem('sasl.username', '', `sasl.username is empty, and ${mechanism} needs one`, 'a user'));
  }
  if (isPassword && !hasPassword) {
    const text = `sasl.passwordFile is empty, and ${mechanism} needs a password`;
    found.push(problem('sasl.passwordFile', '', text, 'passwordFile or passwordEnv'));
  }
  if (mechanism === 'oauthbearer' && !hasToken) {
    const text = 'sasl.tokenFile is empty, and oauthbearer needs a token';
    found.push(problem('sasl.tokenFile', '', text, 'tokenFile or tokenEnv'));
  }
  if (mechanism === 'aws-msk-iam' && !tls.enabled) {
    const text = 'sasl.mechanism is aws-msk-iam, which Amazon MSK takes over TLS only';
    found.push(problem('sasl.mechanism', mechanism, text, 'tls.enabled: true'));
  }
  if (mechanism === 'none' && (username !== '' || hasPassword || hasToken)) {
    const text = 'sasl.mechanism is none, and a user, password or token is given: nobody would be told it';
    found.push(
      problem('sasl.mechanism', mechanism, text, 'plain, scram-sha-256, scram-sha-512 or oauthbearer'),
    );
  }
  return found;
}

function tlsProblems({ tls }: KafkaSettings): ClientProblem[] {
  const files = ['caFile', 'certFile', 'keyFile', 'keyPassphraseFile'] as const;
  if (!tls.enabled) {
    return files
      .filter((name) => tls[name] !== '')
      .map((name) => {
        const text = `tls.${name} is ${tls[name]}, and tls.enabled is false: brokers would be spoken to in clear`;
        return problem(`tls.${name}`, tls[name], text, 'tls.enabled: true');
      });
  }
  const needed = [
    ['certFile', 'keyFile'],
    ['keyFile', 'certFile'],
    ['keyPassphraseFile', 'keyFile'],
  ] as const;
  return needed.flatMap(([has, needs]): ClientProblem[] => {
    if (tls[has] === '' || tls[needs] !== '') return [];
    const text = `tls.${has} is ${tls[has]}, which is of no use without tls.${needs}`;
    return [problem(`tls.${has}`, tls[has], text, `tls.${needs} as well`)];
  });
}

const problem = (setting: string, found: string, text: string, expected: string): ClientProblem => ({
  setting,
  found,
  text,
  expected,
});
