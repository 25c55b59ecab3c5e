import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { printConfig } from '../../../src/config/print.ts';

const port = fc.integer({ min: 1, max: 65_535 });
const vni = fc.integer({ min: 0, max: 0xff_ffff });
const range = fc.tuple(vni, vni).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
const address = fc.oneof(fc.ipV4(), fc.ipV6());
const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,10}$/);

const sink = fc.record(
  {
    kind: fc.constant('files'),
    format: fc.constantFrom('pcapng', 'pcap'),
    rotateSeconds: fc.nat(1000),
    enabled: fc.boolean(),
    output: fc.record({ order: fc.constantFrom('auto', 'arrival') }, { requiredKeys: [] }),
  },
  { requiredKeys: ['kind'] },
);

/** Sinks under any names, each in a folder with any name. */
const sinks = fc
  .dictionary(name, fc.tuple(sink, fc.string({ minLength: 1 })), { maxKeys: 4 })
  .map((all) =>
    Object.fromEntries(
      Object.entries(all).map(([sinkName, [settings, folder]], index) => [
        sinkName,
        { ...settings, directory: `${index}${folder.replaceAll('/', '_')}` },
      ]),
    ),
  );

const settings = fc.record(
  {
    listen: fc.record(
      {
        mode: fc.constantFrom('auto', 'dgram'),
        address,
        vxlanPorts: fc.uniqueArray(port, { minLength: 1, maxLength: 16 }),
        genevePorts: fc.constant([]),
      },
      { requiredKeys: ['vxlanPorts', 'genevePorts'] },
    ),
    workers: fc.integer({ min: 0, max: 64 }),
    behind: fc.constantFrom('direct', 'nlb', 'gwlb'),
    admission: fc.record({
      sources: fc.array(
        fc.oneof(
          address,
          fc.ipV4().map((text) => `${text}/24`),
        ),
        { maxLength: 5 },
      ),
      vnis: fc.array(fc.oneof(vni, range), { maxLength: 5 }),
      expect: fc.uniqueArray(fc.record({ vni, silentSeconds: fc.integer({ min: 1, max: 1000 }) }), {
        selector: (each) => each.vni,
        maxLength: 3,
      }),
    }),
    analysis: fc.record({
      checksums: fc.record({ verify: fc.constantFrom('all', 'sampled', 'off', false) }),
    }),
    sinks,
    http: fc.record({
      port: fc.integer({ min: 0, max: 65_535 }),
      readiness: fc.constantFrom('any', 'all', 'none'),
    }),
    drainSeconds: fc.oneof(fc.constant('auto'), fc.nat(1000)),
  },
  { requiredKeys: [] },
);

test('what is printed loads to the same settings, and prints the same again', () => {
  fc.assert(
    fc.property(settings, (given) => {
      const config = loadConfig({ text: JSON.stringify(given), environment: {}, set: [] });
      const printed = printConfig(config);
      const again = loadConfig({ text: printed, environment: {}, set: [] });
      expect(again).toEqual(config);
      expect(printConfig(again)).toBe(printed);
    }),
  );
});

test('no sinks at all is said, so that the default one does not come back', () => {
  const config = loadConfig({ text: 'sinks: { captures: null }', environment: {}, set: [] });
  const printed = printConfig(config);
  expect(printed).toContain('sinks:\n  captures: null\n');
  expect(loadConfig({ text: printed, environment: {}, set: [] }).sinks).toEqual({});
});

test('lists stand on one line, texts that look like something else in quotes', () => {
  const text =
    'listen: { address: "::", vxlanPorts: [1, 2] }\nsinks: { a: { kind: files, directory: "123" } }';
  const printed = printConfig(loadConfig({ text, environment: {}, set: [] }));
  expect(printed).toContain('  address: "::"\n');
  expect(printed).toContain('  vxlanPorts: [1, 2]\n');
  expect(printed).toContain('    directory: "123"\n');
});
