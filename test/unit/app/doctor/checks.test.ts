import { expect, test } from 'vitest';
import { findingsOf } from '../../../../src/app/doctor/checks.ts';
import type { Facts } from '../../../../src/app/doctor/facts.ts';
import { type FindingName, findingNames } from '../../../../src/app/doctor/finding.ts';
import { defaults, disk, found, good, port } from '../../../support/doctor-facts.ts';

test('a machine without fault is told so, under every name', () => {
  const findings = findingsOf(good, defaults);
  expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(new Set(findings.map(({ name }) => name))).toEqual(new Set(findingNames));
});

test('every interface, port and disk is told of by itself', () => {
  const facts: Partial<Facts> = {
    interfaces: [
      { name: 'eth0', mtuBytes: 1500 },
      { name: 'eth1', mtuBytes: 9001 },
    ],
    ports: [port({ refusal: 'EADDRINUSE' }), port({ port: 6081, refusal: 'EADDRINUSE' })],
    disks: [disk({}), disk({ sink: 'more', directory: '/more', freeBytes: 0 })],
    hostDrops: new Map([
      ['nic', 1],
      ['softnet', 2],
      ['ena_pps', 0],
    ]),
  };
  const statuses = (name: FindingName): string[] => found(name, facts).map(({ status }) => status);
  expect(statuses('mtu')).toEqual(['problem', 'ok']);
  expect(statuses('ports')).toEqual(['problem', 'problem']);
  expect(statuses('disk-space')).toEqual(['ok', 'problem']);
  expect(statuses('host-drops')).toEqual(['note', 'note']);
});

test('an interface that gets nothing is a problem of the interfaces, not of steering', () => {
  const notes = [{ message: 'It belongs to a bridge.', fields: { interface: 'eth0' } }];
  const facts = { intake: { mode: 'ring', refused: [], steering: 'inner addresses', notes } } as const;
  expect(found('steering', facts)).toMatchObject([{ status: 'ok' }]);
  expect(found('interfaces', facts)).toMatchObject([
    { status: 'ok' },
    { status: 'problem', message: 'eth0: It belongs to a bridge.' },
  ]);
});

test('what cannot be received by needs no steering, and what has no interface no MTU', () => {
  expect(found('steering', { intake: { failure: 'No.' } })).toEqual([]);
  expect(found('mtu', { interfaces: { failure: 'No.' } })).toEqual([]);
});
