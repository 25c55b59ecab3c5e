import { type Static, Type } from 'typebox';

const fixed = { reload: false } as const;

/** Settings of a sink of kind `pipe`, besides `kind` and what every packet sink has. */
export const pipeSettings = Type.Object(
  {
    path: Type.String({
      ...fixed,
      default: '-',
      minLength: 1,
      description:
        'Where one pcapng of all lanes goes: - is standard output, anything else a named pipe, which is made where it is ' +
        'missing. One worker writes to it, and workers: 0 means 1; with {worker} in the path each worker has a pipe of its ' +
        'own, numbered from 0.',
      examples: ['/run/mirrortap/live.pcapng', '/run/mirrortap/live-{worker}.pcapng'],
    }),
    queueBytes: Type.Integer({
      ...fixed,
      default: 16_777_216,
      minimum: 1_048_576,
      maximum: 4_294_967_296,
      unit: 'bytes',
      description:
        'Memory for packets that wait for a slow reader; past it they are dropped as queueFull. Receiving never waits.',
    }),
  },
  { additionalProperties: false },
);
export type PipeSettings = Static<typeof pipeSettings>;
