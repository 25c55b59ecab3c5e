import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  capabilitiesOf,
  isEc2,
  machineFacts,
  mtuOf,
  openFilesMax,
} from '../../../../src/app/doctor/machine.ts';

test.each([
  {
    status: 'Name:\tnode\nCapPrm:\t0000000000002000\nCapEff:\t0000000000000000\n',
    told: { effective: 0n, permitted: 0x2000n },
  },
  {
    status: 'CapPrm:\t000001ffffffffff\nCapEff:\t000001ffffffffff\nCapBnd:\t0000000000000000\n',
    told: { effective: 0x1ff_ffff_ffffn, permitted: 0x1ff_ffff_ffffn },
  },
  { status: 'CapPrm:\t0\nCapEff:\t\n', told: undefined },
  { status: undefined, told: undefined },
])('capabilities of $status', ({ status, told }) => {
  expect(capabilitiesOf(status)).toEqual(told);
});

test.each([
  { limits: 'Max open files            1024                 524288               files     \n', max: 1024 },
  {
    limits: 'Max processes   5  5  processes\nMax open files   unlimited  unlimited  files\n',
    max: Infinity,
  },
  { limits: 'nothing', max: undefined },
  { limits: undefined, max: undefined },
])('open files of $limits', ({ limits, max }) => {
  expect(openFilesMax(limits)).toBe(max);
});

test.each([
  { name: 'a Nitro instance', files: { '/sys/class/dmi/id/sys_vendor': 'Amazon EC2\n' }, told: true },
  {
    name: 'a Xen instance',
    files: { '/sys/hypervisor/uuid': 'ec2e1916-9099-7caf-fd21-012345abcdef\n' },
    told: true,
  },
  { name: 'another machine', files: { '/sys/class/dmi/id/sys_vendor': 'QEMU\n' }, told: false },
  { name: 'a machine that says nothing', files: {}, told: false },
])('$name is EC2: $told', ({ files, told }) => {
  expect(isEc2((path) => (files as Record<string, string>)[path])).toBe(told);
});

test('the MTU of an interface', () => {
  expect(mtuOf('eth7', (path) => (path === '/sys/class/net/eth7/mtu' ? '9001\n' : undefined))).toBe(9001);
  expect(mtuOf('eth8', () => undefined)).toBeUndefined();
});

test('what the system does not tell is not there', () => {
  expect(machineFacts(() => undefined)).toMatchObject({
    capabilities: undefined,
    receiveBufferMaxBytes: undefined,
    openFilesMax: undefined,
    isEc2: false,
    platform: process.platform,
    nodeVersion: process.versions.node,
  });
});

test.skipIf(process.platform !== 'linux')('this machine tells everything', () => {
  const facts = machineFacts();
  const buffer = Number(readFileSync('/proc/sys/net/core/rmem_max', 'utf8'));
  expect(facts.receiveBufferMaxBytes).toBe(buffer);
  expect(facts.openFilesMax).toBeGreaterThan(10);
  expect(facts.capabilities).toBeDefined();
  expect(facts.availableBytes).toBeGreaterThan(0);
});

test('the oldest Node is that of package.json', async () => {
  const { checkNodeVersion } = await import('../../../../src/app/doctor/check-machine.ts');
  const text = readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8');
  const { engines } = JSON.parse(text) as { engines: { node: string } };
  const oldest = engines.node.replace('>=', '');
  const [finding] = checkNodeVersion({ nodeVersion: '1.0.0' } as Parameters<typeof checkNodeVersion>[0]);
  expect(finding?.remedy).toBe(`Install Node ${oldest} or newer.`);
});
