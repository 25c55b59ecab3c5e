import { type Static, Type } from 'typebox';
import { http } from '../http/settings.ts';
import { listen } from '../inputs/settings.ts';
import { admission, analysis, behind } from '../receive/settings.ts';
import type { SinkSettings } from './sink-settings.ts';

const workers = Type.Integer({
  default: 0,
  minimum: 0,
  maximum: 64,
  unit: 'threads',
  reload: false,
  description: 'Threads that receive. 0: one fewer than there are cores, at least 1, at most 8.',
});

const drainSeconds = Type.Union([Type.Enum(['auto']), Type.Integer({ minimum: 0, maximum: 86_400 })], {
  default: 'auto',
  unit: 's',
  reload: true,
  examples: [300],
  description:
    'How long receiving goes on after SIGTERM. auto: 0, or behind a load balancer 90, ' +
    'ended early by 5 s without packets.',
});

/** The tree's settings before the sinks, in the order in which they are printed. */
export const beforeSinks = Type.Object(
  { listen, workers, behind, admission, analysis },
  { additionalProperties: false },
);

/** The tree's settings after the sinks. */
export const afterSinks = Type.Object({ http, drainSeconds }, { additionalProperties: false });

/** Settings all the way down that nobody changes. */
export type Frozen<T> = T extends object ? { readonly [Key in keyof T]: Frozen<T[Key]> } : T;

/** All settings, filled and checked: what the rest of the program may trust. */
export type Config = Frozen<
  Static<typeof beforeSinks> & { sinks: Record<string, SinkSettings> } & Static<typeof afterSinks>
>;
