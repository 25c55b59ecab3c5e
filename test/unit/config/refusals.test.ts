import { describe, expect, test } from 'vitest';
import { refused } from '../../support/refused.ts';

const ADDRESS = 'an IPv4 or IPv6 address, or a block of them such as 10.0.0.0/8';
const VNI = 'a whole number from 0 to 16777215 or a range such as 100-199';
const PORT = 'a whole number from 1 to 65535';

describe('a wrong value is named with its place, what was found and what was expected', () => {
  test.each([
    ['workers: -3', `m.yaml:1:10: workers is -3; expected a whole number from 0 to 64.`],
    ['workers: 1.5', `m.yaml:1:10: workers is 1.5; expected a whole number from 0 to 64.`],
    ['workers: two', `m.yaml:1:10: workers is "two"; expected a whole number from 0 to 64.`],
    ['workers:', `m.yaml:1:9: workers is empty; expected a whole number from 0 to 64.`],
    ['workers: .inf', `m.yaml:1:10: workers is Infinity; expected a whole number from 0 to 64.`],
    ['behind: alb', `m.yaml:1:9: behind is "alb"; expected direct, nlb or gwlb.`],
    ['listen: 3', `m.yaml:1:9: listen is 3; expected a group of settings.`],
    ['listen:\n  mode: raw', `m.yaml:2:9: listen.mode is "raw"; expected auto, ring, mmsg or dgram.`],
    [
      'listen:\n  interface: e/0',
      'm.yaml:2:14: listen.interface is "e/0"; expected auto, the name of a network interface or a list, each item the name of a network interface.',
    ],
    [
      'listen: { ring: { bytes: 1 } }',
      'm.yaml:1:26: listen.ring.bytes is 1; expected a whole number from 1048576 to 1073741824.',
    ],
    [
      'listen:\n  address: host.example',
      `m.yaml:2:12: listen.address is "host.example"; expected an IPv4 or IPv6 address of this host, 0.0.0.0, or "::" for both families.`,
    ],
    ['listen:\n  vxlanPorts: [4789, 70000]', `m.yaml:2:22: listen.vxlanPorts[1] is 70000; expected ${PORT}.`],
    [
      'listen:\n  vxlanPorts: 4789',
      `m.yaml:2:15: listen.vxlanPorts is 4789; expected a list, each item ${PORT}, such as [4789,8472].`,
    ],
    [
      `listen:\n  vxlanPorts: [${Array.from({ length: 17 }, (_, i) => i + 1).join()}]`,
      `m.yaml:2:15: listen.vxlanPorts is a list of 17; expected at most 16.`,
    ],
    [
      'admission: { sources: [10.0.0.0/33] }',
      `m.yaml:1:24: admission.sources[0] is "10.0.0.0/33"; expected ${ADDRESS}.`,
    ],
    [
      'admission: { mirrorSources: [x] }',
      `m.yaml:1:30: admission.mirrorSources[0] is "x"; expected ${ADDRESS}.`,
    ],
    ['admission: { vnis: [7, 199-100] }', `m.yaml:1:24: admission.vnis[1] is "199-100"; expected ${VNI}.`],
    ['admission: { vnis: [16777216] }', `m.yaml:1:21: admission.vnis[0] is 16777216; expected ${VNI}.`],
    ['admission: { vnis: [1-16777216] }', `m.yaml:1:21: admission.vnis[0] is "1-16777216"; expected ${VNI}.`],
    [
      'admission: { expect: [{ vni: 7 }] }',
      `m.yaml:1:23: admission.expect[0].silentSeconds is missing; expected a whole number from 1 to 31536000.`,
    ],
    [
      'admission: { expect: [{ vni: 7, silentSeconds: 0 }] }',
      `m.yaml:1:48: admission.expect[0].silentSeconds is 0; expected a whole number from 1 to 31536000.`,
    ],
    [
      'analysis: { checksums: { verify: true } }',
      `m.yaml:1:34: analysis.checksums.verify is true; expected all, sampled or off.`,
    ],
    [
      'drainSeconds: soon',
      `m.yaml:1:15: drainSeconds is "soon"; expected auto or a whole number from 0 to 86400.`,
    ],
    [
      'http: { readiness: some }',
      `m.yaml:1:20: http.readiness is "some"; expected any, all, none, or a list of names of sinks.`,
    ],
    ['http: { readiness: [] }', `m.yaml:1:20: http.readiness is a list of 0; expected at least 1.`],
    [
      'http: { readiness: [captures, captures] }',
      `m.yaml:1:20: http.readiness is a list of 2; expected each item once.`,
    ],
    ['sinks: [files]', `m.yaml:1:8: sinks is ["files"]; expected a group of sinks, each under its name.`],
    [
      'sinks: { a: 1 }',
      `m.yaml:1:13: sinks.a is 1; expected a group of settings, or nothing to take the sink out.`,
    ],
    [
      'sinks: { a: {} }',
      `m.yaml:1:10: sinks.a.kind is missing; expected files, kafka, inject, pipe or flow-files.`,
    ],
    [
      'sinks: { a: { kind: file } }',
      `m.yaml:1:21: sinks.a.kind is "file"; expected files, kafka, inject, pipe or flow-files.`,
    ],
    [
      'sinks: { "a.b": { kind: files } }',
      `m.yaml:1:10: sinks.a.b is not a name for a sink; expected a name of at most 63 letters, digits, - and single _ that begins with a letter.`,
    ],
    [
      'sinks: { __proto__: { kind: files } }',
      `m.yaml:1:10: sinks.__proto__ is not a name for a sink; expected a name of at most 63 letters, digits, - and single _ that begins with a letter.`,
    ],
    ['3', 'm.yaml:1:1: this is 3; expected settings such as workers: 2.'],
  ])('%s', (text, message) => {
    const error = refused({ file: 'm.yaml', text });
    expect(error.message).toBe(message);
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.context['source']).toBe(message.slice(0, message.indexOf(': ')));
  });

  test('the context has the facts one by one', () => {
    const { context } = refused({ file: 'm.yaml', text: 'listen:\n  vxlanPorts: [70000]' });
    expect(context).toEqual({
      source: 'm.yaml:2:16',
      setting: 'listen.vxlanPorts[0]',
      found: '70000',
      expected: PORT,
    });
  });

  test('a long value is cut', () => {
    const { message } = refused({ text: `workers: ${'x'.repeat(500)}` });
    expect(message.length).toBeLessThan(160);
    expect(message).toContain('…; expected');
  });
});

describe('a setting that is not known is refused with the nearest known one', () => {
  test.each([
    [
      'listen:\n  vxlanPort: [1]',
      'm.yaml:2:3: listen.vxlanPort is not a known setting; did you mean listen.vxlanPorts?',
    ],
    ['lisen: { mode: auto }', 'm.yaml:1:1: lisen is not a known setting; did you mean listen?'],
    ['sink: {}', 'm.yaml:1:1: sink is not a known setting; did you mean sinks?'],
    ['vxlanPorts: [1]', 'm.yaml:1:1: vxlanPorts is not a known setting; did you mean listen.vxlanPorts?'],
    ['http: { vnis: [1] }', 'm.yaml:1:9: http.vnis is not a known setting; did you mean admission.vnis?'],
    ['rainbow: 1', 'm.yaml:1:1: rainbow is not a known setting.'],
    [
      'sinks: { captures: { dirctory: x } }',
      'm.yaml:1:22: sinks.captures.dirctory is not a known setting; did you mean sinks.captures.directory?',
    ],
    [
      'admission: { expect: [{ vni: 1, silentSeconds: 3, silentSecond: 4 }] }',
      'm.yaml:1:51: admission.expect[0].silentSecond is not a known setting; did you mean admission.expect[0].silentSeconds?',
    ],
    [
      'sinks: { log: { kind: flow-files, output: { order: flow } } }',
      'm.yaml:1:35: sinks.log.output is not a known setting.',
    ],
    ['1: 2', 'm.yaml:1:1: 1 is not a known setting.'],
    ['toString: 2', 'm.yaml:1:1: toString is not a known setting.'],
  ])('%s', (text, message) => {
    const error = refused({ file: 'm.yaml', text });
    expect(error.message).toBe(message);
    expect(error.code).toBe('CONFIG_INVALID');
  });
});

describe('what a later version builds is refused in words of its own', () => {
  test.each([
    [
      'http: { token: s3cret }',
      'm.yaml:1:16: http.token (hidden) is not in this version; it takes no value.',
    ],
  ])('%s', (text, message) => {
    const error = refused({ file: 'm.yaml', text });
    expect(error.message).toBe(message);
    expect(error.code).toBe('NOT_IN_THIS_VERSION');
  });
});

describe('rules between settings', () => {
  test.each([
    [
      'sinks: { captures: { select: { filter: tcp port htttp } } }',
      'm.yaml:1:40: sinks.captures.select.filter "tcp port htttp", character 10: ' +
        'expected a port: a number, or a known name, found "htttp"; did you mean http?',
    ],
    [
      'sinks: { captures: { select: { filter: arp and ip } } }',
      'm.yaml:1:40: sinks.captures.select.filter "arp and ip", character 1: no packet can match this expression.',
    ],
    [
      'listen: { vxlanPorts: [4789, 4789] }',
      'm.yaml:1:30: listen.vxlanPorts[1] is 4789, which listen.vxlanPorts[0] has already.',
    ],
    [
      'listen: { genevePorts: [4789] }',
      'm.yaml:1:25: listen.genevePorts[0] is 4789, which listen.vxlanPorts[0] has already.',
    ],
    [
      'listen: { vxlanPorts: [], genevePorts: [] }',
      'm.yaml:1:9: listen.vxlanPorts and listen.genevePorts are both []: nothing would be received.',
    ],
    [
      'admission: { expect: [{ vni: 7, silentSeconds: 9 }, { vni: 7, silentSeconds: 8 }] }',
      'm.yaml:1:60: admission.expect[1].vni is 7, which is expected already.',
    ],
    [
      'sinks: { captures: { format: pcap, split: none } }',
      'm.yaml:1:30: sinks.captures.format is pcap, which cannot hold all lanes in one file; take pcapng, or split: lane.',
    ],
    [
      'sinks: { a: { kind: files }, b: { kind: files, directory: captures/ } }',
      'm.yaml:1:59: sinks.b.directory is "captures/", the folder of sinks.a.',
    ],
    [
      'sinks: { captures: { output: { duplicates: drop } } }',
      'm.yaml:1:44: sinks.captures.output.duplicates is drop, and analysis.duplicates.detect is off: none would be found.',
    ],
    [
      'sinks: { a: { kind: files, directory: d }, b: { kind: flow-files, directory: ./d } }',
      'm.yaml:1:78: sinks.b.directory is "./d", the folder of sinks.a.',
    ],
    [
      'analysis: { flows: { enabled: off } }\nsinks: { log: { kind: flow-files } }',
      'm.yaml:2:23: sinks.log is of kind flow-files, and analysis.flows.enabled is false: there would be no records.',
    ],
    [
      'http: { port: 80, tcpHealthPort: 80 }',
      'm.yaml:1:34: http.tcpHealthPort is 80, the port of http.port.',
    ],
    [
      'http: { readiness: [capture] }',
      'm.yaml:1:21: http.readiness[0] is "capture", which is no sink that runs; did you mean captures?',
    ],
    [
      'sinks: { a: { kind: files, enabled: false } }\nhttp: { readiness: [a] }',
      'm.yaml:2:21: http.readiness[0] is "a", which is no sink that runs.',
    ],
  ])('%s', (text, message) => {
    expect(refused({ file: 'm.yaml', text }).message).toBe(message);
  });
});

describe('several problems', () => {
  test('are reported together, in the order of the settings', () => {
    const error = refused({
      file: 'm.yaml',
      text: 'workers: x\nhttp: { token: s3cret }\nbehind: alb',
    });
    expect(error.message).toBe(
      [
        '3 settings are wrong:',
        '  m.yaml:1:10: workers is "x"; expected a whole number from 0 to 64.',
        '  m.yaml:3:9: behind is "alb"; expected direct, nlb or gwlb.',
        '  m.yaml:2:16: http.token (hidden) is not in this version; it takes no value.',
      ].join('\n'),
    );
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.context['problems']).toBe(3);
  });

  test('one of a later version keeps its code', () => {
    const text = '{ http: { token: s3cret } }';
    expect(refused({ text }).code).toBe('NOT_IN_THIS_VERSION');
  });

  test('past 20 they are only counted', () => {
    const lines = Array.from({ length: 25 }, (_, index) => `rainbow${index}: 1`).join('\n');
    const { message } = refused({ text: lines });
    expect(message.split('\n')).toHaveLength(22);
    expect(message).toMatch(/\n {2}and 5 more\.$/);
  });
});
