import { describe, expect, test } from 'vitest';
import { defaultConfig, loadConfig } from '../../../src/config/load.ts';
import { refused } from '../../support/refused.ts';

const file = 'sinks:\n  flowLog: { kind: files, directory: flows }\n';

describe('environment', () => {
  test.each([
    ['upper case', { MIRRORTAP_LISTEN__VXLANPORTS: '[1]' }],
    ['lower case', { mirrortap_listen__vxlanports: '[1]' }],
    ['mixed case', { Mirrortap_Listen__vxlanPorts: '[1]' }],
    ['a whole group', { MIRRORTAP_LISTEN: '{ vxlanPorts: [1] }' }],
    ['a block of YAML', { MIRRORTAP_LISTEN: 'vxlanPorts:\n  - 1\n' }],
  ])('%s', (_name, environment) => {
    expect(loadConfig({ environment, set: [] }).listen.vxlanPorts).toEqual([1]);
  });

  test('takes a setting whose last word is one that Kubernetes uses too', () => {
    expect(loadConfig({ environment: { MIRRORTAP_HTTP__PORT: '18080' }, set: [] }).http.port).toBe(18_080);
  });

  test('names a sink of the file whatever its case, and a new one in lower case', () => {
    const environment = {
      MIRRORTAP_SINKS__FLOWLOG__ROTATESECONDS: '7',
      MIRRORTAP_SINKS__SPARE__KIND: 'files',
      MIRRORTAP_SINKS__SPARE__DIRECTORY: 'spare',
      MIRRORTAP_SINKS__SPARE__OUTPUT__ORDER: 'arrival',
    };
    const { sinks } = loadConfig({ text: file, environment, set: [] });
    expect(Object.keys(sinks)).toEqual(['flowLog', 'spare']);
    expect(sinks['flowLog']).toMatchObject({ directory: 'flows', rotateSeconds: 7 });
    expect(sinks['spare']).toMatchObject({ directory: 'spare', output: { order: 'arrival' } });
  });

  test('takes a sink out', () => {
    const environment = { MIRRORTAP_SINKS__CAPTURES: '' };
    expect(loadConfig({ environment, set: [] }).sinks).toEqual({});
  });

  test('a longer path goes over a shorter one', () => {
    const environment = {
      MIRRORTAP_SINKS__CAPTURES__DIRECTORY: '/long',
      MIRRORTAP_SINKS__CAPTURES: '{ kind: files, directory: /short, rotateSeconds: 7 }',
    };
    const { sinks } = loadConfig({ environment, set: [] });
    expect(sinks['captures']).toMatchObject({ directory: '/long', rotateSeconds: 7 });
  });

  test.each([
    'PATH',
    'MIRRORTAPS',
    'MIRRORTAP_CAPTURES',
    'MIRRORTAP_SOAK',
    'MIRRORTAP_SERVICE_HOST',
    'MIRRORTAP_SERVICE_PORT',
    'MIRRORTAP_SERVICE_PORT_HTTP',
    'MIRRORTAP_PORT',
    'MIRRORTAP_PORT_4789_UDP',
    'MIRRORTAP_PORT_4789_UDP_ADDR',
    'MIRRORTAP_METRICS_SERVICE_HOST',
    'MIRRORTAP_METRICS_PORT_8080_TCP_PROTO',
  ])('%s is no setting', (name) => {
    expect(loadConfig({ environment: { [name]: 'x' }, set: [] })).toEqual(defaultConfig());
  });

  test.each([
    [
      'MIRRORTAP_WORKRS',
      '1',
      'workrs is not a known setting; did you mean workers, that is MIRRORTAP_WORKERS?',
    ],
    [
      'MIRRORTAP_LISTEN_MODE',
      'dgram',
      'listen_mode is not a known setting; did you mean listen.mode, that is MIRRORTAP_LISTEN__MODE?',
    ],
    ['MIRRORTAP_LISTEN__MODE__X', '1', 'listen.mode.x is not a known setting.'],
    [
      'MIRRORTAP_LISTEN__VXLANPORT',
      '[1]',
      'listen.vxlanport is not a known setting; did you mean listen.vxlanPorts, that is MIRRORTAP_LISTEN__VXLANPORTS?',
    ],
    ['MIRRORTAP_', '1', ' is not a known setting.'],
    ['MIRRORTAP_WORKERS', 'x', 'workers is "x"; expected a whole number from 0 to 64.'],
    ['MIRRORTAP_LISTEN__VXLANPORTS', '[1', 'a [ before has no ], or what it holds is indented too little.'],
    [
      'MIRRORTAP_SINKS__A__DIRECTORY',
      'x',
      'sinks.a.kind is missing; expected files, kafka, inject, pipe or flow-files.',
    ],
  ])('%s=%s', (name, value, message) => {
    const error = refused({ environment: { [name]: value } });
    expect(error.message).toBe(`environment ${name}: ${message}`);
    expect(error.context['source']).toBe(`environment ${name}`);
  });

  test('two names for one setting are refused', () => {
    const environment = { MIRRORTAP_WORKERS: '1', mirrortap_workers: '2' };
    expect(refused({ environment }).message).toBe(
      'environment mirrortap_workers: MIRRORTAP_WORKERS says the same setting.',
    );
  });
});

describe('--set', () => {
  test('a text setting is taken as it is, any other is read as YAML', () => {
    const set = [
      'sinks.captures.directory=123',
      'workers=0x10',
      'admission.vnis=[7, 100-199]',
      'listen.address=::',
    ];
    const config = loadConfig({ environment: {}, set });
    expect(config.sinks['captures']).toMatchObject({ directory: '123' });
    expect(config.workers).toBe(16);
    expect(config.admission.vnis).toEqual([7, '100-199']);
    expect(config.listen.address).toBe('::');
  });

  test.each(['true', 'on'])('%s for a setting that is true or false', (word) => {
    const config = loadConfig({ environment: {}, set: [`sinks.captures.enabled=${word}`] });
    expect(config.sinks['captures']?.enabled).toBe(true);
  });

  test.each(['false', 'off'])('%s for a word that has off beside it', (word) => {
    const config = loadConfig({ environment: {}, set: [`analysis.checksums.verify=${word}`] });
    expect(config.analysis.checksums.verify).toBe('off');
  });

  test('a text with = in it', () => {
    const config = loadConfig({ environment: {}, set: ['sinks.captures.directory=/a=b'] });
    expect(config.sinks['captures']).toMatchObject({ directory: '/a=b' });
  });

  test('one set keeps what another set', () => {
    const config = loadConfig({
      environment: {},
      set: ['drainSeconds=9', 'drainSeconds=auto', 'http.port=1'],
    });
    expect(config).toMatchObject({ drainSeconds: 'auto', http: { port: 1 } });
  });

  test.each([
    ['workers', '', 'expected path=value, such as listen.mode=dgram.'],
    ['=1', '', 'expected path=value, such as listen.mode=dgram.'],
    ['listen.Mode=auto', 'listen.Mode', 'listen.Mode is not a known setting; did you mean listen.mode?'],
    ['lisen.mode=auto', 'lisen.mode', 'lisen.mode is not a known setting; did you mean listen.mode?'],
    [
      'listen.vxlanPorts[0]=1',
      'listen.vxlanPorts[0]',
      'listen.vxlanPorts[0] is not a known setting; did you mean listen.vxlanPorts?',
    ],
    ['workers.x=1', 'workers.x', 'workers.x is not a known setting.'],
    [
      'sink.captures.format=pcap',
      'sink.captures.format',
      'sink.captures.format is not a known setting; did you mean sinks.captures.format?',
    ],
    [
      'listen.address=',
      'listen.address',
      'listen.address is ""; expected an IPv4 or IPv6 address of this host, 0.0.0.0, or "::" for both families.',
    ],
    ['workers=', 'workers', 'workers is empty; expected a whole number from 0 to 64.'],
    [
      'sinks.captures.dirctory=x',
      'sinks.captures.dirctory',
      'sinks.captures.dirctory is not a known setting; did you mean sinks.captures.directory?',
    ],
  ])('%s', (option, setting, message) => {
    const error = refused({ set: [option] });
    const source = setting === '' ? `--set ${option}` : `--set ${option.slice(0, option.lastIndexOf('='))}`;
    expect(error.message).toBe(`${source}: ${message}`);
    expect(error.code).toBe('CONFIG_INVALID');
  });

  test('a secret is not repeated', () => {
    const error = refused({ set: ['http.token=s3cret'] });
    expect(error.message).toBe(
      '--set http.token: http.token (hidden) is not in this version; it takes no value.',
    );
    expect(error.code).toBe('NOT_IN_THIS_VERSION');
    expect(JSON.stringify(error.context)).not.toContain('s3cret');
  });
});

describe('an option that stands for a setting', () => {
  const ports = (value: string) => ({ setting: 'listen.vxlanPorts', value, source: '--vxlan-ports' });

  test('sets it', () => {
    const config = loadConfig({ environment: {}, set: [ports('[1,2]')] });
    expect(config.listen.vxlanPorts).toEqual([1, 2]);
  });

  test('is named in errors', () => {
    expect(refused({ set: [ports('[0]')] }).message).toBe(
      '--vxlan-ports: listen.vxlanPorts[0] is 0; expected a whole number from 1 to 65535.',
    );
  });
});
