import { type Static, Type } from 'typebox';

const fixed = { reload: false } as const;

const tls = Type.Object(
  {
    enabled: Type.Boolean({
      ...fixed,
      default: false,
      description: 'Whether brokers are spoken to over TLS.',
    }),
    caFile: Type.String({
      ...fixed,
      default: '',
      description: 'PEM file with the certificates to trust; empty: those of the system.',
      examples: ['/etc/mirrortap/ca.pem'],
    }),
    certFile: Type.String({
      ...fixed,
      default: '',
      description: 'PEM file with the client certificate; empty: none is shown.',
    }),
    keyFile: Type.String({ ...fixed, default: '', description: 'PEM file with the key of certFile.' }),
    keyPassphraseFile: Type.String({
      ...fixed,
      default: '',
      description: 'File with the passphrase of keyFile; empty: it has none.',
    }),
    verify: Type.Boolean({
      ...fixed,
      default: true,
      description: 'Whether a certificate that nobody vouches for, or for another name, is refused.',
    }),
  },
  { additionalProperties: false },
);

const sasl = Type.Object(
  {
    mechanism: Type.Enum(['none', 'plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer', 'aws-msk-iam'], {
      ...fixed,
      default: 'none',
      description: 'How mirrortap says who it is. aws-msk-iam takes the credentials that the AWS SDK finds.',
    }),
    username: Type.String({ ...fixed, default: '', description: 'User for plain and scram.' }),
    passwordFile: Type.String({
      ...fixed,
      default: '',
      description: 'File with the password; one line end at its end is not part of it.',
      examples: ['/run/secrets/kafka-password'],
    }),
    passwordEnv: Type.String({
      ...fixed,
      default: '',
      description: 'Environment variable with the password, where there is no passwordFile.',
      examples: ['KAFKA_PASSWORD'],
    }),
    tokenFile: Type.String({
      ...fixed,
      default: '',
      description:
        'oauthbearer: file with the token, read again for each connection: somebody else renews it.',
    }),
    tokenEnv: Type.String({
      ...fixed,
      default: '',
      description: 'oauthbearer: environment variable with the token, where there is no tokenFile.',
    }),
    region: Type.String({
      ...fixed,
      default: '',
      description: 'aws-msk-iam: the region of the cluster; empty: AWS_REGION.',
      examples: ['eu-central-1'],
    }),
  },
  { additionalProperties: false },
);

const topic = (name: string): ReturnType<typeof Type.String> =>
  Type.String({
    ...fixed,
    default: name,
    minLength: 1,
    maxLength: 249,
    pattern: '^(?:[a-zA-Z0-9._-]|\\{vni\\})+$',
    expected: 'a topic name of letters, digits, ".", "_", "-" and {vni}',
    description: 'Topic; {vni} in it stands for the VNI of the packet or flow.',
  });

const packets = Type.Object(
  {
    topic: topic('mirrortap.packets'),
    encoding: Type.Enum(['frame', 'pcapng'], {
      ...fixed,
      default: 'frame',
      description:
        'frame: one record a packet, its value the inner frame. pcapng: each record a complete pcapng of many packets of ' +
        'one lane, at a fraction of the cost.',
    }),
  },
  {
    additionalProperties: false,
    off: true,
    description: 'What goes to the packets topic; null: no packets.',
  },
);

const registry = Type.Object(
  {
    url: Type.String({
      ...fixed,
      default: '',
      description: 'encoding avro: URL of the schema registry.',
      examples: ['https://registry.example:8081'],
    }),
    username: Type.String({
      ...fixed,
      default: '',
      description: 'User of the schema registry; empty: none.',
    }),
    passwordFile: Type.String({ ...fixed, default: '', description: 'File with its password.' }),
    passwordEnv: Type.String({
      ...fixed,
      default: '',
      description: 'Environment variable with its password.',
    }),
  },
  { additionalProperties: false },
);

const flows = Type.Object(
  {
    topic: topic('mirrortap.flows'),
    encoding: Type.Enum(['json', 'avro'], {
      ...fixed,
      default: 'json',
      description:
        "json: the record as docs/flow-records.md says; avro: the same in a schema registry's format.",
    }),
    registry,
  },
  {
    additionalProperties: false,
    off: true,
    description: 'What goes to the flows topic; null: no flow records.',
  },
);

const createTopics = Type.Object(
  {
    enabled: Type.Boolean({
      ...fixed,
      default: false,
      description: 'Whether topics that are missing are created.',
    }),
    partitions: Type.Integer({
      ...fixed,
      default: 12,
      minimum: 1,
      maximum: 10_000,
      description: 'Partitions of a topic that is created.',
    }),
    replication: Type.Integer({
      ...fixed,
      default: 3,
      minimum: 1,
      maximum: 100,
      description: 'Replicas of each partition of a topic that is created.',
    }),
  },
  { additionalProperties: false },
);

const queue = Type.Object(
  {
    bytes: Type.Integer({
      ...fixed,
      default: 33_554_432,
      minimum: 4_194_304,
      maximum: 4_294_967_296,
      unit: 'bytes',
      description:
        'Memory of a worker for what waits for the brokers or the spool; packets and flow records each.',
    }),
    records: Type.Integer({
      ...fixed,
      default: 500_000,
      minimum: 1000,
      maximum: 1_000_000_000,
      unit: 'records',
      description: 'Most packets of a worker that wait there; flow records likewise.',
    }),
  },
  { additionalProperties: false },
);

const spool = Type.Object(
  {
    directory: Type.String({
      ...fixed,
      default: './spool',
      minLength: 1,
      description: 'Folder for what waits on disk; it is made where it is missing. One process writes to it.',
      examples: ['/var/lib/mirrortap/spool'],
    }),
    maxBytes: Type.Integer({
      ...fixed,
      default: 10_737_418_240,
      minimum: 16_777_216,
      unit: 'bytes',
      description: 'Most bytes in the spool, all workers together; past it records are dropped as spoolFull.',
    }),
    maxSeconds: Type.Integer({
      ...fixed,
      default: 86_400,
      minimum: 0,
      unit: 's',
      description: 'What has waited longer is dropped as spoolExpired; 0: nothing is.',
    }),
    segmentBytes: Type.Integer({
      ...fixed,
      default: 67_108_864,
      minimum: 1_048_576,
      maximum: 1_073_741_824,
      unit: 'bytes',
      description:
        'A file of the spool is full at so many bytes; it is deleted once all in it is acknowledged.',
    }),
    fsync: Type.Enum(['interval', 'always', 'never'], {
      ...fixed,
      default: 'interval',
      description:
        'When the disk is asked to have it for certain: every fsyncMs, after each append, or never. It matters when the ' +
        'power fails; what was written outlives the process in any case.',
    }),
    fsyncMs: Type.Integer({
      ...fixed,
      default: 1000,
      minimum: 10,
      maximum: 3_600_000,
      unit: 'ms',
      description: 'fsync interval: how often.',
    }),
  },
  { additionalProperties: false },
);

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
export type KafkaTlsSettings = Static<typeof tls>;
export type KafkaSaslSettings = Static<typeof sasl>;
export type KafkaFlowsSettings = Static<typeof flows>;

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
