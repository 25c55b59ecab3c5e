import { existsSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { payloadMax } from '../../../../src/app/send/interface-mtu.ts';

const loopbackMtu = '/sys/class/net/lo/mtu';

test.skipIf(!existsSync(loopbackMtu))('to this host it is the loopback that counts', () => {
  const mtu = Number(readFileSync(loopbackMtu, 'utf8'));
  expect(payloadMax('127.0.0.1', '127.0.0.1', 4)).toBe(mtu - 28);
  expect(payloadMax('::1', '::1', 6)).toBe(mtu - 48);
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address, family } of addresses ?? []) {
      if (family === 'IPv4') expect(payloadMax(address, address, 4)).toBe(mtu - 28);
    }
  }
});

test('an address that no interface has sets no limit', () => {
  expect(payloadMax('198.51.100.1', '198.51.100.2', 4)).toBe(Infinity);
});

const [outside] = Object.entries(networkInterfaces()).filter(([, list]) =>
  list?.some(({ internal, family }) => !internal && family === 'IPv4'),
);

test.skipIf(outside === undefined || !existsSync(loopbackMtu))(
  'elsewhere it is the interface that sends',
  () => {
    const [name, list] = outside ?? ['', []];
    const local = list?.find(({ family }) => family === 'IPv4')?.address ?? '';
    const mtu = Number(readFileSync(`/sys/class/net/${name}/mtu`, 'utf8'));
    expect(payloadMax('198.51.100.1', local, 4)).toBe(mtu - 28);
  },
);
