import { describe, expect, test } from 'vitest';
import { defaultConfig, loadConfig } from '../../../src/config/load.ts';
import { configChanges, reloadedConfig } from '../../../src/config/reload.ts';
import { MirrorError } from '../../../src/observe/error.ts';

const running = defaultConfig();
const load = (text: string) => loadConfig({ text, environment: {}, set: [] });

describe('configChanges', () => {
  test('none', () => {
    expect(configChanges(running, load('workers: 0'))).toEqual([]);
  });

  test.each([
    ['admission: { sources: [10.0.0.0/8] }', 'admission.sources', true],
    ['admission: { mirrorSources: [10.0.0.1] }', 'admission.mirrorSources', true],
    ['admission: { vnis: [7] }', 'admission.vnis', true],
    ['admission: { laneIdleSeconds: 60 }', 'admission.laneIdleSeconds', true],
    ['admission: { expect: [{ vni: 1, silentSeconds: 9 }] }', 'admission.expect', true],
    ['http: { readiness: all }', 'http.readiness', true],
    ['drainSeconds: 9', 'drainSeconds', true],
    ['admission: { maxLanes: 9 }', 'admission.maxLanes', false],
    ['listen: { vxlanPorts: [1] }', 'listen.vxlanPorts', false],
    ['workers: 3', 'workers', false],
    ['behind: nlb', 'behind', false],
    ['http: { port: 1 }', 'http.port', false],
    ['sinks: { captures: { directory: x } }', 'sinks.captures.directory', false],
  ])('%s', (text, path, reload) => {
    expect(configChanges(running, load(text))).toEqual([{ path, reload }]);
  });

  test('a sink that comes or goes needs a restart', () => {
    const changes = configChanges(running, load('sinks: { disk: { kind: files } }'));
    expect(changes).toContainEqual({ path: 'sinks.captures.kind', reload: false });
    expect(changes).toContainEqual({ path: 'sinks.disk.kind', reload: false });
    expect(changes.some(({ reload }) => reload)).toBe(false);
  });
});

describe('reloadedConfig', () => {
  test('takes what can change and keeps the rest', () => {
    const next = load('workers: 3\nadmission: { vnis: [7], maxLanes: 9 }\ndrainSeconds: 9');
    const config = reloadedConfig(running, next);
    expect(config).toEqual({
      ...running,
      admission: { ...running.admission, vnis: [7] },
      drainSeconds: 9,
    });
    expect(configChanges(config, next).map(({ path }) => path)).toEqual(['workers', 'admission.maxLanes']);
    expect(running.drainSeconds).toBe('auto');
  });

  test('refuses a readiness that names a sink which needs a restart first', () => {
    const next = load('sinks: { disk: { kind: files } }\nhttp: { readiness: [disk] }');
    expect(() => reloadedConfig(running, next)).toThrow(MirrorError);
    expect(() => reloadedConfig(running, next)).toThrow(
      'http.readiness[0] is "disk", which is no sink that runs',
    );
  });
});
