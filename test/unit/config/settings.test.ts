import { type TSchema, Type } from 'typebox';
import { Check } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { defaultConfig, loadConfig } from '../../../src/config/load.ts';
import { rootNames } from '../../../src/config/known.ts';
import { annotations, leaves, limits } from '../../../src/config/schema.ts';
import { afterSinks, beforeSinks } from '../../../src/config/settings.ts';
import { sinkSchemas } from '../../../src/config/sink-settings.ts';
import { flowSinkSettings, sinkSettings } from '../../../src/sinks/settings.ts';

const all: { path: string; schema: TSchema }[] = [
  ...leaves(beforeSinks),
  ...[...sinkSchemas].flatMap(([kind, schema]) => leaves(schema, ['sinks', kind])),
  ...leaves(afterSinks),
].map(({ path, schema }) => ({ path: path.join('.'), schema }));

/** Settings without a default. */
const mustBeGiven = ['.kind', '.interface'];

/** What the end of a name says of its unit. */
const units = [
  ['bytes', 'bytes'],
  ['seconds', 's'],
  ['us', 'µs'],
  ['ms', 'ms'],
  ['percent', '%'],
] as const;

describe('every setting says all there is to say', () => {
  test.each(all)('$path', ({ path, schema }) => {
    const { description = '', default: fallback, reload, unit } = annotations(schema);
    expect(description).toMatch(/^[A-Za-z"].*\.$/);
    expect(typeof reload).toBe('boolean');
    if (!mustBeGiven.includes(path.slice(path.lastIndexOf('.')))) expect(Check(schema, fallback)).toBe(true);
    const last = path.split('.').at(path.includes('.idleSeconds.') ? -2 : -1) ?? '';
    const want = units.find(([ending]) => last.toLowerCase().endsWith(ending))?.[1];
    if (want !== undefined) expect(unit).toBe(want);
  });

  test.each(all.filter(({ schema }) => Type.IsInteger(schema)))('$path has a least value', ({ schema }) => {
    expect(limits(schema).minimum).toBeTypeOf('number');
  });

  test.each(all.filter(({ schema }) => Type.IsArray(schema)))('$path has a longest length', ({ schema }) => {
    expect(limits(schema).maxItems).toBeTypeOf('number');
  });

  test.each(
    all.flatMap(({ path, schema }) =>
      (annotations(schema).examples ?? []).map((example) => ({ path, schema, example })),
    ),
  )('$path: the example $example is right', ({ schema, example }) => {
    expect(Check(schema, example)).toBe(true);
  });
});

test.each([
  ['packets', sinkSettings, ['kind', 'enabled', 'select', 'output']],
  ['flow records', flowSinkSettings, ['kind', 'enabled']],
])(
  'every kind of sink of %s has a schema with its own settings and those of all',
  (_what, ofKinds, common) => {
    for (const [kind, settings] of Object.entries(ofKinds)) {
      const names = Object.keys(sinkSchemas.get(kind)?.properties ?? {});
      expect(names.toSorted()).toEqual([...common, ...Object.keys(settings.properties)].toSorted());
    }
  },
);

/** The stable paths, as they are promised to users; some of these values are those of a later version. */
const promised = `
listen:
  mode: auto
  address: 0.0.0.0
  interface: auto
  vxlanPorts: [4789]
  genevePorts: [6081]
  receiveBufferBytes: 67108864
  ring: { bytes: 67108864, retireMs: 8 }
  steering: flow
workers: 0
behind: direct
admission: { sources: [], mirrorSources: [], vnis: [], maxLanes: 4096, laneIdleSeconds: 86400,
             expect: [] }
analysis:
  checksums: { verify: all }
  order: { holdUs: 20000, holdPackets: 64, holdBytes: 67108864 }
  duplicates: { detect: off, windowUs: 100000, acrossVnis: true }
  flows: { enabled: true, maxFlows: 1000000, nameBytes: 67108864, idleSeconds: { tcp: 350, udp: 60, other: 30 }, activeSeconds: 120 }
sinks:
  captures: { kind: files, directory: ./captures, format: pcapng, split: lane, rotateBytes: 268435456, rotateSeconds: 300, rotatePackets: 0,
              compress: none, keepBytes: 0, keepSeconds: 0, keepFreePercent: 10 }
  flowLog:  { kind: flow-files, directory: ./flows }
  bus:      { kind: kafka, brokers: [127.0.0.1:9092], client: platformatic,
              packets: { topic: mirrortap.packets, encoding: frame }, flows: { topic: mirrortap.flows, encoding: json },
              spool: { directory: ./spool, maxBytes: 10737418240, maxSeconds: 86400 } }
  tap:      { kind: inject, interface: tap0, cut: pad }
  stdout:   { kind: pipe, path: "-" }
http: { address: 0.0.0.0, port: 8080, readiness: any, tcpHealthPort: 0 }
drainSeconds: auto
`;

describe('the promised settings', () => {
  test('are all taken as they are', () => {
    const config = loadConfig({ file: 'm.yaml', text: promised, environment: {}, set: [] });
    expect(config).toMatchObject(parse(promised));
  });

  test('have these defaults, and come in this order', () => {
    const want = parse(promised);
    want.analysis.flows.perVlan = false;
    want.sinks = { captures: want.sinks.captures };
    const config = defaultConfig();
    expect(config).toMatchObject(want);
    expect(Object.keys(config)).toEqual(Object.keys(want));
    expect(Object.keys(config)).toEqual(rootNames);
    for (const group of ['listen', 'admission', 'analysis'] as const) {
      expect(Object.keys(config[group])).toEqual(Object.keys(want[group]));
    }
    expect(Object.keys(config.analysis.flows)).toEqual(Object.keys(want.analysis.flows));
    expect(Object.keys(config.sinks['captures'] ?? {}).slice(0, 11)).toEqual(
      Object.keys(want.sinks.captures),
    );
  });
});
