import { type Static, type TObject, Type } from 'typebox';
import { packetSink } from '../pipeline/settings.ts';
import { flowSinkSettings, sinkSettings } from '../sinks/settings.ts';
import { members } from './schema.ts';

/** Used while nobody names a sink; its other settings are the defaults of its kind. */
export const defaultSink = { name: 'captures', kind: 'files' } as const;

/** A sink's name becomes a metric label, a part of setting paths and of environment variables. */
export const sinkNamePattern = /^[A-Za-z](?:[A-Za-z0-9-]|_(?!_)){0,62}$/;
export const sinkNameExpected =
  'a name of at most 63 letters, digits, - and single _ that begins with a letter';

/** What every sink has, whatever it takes. */
const anySink = Type.Pick(packetSink, ['enabled']);

/**
 * One sink's settings: those every packet sink has, and those of its kind. A sink of flow records has of the first only
 * `enabled`: who asks for `select` or `output` has looked at the kind before.
 */
export type SinkSettings = { readonly kind: string } & Static<typeof packetSink> & {
    readonly [setting: string]: unknown;
  };

const sinkKindNames: readonly string[] = [...Object.keys(sinkSettings), ...Object.keys(flowSinkSettings)];

/** `kind`, with the kinds of this version as its values. */
export const kindSetting = Type.Enum([...sinkKindNames], {
  reload: false,
  description:
    'What the sink does with packets, or flow-files: with flow records; kafka takes both. The sink named captures is of ' +
    'kind files if this is left out.',
});

/** All settings of a sink of each kind of this version. */
export const sinkSchemas: ReadonlyMap<string, TObject> = new Map([
  ...schemas(sinkSettings, packetSink),
  ...schemas(flowSinkSettings, anySink),
]);

function schemas(
  ofKinds: Readonly<Record<string, TObject>>,
  common: TObject,
): (readonly [kind: string, schema: TObject])[] {
  return Object.entries(ofKinds).map(([kind, settings]) => [kind, sinkSchema(settings, common)] as const);
}

/** `kind`, the kind's own settings, then those that all have. */
function sinkSchema(settings: TObject, common: TObject): TObject {
  const shared = { kind: kindSetting, ...common.properties };
  const own = members(settings).filter(([name]) => !Object.hasOwn(shared, name));
  return Type.Object(
    { kind: kindSetting, ...Object.fromEntries(own), ...common.properties },
    { additionalProperties: false },
  );
}
