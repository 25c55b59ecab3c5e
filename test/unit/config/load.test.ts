import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { defaultConfig, loadConfig } from '../../../src/config/load.ts';
import { refused } from '../../support/refused.ts';

const scratch = mkdtempSync(join(tmpdir(), 'mirrortap-config-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Loads one YAML text and nothing else. */
function load(text: string, set: string[] = []) {
  return loadConfig({ file: 'm.yaml', text, environment: {}, set });
}

describe('what is accepted', () => {
  test.each(['', '# nothing\n', '---\n', 'listen:\nsinks:\nhttp:\n', '{}', '\ufeffworkers: 0\n'])(
    '%j gives the defaults',
    (text) => {
      expect(load(text)).toEqual(defaultConfig());
    },
  );

  test.each([
    ['on and off for true and false', 'sinks: { captures: { enabled: off } }', false],
    ['true and false as they are', 'sinks: { captures: { enabled: false } }', false],
    ['on', 'sinks: { captures: { enabled: on } }', true],
  ])('%s', (_name, text, enabled) => {
    expect(load(text).sinks['captures']?.enabled).toBe(enabled);
  });

  test('true and false for words with off among them', () => {
    const { analysis } = load('analysis: { checksums: { verify: false }, duplicates: { detect: false } }');
    expect(analysis.checksums.verify).toBe('off');
    expect(analysis.duplicates.detect).toBe('off');
  });

  test('admission as the reference writes it', () => {
    const { admission } = load(
      'admission: { sources: [10.0.0.0/8, "2001:db8::/32", 192.0.2.1], vnis: [7, 100-199], expect: [{ vni: 42, silentSeconds: 300 }] }',
    );
    expect(admission).toMatchObject({
      sources: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.1'],
      vnis: [7, '100-199'],
      expect: [{ vni: 42, silentSeconds: 300 }],
    });
  });

  test('a list of sinks that must accept', () => {
    expect(load('http: { readiness: [captures] }').http.readiness).toEqual(['captures']);
  });

  test('a sink that does not run keeps no folder to itself', () => {
    const config = load('sinks: { a: { kind: files }, b: { kind: files, enabled: off } }');
    expect(Object.keys(config.sinks)).toEqual(['a', 'b']);
  });

  test('aliases', () => {
    const text =
      'sinks:\n  a: { kind: files, output: &o { order: arrival } }\n  b: { kind: files, directory: b, output: *o }';
    expect(load(text).sinks['b']?.output.order).toBe('arrival');
  });
});

describe('sinks by name', () => {
  const captures = defaultConfig().sinks['captures'];

  test.each([
    ['no sink is named', '', ['captures']],
    ['another one is named', 'sinks: { disk: { kind: files } }', ['disk']],
    ['both are named', 'sinks: { captures: {}, disk: { kind: files, directory: x } }', ['captures', 'disk']],
    ['the default one is taken out', 'sinks: { captures: null }', []],
    ['one of two is taken out', 'sinks: { captures:, disk: { kind: files } }', ['disk']],
  ])('%s', (_name, text, names) => {
    expect(Object.keys(load(text).sinks)).toEqual(names);
  });

  test('the default sink keeps its kind and defaults when one of its settings changes', () => {
    const config = load('', ['sinks.captures.directory=/data']);
    expect(config.sinks).toEqual({ captures: { ...captures, directory: '/data' } });
  });

  test('settings come in the order of the reference', () => {
    expect(Object.keys(captures ?? {})).toEqual([
      'kind',
      'directory',
      'format',
      'split',
      'rotateBytes',
      'rotateSeconds',
      'rotatePackets',
      'compress',
      'keepBytes',
      'keepSeconds',
      'keepFreePercent',
      'enabled',
      'select',
      'output',
    ]);
  });

  test('more than 64 are refused', () => {
    const many = Array.from({ length: 65 }, (_, index) => `  s${index}: null`).join('\n');
    expect(refused({ file: 'm.yaml', text: `sinks:\n${many}` }).message).toBe(
      'm.yaml:2:3: sinks is 65 sinks; expected at most 64.',
    );
  });
});

describe('layers', () => {
  test.each([
    ['default', '', {}, [], 0],
    ['file over default', 'workers: 1', {}, [], 1],
    ['environment over file', 'workers: 1', { MIRRORTAP_WORKERS: '2' }, [], 2],
    ['--set over environment', 'workers: 1', { MIRRORTAP_WORKERS: '2' }, ['workers=3'], 3],
    ['the last --set', '', {}, ['workers=3', 'workers=4'], 4],
  ])('%s', (_name, text, environment, set, workers) => {
    expect(loadConfig({ text, environment, set }).workers).toBe(workers);
  });

  test('groups are merged key by key, lists are replaced', () => {
    const config = loadConfig({
      text: 'listen: { vxlanPorts: [1, 2], address: 127.0.0.1 }\nsinks: { a: { kind: files, rotateSeconds: 5 } }',
      environment: { MIRRORTAP_LISTEN: '{ vxlanPorts: [3] }' },
      set: ['sinks.a.rotatePackets=7'],
    });
    expect(config.listen).toMatchObject({ vxlanPorts: [3], address: '127.0.0.1' });
    expect(config.sinks['a']).toMatchObject({ rotateSeconds: 5, rotatePackets: 7 });
  });

  test('a sink taken out by one layer comes back with the next', () => {
    const config = load('sinks: { captures: null }', ['sinks.captures.kind=files']);
    expect(Object.keys(config.sinks)).toEqual(['captures']);
  });

  test('nobody can change the result', () => {
    const config = load('');
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.listen.vxlanPorts)).toBe(true);
    expect(Object.isFrozen(config.sinks['captures']?.output)).toBe(true);
  });
});

describe('the file', () => {
  test('is read', () => {
    const file = join(scratch, 'good.yaml');
    writeFileSync(file, 'workers: 5\n');
    expect(loadConfig({ file, environment: {}, set: [] }).workers).toBe(5);
  });

  test.each([
    ['is missing', join(scratch, 'missing.yaml'), 'there is no such file'],
    ['is a folder', scratch, 'it is a folder'],
  ])('%s', (_name, file, why) => {
    const error = refused({ file });
    expect(error.code).toBe('CONFIG_UNREADABLE');
    expect(error.message).toBe(`Cannot read ${file}: ${why}.`);
    expect(error.context).toEqual({ source: file });
    expect(error.cause).toBeInstanceOf(Error);
  });

  test('is not text', () => {
    const file = join(scratch, 'binary.yaml');
    writeFileSync(file, new Uint8Array([0xff, 0xfe, 0x41, 0x00]));
    expect(refused({ file }).message).toBe(`${file}: not UTF-8 text.`);
  });

  test('is too long to be settings', () => {
    const file = join(scratch, 'long.yaml');
    writeFileSync(file, '#'.repeat(1_048_577));
    expect(refused({ file }).message).toBe(`${file}: more than 1048576 bytes.`);
  });
});
