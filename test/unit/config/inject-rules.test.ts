import { describe, expect, test } from 'vitest';
import { refused } from '../../support/refused.ts';
import { settings } from '../../support/doctor-facts.ts';

const tap = (some: string): string => `sinks: { tap: { kind: inject, ${some} } }`;

describe('refused', () => {
  test.each([
    [
      tap('cut: pad'),
      'm.yaml:1:15: sinks.tap.interface is missing; expected the name of a network interface, in which {vni} and {lane} may stand.',
    ],
    [
      tap('interface: "a b"'),
      'm.yaml:1:42: sinks.tap.interface is "a b"; expected the name of a network interface, in which {vni} and {lane} may stand.',
    ],
    [
      tap('interface: "m{vin}"'),
      'm.yaml:1:42: sinks.tap.interface is "m{vin}"; expected the name of a network interface, in which {vni} and {lane} may stand.',
    ],
    [
      tap('interface: "mirror-0-1-2-3-4"'),
      'm.yaml:1:42: sinks.tap.interface is "mirror-0-1-2-3-4", and no interface has a name of more than 15 bytes.',
    ],
    [
      tap('interface: "mirror-far-{lane}"'),
      'm.yaml:1:42: sinks.tap.interface is "mirror-far-{lane}", and no interface has a name of more than 15 bytes.',
    ],
    [
      `listen: { interface: [eth0, m.7] }\n${tap('interface: "m.{vni}"')}`,
      'm.yaml:2:42: sinks.tap.interface is "m.{vni}", and listen.interface reads m.7: packets would go round.',
    ],
    [
      `listen: { interface: mirror0, mode: ring }\n${tap('interface: mirror0')}`,
      'm.yaml:2:42: sinks.tap.interface is "mirror0", and listen.interface reads mirror0: packets would go round.',
    ],
    [
      tap('interface: m, vlans: [{ vni: 7, id: 1 }, { vni: 8, id: 1 }, { vni: 7, id: 2 }]'),
      'm.yaml:1:98: sinks.tap.vlans[2].vni is 7, which is listed already.',
    ],
    [
      tap('interface: m, vlans: [{ vni: 7, id: 4095 }]'),
      'm.yaml:1:67: sinks.tap.vlans[0].id is 4095; expected a whole number from 1 to 4094.',
    ],
  ])('%s', (text, message) => {
    expect(refused({ file: 'm.yaml', text }).message).toBe(message);
  });
});

describe('taken', () => {
  test.each([
    ['sinks.tap.interface=mirror{vni}'],
    ['sinks.tap.interface=0123456789abcde'],
    ['sinks.tap.interface=m.{vni}', 'listen.interface=[eth0, mx7]'],
    ['sinks.tap.interface=mirror0', 'listen.interface=mirror0', 'listen.mode=mmsg'],
    ['sinks.tap.interface=mirror0', 'listen.interface=mirror0', 'sinks.tap.enabled=false'],
    ['sinks.tap.interface=mirror0', 'sinks.tap.vlans=[{vni: 0, id: 4094}, {vni: 16777215, id: 1}]'],
  ])('%s', (...some) => {
    const config = settings('sinks.tap.kind=inject', ...some);
    expect(config.sinks['tap']).toMatchObject({
      kind: 'inject',
      cut: 'pad',
      vlan: 'none',
      maxInterfaces: 64,
    });
  });
});
