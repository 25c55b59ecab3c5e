import type * as Signer from 'aws-msk-iam-sasl-signer-js';

import { MirrorError } from '../../../observe/error.ts';
import type { KafkaToken } from '../secrets.ts';

const signer = 'aws-msk-iam-sasl-signer-js';

/**
 * Makes tokens for Amazon MSK with IAM, from the credentials that the AWS SDK finds; each is good for 15 minutes, and for
 * connecting only.
 *
 * @param region - empty: that of the environment
 * @throws MirrorError KAFKA_CLIENT_UNAVAILABLE where the signer is not installed
 */
export async function mskTokens(region: string): Promise<() => Promise<KafkaToken>> {
  const { generateAuthToken } = await loadSigner();
  const where =
    region === '' ? (process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'] ?? '') : region;
  if (where === '') {
    const message = 'sasl.region is empty, and so are AWS_REGION and AWS_DEFAULT_REGION';
    throw new MirrorError('SECRET_UNREADABLE', message, { setting: 'sasl.region' });
  }
  return async () => {
    try {
      const { token, expiryTime } = await generateAuthToken({ region: where });
      return { value: token, expiresAtMs: expiryTime };
    } catch (cause) {
      const message = 'no token for Amazon MSK could be made from the AWS credentials';
      throw new MirrorError(
        'SECRET_UNREADABLE',
        message,
        { setting: 'sasl.mechanism', region: where },
        { cause },
      );
    }
  };
}

async function loadSigner(): Promise<typeof Signer> {
  try {
    return await import('aws-msk-iam-sasl-signer-js');
  } catch (cause) {
    throw new MirrorError(
      'KAFKA_CLIENT_UNAVAILABLE',
      `sasl.mechanism aws-msk-iam needs the package ${signer}, which cannot be loaded`,
      { package: signer },
      { cause },
    );
  }
}
