import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { planSend, type SendOptions } from '../../../../src/app/send/options.ts';
import { WHOLE_FRAME } from '../../../../src/mirror/session.ts';
import { MirrorError } from '../../../../src/observe/error.ts';

const least: SendOptions = { from: 'a.pcap', to: '10.0.0.9', vni: '42' };

test('the least that must be said, and what the rest is then', () => {
  expect(planSend(least)).toEqual({
    from: 'a.pcap',
    host: '10.0.0.9',
    port: 4789,
    vni: 42,
    packetLength: WHOLE_FRAME,
    gwlb: undefined,
    rate: 'realtime',
    passes: 1,
    report: 'text',
  });
});

test.each([
  { to: 'appliance.example.com', host: 'appliance.example.com', port: 4789 },
  { to: 'appliance:8472', host: 'appliance', port: 8472 },
  { to: '10.0.0.9:65535', host: '10.0.0.9', port: 65_535 },
  { to: '2001:db8::9', host: '2001:db8::9', port: 4789 },
  { to: '[2001:db8::9]', host: '2001:db8::9', port: 4789 },
  { to: '[2001:db8::9]:1', host: '2001:db8::9', port: 1 },
])('--to $to', ({ to, host, port }) => {
  expect(planSend({ ...least, to })).toMatchObject({ host, port });
});

test.each([
  { options: { gwlb: true }, plan: { port: 6081, gwlb: { high: 0x0123_4567, low: 0x89ab_cdef } } },
  { options: { gwlb: 'FFFFFFFF00000001' }, plan: { port: 6081, gwlb: { high: 0xffff_ffff, low: 1 } } },
  { options: { gwlb: true, to: 'host:7000' }, plan: { port: 7000 } },
  { options: { gwlb: false }, plan: { port: 4789, gwlb: undefined } },
  { options: { rate: 'max' }, plan: { rate: 'max' } },
  { options: { rate: '50000' }, plan: { rate: 50_000 } },
  { options: { loop: '3' }, plan: { passes: 3 } },
  { options: { loop: '0' }, plan: { passes: Infinity } },
  { options: { packetLength: '8500' }, plan: { packetLength: 8500 } },
  { options: { vni: '0' }, plan: { vni: 0 } },
  { options: { vni: '16777215' }, plan: { vni: 0xff_ffff } },
  { options: { from: '-' }, plan: { from: '-' } },
  { options: { report: 'json' }, plan: { report: 'json' } },
])('$options', ({ options, plan }) => {
  expect(planSend({ ...least, ...options })).toMatchObject(plan);
});

test.each([
  { options: { from: undefined }, option: '--from', found: 'nothing' },
  { options: { to: undefined }, option: '--to', found: 'nothing' },
  { options: { vni: undefined }, option: '--vni', found: 'nothing' },
  { options: { vni: '16777216' }, option: '--vni', found: '16777216' },
  { options: { vni: '-1' }, option: '--vni', found: '-1' },
  { options: { vni: '0x2a' }, option: '--vni', found: '0x2a' },
  { options: { packetLength: '0' }, option: '--packet-length', found: '0' },
  { options: { packetLength: '8501' }, option: '--packet-length', found: '8501' },
  { options: { to: 'host:0' }, option: '--to', found: '0' },
  { options: { to: 'host:65536' }, option: '--to', found: '65536' },
  { options: { to: ':4789' }, option: '--to', found: ':4789' },
  { options: { to: '[::1' }, option: '--to', found: '[::1' },
  { options: { gwlb: '123' }, option: '--gwlb', found: '123' },
  { options: { rate: '0' }, option: '--rate', found: '0' },
  { options: { rate: 'fast' }, option: '--rate', found: 'fast' },
  { options: { loop: 'twice' }, option: '--loop', found: 'twice' },
  { options: { from: '-', loop: '2' }, option: '--loop', found: '2' },
  { options: { report: 'xml' }, option: '--report', found: 'xml' },
])('refused: $options', ({ options, option, found }) => {
  const error = refusal({ ...least, ...options });
  expect(error).toMatchObject({ code: 'USAGE', context: { option, found } });
  expect(error.message).toContain(option);
});

test('the long form and interfaces are not in this version', () => {
  const [name = ''] = Object.keys(networkInterfaces());
  expect(refusal({ config: 'sessions.yaml' })).toMatchObject({ code: 'NOT_IN_THIS_VERSION' });
  expect(refusal({ ...least, from: name })).toMatchObject({ code: 'NOT_IN_THIS_VERSION' });
});

function refusal(options: SendOptions): MirrorError {
  try {
    planSend(options);
  } catch (error) {
    if (error instanceof MirrorError) return error;
  }
  throw new Error('It was not refused.');
}
