import { type Static, Type } from 'typebox';

const fixed = { reload: false } as const;

const topic = (name: string): ReturnType<typeof Type.String> =>
  Type.String({
    ...fixed,
    default: name,
    minLength: 1,
    maxLength: 249,
    // Kafka has no topics named . and ..
    pattern: '^(?!\\.{1,2}$)(?:[a-zA-Z0-9._-]|\\{vni\\})+$',
    expected: 'a topic name of letters, digits, ".", "_", "-" and {vni}',
    description: 'Topic; {vni} in it stands for the VNI of the packet or flow.',
  });

/** What goes to the packets topic. */
export const packets = Type.Object(
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

/** What goes to the flows topic. */
export const flows = Type.Object(
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

/** Topics that are missing. */
export const createTopics = Type.Object(
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

export type KafkaFlowsSettings = Static<typeof flows>;
