import type { ClientProblem } from './client-problem.ts';
import type { KafkaSettings } from './settings.ts';

/** Options of the two libraries that mirrortap has no setting for: numbers of milliseconds, all of them. */
const ownOptions = {
  platformatic: ['connectTimeout'],
  kafkajs: ['connectionTimeout', 'authenticationTimeout', 'reauthenticationThreshold'],
} as const;

const TIMEOUT_MAX_MS = 2_147_483_647;

/** Options of librdkafka that follow from a setting of ours, and from which. */
const settingOf: readonly (readonly [option: RegExp, setting: string])[] = [
  [/^(?:bootstrap\.servers|metadata\.broker\.list)$/, 'brokers'],
  [/^client\.id$/, 'clientId'],
  [/^(?:request\.required\.)?acks$/, 'acks'],
  [/^enable\.idempotence$/, 'idempotence'],
  [/^compression\.(?:type|codec)$/, 'compression'],
  [/^max\.in\.flight(?:\.requests\.per\.connection)?$/, 'inFlightRequests'],
  [/^(?:request|socket)\.timeout\.ms$/, 'requestTimeoutMs'],
  [/^(?:message\.max\.bytes|batch\.size|batch\.num\.messages)$/, 'batchBytes'],
  [/^queue\.buffering\.max\.(?:messages|kbytes)$/, 'queue'],
  [/^security\.protocol$/, 'tls.enabled and sasl.mechanism'],
  [/^(?:ssl\.|enable\.ssl\.)/, 'tls'],
  [/^(?:sasl\.|enable\.sasl\.)/, 'sasl'],
];

/** Options of librdkafka that would take away what the sink stands on. */
const impossible: readonly (readonly [option: RegExp, why: string])[] = [
  [/^transactional\.id$/, 'mirrortap writes without transactions'],
  [/^(?:message|delivery)\.timeout\.ms$/, 'a record that the library gives up on could be there twice'],
  [/^(?:message\.send\.max\.)?retries$/, 'a record that the library gives up on could be there twice'],
  [/(?:_cb|^opaque|^default_topic_conf|^interceptors)$/, 'it is a place in memory'],
  [/^(?:log\.queue|statistics\.interval\.ms)$/, 'mirrortap reads the log of the library itself'],
];

/** What is wrong with the group `options` of a client. Values are not shown: one may be a password. */
export function optionProblems(
  client: KafkaSettings['client'],
  options: Readonly<Record<string, unknown>>,
): ClientProblem[] {
  const check = client === 'librdkafka' ? librdkafkaProblem : libraryProblem(client);
  return Object.entries(options).flatMap(([name, value]): ClientProblem[] => {
    const wrong = check(name, value);
    if (wrong === undefined) return [];
    return [
      {
        setting: 'options',
        found: name,
        text: `options.${name} ${wrong[0]}`,
        expected: wrong[1],
      },
    ];
  });
}

type Check = (name: string, value: unknown) => readonly [what: string, expected: string] | undefined;

const libraryProblem =
  (client: keyof typeof ownOptions): Check =>
  (name, value) => {
    const names: readonly string[] = ownOptions[client];
    if (!names.includes(name)) {
      return [`cannot be handed on to client: ${client}`, `none other than ${names.join(', ')}`];
    }
    if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= TIMEOUT_MAX_MS)
      return undefined;
    return ['is no number of milliseconds', `an integer from 1 to ${TIMEOUT_MAX_MS}`];
  };

const librdkafkaProblem: Check = (name, value) => {
  const setting = settingOf.find(([option]) => option.test(name))?.[1];
  if (setting !== undefined) return [`is what ${setting} says`, setting];
  const why = impossible.find(([option]) => option.test(name))?.[1];
  if (why !== undefined) return [`cannot be set: ${why}`, 'to be left out'];
  if (['string', 'number', 'boolean'].includes(typeof value)) return undefined;
  return ['is neither text nor a number nor true or false', 'one value'];
};
