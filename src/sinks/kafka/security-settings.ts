import { type Static, Type } from 'typebox';

const fixed = { reload: false } as const;

/** How brokers are spoken to. */
export const tls = Type.Object(
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

/** How mirrortap says who it is. */
export const sasl = Type.Object(
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

export type KafkaTlsSettings = Static<typeof tls>;
export type KafkaSaslSettings = Static<typeof sasl>;
