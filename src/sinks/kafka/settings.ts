import { type Static, Type } from 'typebox';
import { sasl, tls } from './security-settings.ts';
import { createTopics, flows, packets } from './topic-settings.ts';
import { queue, spool } from './waiting-settings.ts';

const fixed = { reload: false } as const;

/** Settings of a sink of kind `kafka`, besides `kind` and what every packet sink has. */
export const kafkaSettings = Type.Object(
  {
    brokers: Type.Array(
      Type.String({ pattern: '^(?:\\[[0-9a-fA-F:.]+\\]|[^\\s:/\\[\\]]+):\\d{1,5}$', expected: 'host:port' }),
      {
        ...fixed,
        default: ['127.0.0.1:9092'],
        minItems: 1,
        maxItems: 100,
        description: 'Brokers to begin with; the others are learned from them.',
        examples: [['kafka-1.example:9092', 'kafka-2.example:9092']],
      },
    ),
    client: Type.Enum(['platformatic', 'kafkajs', 'librdkafka'], {
      ...fixed,
      default: 'platformatic',
      description:
        'The Kafka library: @platformatic/kafka, kafkajs, or librdkafka where the system has it installed.',
    }),
    clientId: Type.String({
      ...fixed,
      default: 'mirrortap',
      minLength: 1,
      maxLength: 200,
      description: 'Name under which brokers log, and set quotas for, this client.',
    }),
    tls,
    sasl,
    packets,
    flows,
    createTopics,
    acks: Type.Enum(['all', 'leader', 'none'], {
      ...fixed,
      default: 'all',
      description:
        'Who must have a record before it counts as written: all replicas in sync, the leader, nobody. none: it counts ' +
        'once it was sent.',
    }),
    idempotence: Type.Boolean({
      ...fixed,
      default: true,
      description:
        'Whether brokers leave out what is sent a second time because an answer was lost; needs acks: all and ' +
        'inFlightRequests: 1.',
    }),
    compression: Type.Enum(['zstd', 'lz4', 'snappy', 'gzip', 'none'], {
      ...fixed,
      default: 'none',
      description: 'Compression of the records; kafkajs knows zstd, gzip and none.',
    }),
    lingerMs: Type.Integer({
      ...fixed,
      default: 100,
      minimum: 0,
      maximum: 60_000,
      unit: 'ms',
      description: 'Longest time that a record waits for others to be sent with.',
    }),
    batchBytes: Type.Integer({
      ...fixed,
      default: 900_000,
      minimum: 16_384,
      maximum: 100_000_000,
      unit: 'bytes',
      description:
        'Most bytes of records in one batch of a partition, and of one pcapng; topics take 1,048,588 where nobody changed it.',
    }),
    inFlightRequests: Type.Integer({
      ...fixed,
      default: 1,
      minimum: 1,
      maximum: 100,
      description: 'Batches of a worker that are under way at a time; over 1 a retry may change the order.',
    }),
    requestTimeoutMs: Type.Integer({
      ...fixed,
      default: 30_000,
      minimum: 100,
      maximum: 3_600_000,
      unit: 'ms',
      description: 'A broker that has not answered after this is asked again.',
    }),
    retryMaxMs: Type.Integer({
      ...fixed,
      default: 10_000,
      minimum: 100,
      maximum: 3_600_000,
      unit: 'ms',
      description: 'Longest wait before brokers are tried again; the first is 100 ms, and each doubles.',
    }),
    closeSeconds: Type.Integer({
      ...fixed,
      default: 10,
      minimum: 0,
      maximum: 86_400,
      unit: 's',
      description:
        'How long a stop waits for the brokers to take what is left; then it is spooled, or dropped as notSent.',
    }),
    queue,
    onFull: Type.Enum(['spool', 'drop'], {
      ...fixed,
      default: 'spool',
      description:
        'What becomes of records while brokers are away or too slow: they wait on disk, or are dropped.',
    }),
    spool,
    options: Type.Record(Type.String(), Type.Unknown(), {
      ...fixed,
      default: {},
      expected: "a group of the client's own options",
      description:
        'Further options of the chosen client, under its own names, that no setting stands for; docs/kafka.md says which.',
    }),
  },
  { additionalProperties: false },
);
export type KafkaSettings = Omit<Static<typeof kafkaSettings>, 'packets' | 'flows'> & {
  /** null: turned off. */
  readonly packets: Static<typeof packets> | null;
  readonly flows: Static<typeof flows> | null;
};

/** What a client must know of the settings. */
export type KafkaClientSettings = Pick<
  KafkaSettings,
  | 'brokers'
  | 'client'
  | 'clientId'
  | 'tls'
  | 'sasl'
  | 'acks'
  | 'idempotence'
  | 'compression'
  | 'inFlightRequests'
  | 'requestTimeoutMs'
  | 'batchBytes'
  | 'options'
>;
