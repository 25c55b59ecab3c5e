import { Type } from 'typebox';

const fixed = { reload: false } as const;

/** What waits in memory. */
export const queue = Type.Object(
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

/** What waits on disk. */
export const spool = Type.Object(
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
