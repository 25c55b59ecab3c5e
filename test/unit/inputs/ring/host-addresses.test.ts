import { expect, test } from 'vitest';
import type { FilterAddresses } from '../../../../src/inputs/bpf/tunnel-filter.ts';
import { HostAddresses, type IpVersion } from '../../../../src/inputs/ring/host-addresses.ts';
import { formatAddress } from '../../../../src/wire/address.ts';

const own = ['127.0.0.1', '10.0.0.1', '::1', 'fe80::1%eth0', '2001:db8::1'];

function textOf(wanted: FilterAddresses, version: IpVersion): string {
  return typeof wanted === 'string' ? wanted : wanted.map((one) => formatAddress(one, 0, version)).join(' ');
}

test.each([
  { listen: '0.0.0.0', versions: [4], four: '127.0.0.1 10.0.0.1', six: 'none', loopback: 'any' },
  {
    listen: '::',
    versions: [4, 6],
    four: '127.0.0.1 10.0.0.1',
    six: '::1 fe80::1 2001:db8::1',
    loopback: 'any',
  },
  { listen: '10.0.0.1', versions: [4], four: '10.0.0.1', six: 'none', loopback: '10.0.0.1' },
  { listen: '2001:db8::1', versions: [6], four: 'none', six: '2001:db8::1', loopback: 'none' },
  { listen: 'fe80::1%eth0', versions: [6], four: 'none', six: 'fe80::1', loopback: 'none' },
  { listen: '::ffff:10.0.0.1', versions: [4], four: '10.0.0.1', six: 'none', loopback: '10.0.0.1' },
])('listening on $listen', ({ listen, versions, four, six, loopback }) => {
  const addresses = new HostAddresses(listen, () => own);
  expect(addresses.versions).toEqual(versions);
  expect(textOf(addresses.wanted(4, 'eth0'), 4)).toBe(four);
  expect(textOf(addresses.wanted(6, 'eth0'), 6)).toBe(six);
  expect(textOf(addresses.wanted(4, 'lo'), 4)).toBe(loopback);
});

test('an address that comes is wanted, one that goes stays so', () => {
  let now = ['10.0.0.1', '10.0.0.2'];
  const addresses = new HostAddresses('0.0.0.0', () => now);
  expect(addresses.look()).toBe(false);
  now = ['10.0.0.3', '2001:db8::9'];
  expect([addresses.look(), addresses.look()]).toEqual([true, false]);
  expect(textOf(addresses.wanted(4, 'eth0'), 4)).toBe('10.0.0.1 10.0.0.2 10.0.0.3');
  now = [];
  expect(addresses.look()).toBe(false);
});

test('where one address is wanted, others that come are not', () => {
  let now = ['10.0.0.1'];
  const addresses = new HostAddresses('10.0.0.1', () => now);
  now = ['10.0.0.1', '10.0.0.2'];
  expect(addresses.look()).toBe(false);
});
