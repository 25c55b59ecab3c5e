import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { family, socketType } from '../../../src/native/constants.ts';
import { controlDevice } from '../../../src/native/control.ts';
import { statisticNames, statisticValues } from '../../../src/native/ethtool.ts';
import { interfaceIndex, interfaceState } from '../../../src/native/interface.ts';
import { closeDescriptor, openSocket } from '../../../src/native/socket.ts';
import { inNamespace, requiresNamespaces, withNetwork } from '../../support/namespaces.ts';
import { requiresNative } from '../../support/native.ts';

const native = await requiresNative();

function withSocket<T>(work: (descriptor: number) => T): T {
  const descriptor = openSocket(family.AF_INET, socketType.SOCK_DGRAM, 0);
  try {
    return work(descriptor);
  } finally {
    closeDescriptor(descriptor);
  }
}

test.skipIf(!native)('an interface has the number that the system shows', () => {
  expect(interfaceIndex('lo')).toBe(Number(readFileSync('/sys/class/net/lo/ifindex', 'utf8')));
  expect(() => interfaceIndex('nowhere')).toThrow(
    expect.objectContaining({ context: { call: 'if_nametoindex', errno: 'ENODEV', what: 'nowhere' } }),
  );
});

test.skipIf(!native)('a request that is refused is said, with the interface', () => {
  withSocket((descriptor) => {
    const refused = (errno: string, what: string): unknown =>
      expect.objectContaining({ context: { call: 'ioctl', errno, what } });
    expect(() => statisticNames(descriptor, 'nowhere')).toThrow(refused('ENODEV', 'SIOCETHTOOL nowhere'));
    expect(() => controlDevice(descriptor, 0xabcd, Buffer.alloc(64))).toThrow(
      refused('ENOTTY', 'request 0xabcd'),
    );
  });
});

test.skipIf(!native)('a driver without statistics has none, or says that it cannot', () => {
  const outcome = withSocket((descriptor) => {
    try {
      return statisticNames(descriptor, 'lo');
    } catch (error) {
      return error;
    }
  });
  if (!Array.isArray(outcome)) expect(outcome).toMatchObject({ context: { errno: 'ENOTSUP' } });
  else expect(outcome).toEqual([]);
});

test.skipIf(!native || !requiresNamespaces())('the statistics of a veth, by name', async () => {
  await withNetwork('veth', async ({ receiver, receiverPort }) => {
    inNamespace(receiver, () =>
      withSocket((descriptor) => {
        const names = statisticNames(descriptor, receiverPort);
        expect(names).toContain('peer_ifindex');
        const values = statisticValues(descriptor, receiverPort, names.length);
        expect(values).toHaveLength(names.length);
        // the other end was made together with this one
        expect(values[names.indexOf('peer_ifindex')]).toBeGreaterThan(0);
        expect(statisticValues(descriptor, receiverPort, names.length + 1)).toEqual([]);
      }),
    );
  });
});

test.skipIf(!native || !requiresNamespaces())('what the kernel tells of an interface', async () => {
  await withNetwork(
    'veth',
    async ({ receiver, receiverPort }) => {
      inNamespace(receiver, () =>
        withSocket((descriptor) => {
          expect(interfaceState(descriptor, receiverPort)).toEqual({
            index: interfaceIndex(receiverPort),
            isUp: true,
            mtuBytes: 4321,
            isEthernet: true,
          });
          expect(interfaceState(descriptor, 'lo')).toMatchObject({ isUp: true, isEthernet: false });
        }),
      );
    },
    4321,
  );
});

test.skipIf(!native)('an interface that is not there has no state', () => {
  withSocket((descriptor) => {
    expect(() => interfaceState(descriptor, 'nowhere')).toThrow(
      expect.objectContaining({ context: { call: 'ioctl', errno: 'ENODEV', what: 'SIOCGIFINDEX nowhere' } }),
    );
  });
});
