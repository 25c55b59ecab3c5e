import { expect, test } from 'vitest';
import {
  chooseInterfaces,
  type InterfaceFacts,
  type InterfaceWish,
  system,
} from '../../../../src/inputs/ring/interfaces.ts';
import { MirrorError } from '../../../../src/observe/error.ts';

const host: InterfaceFacts = {
  all: () => ['lo', 'eth0', 'eth1', 'br0', 'eth0.7'],
  withAddress: () => ['lo', 'eth0', 'eth1', 'br0'],
  isPort: (name) => name === 'eth1',
};

test.each<{ wish: InterfaceWish; chosen: string[] }>([
  { wish: 'auto', chosen: ['lo', 'eth0', 'br0'] },
  { wish: 'eth0', chosen: ['eth0'] },
  { wish: 'eth0.7', chosen: ['eth0.7'] },
  { wish: 'eth1', chosen: ['eth1'] },
  { wish: ['eth1', 'lo', 'eth1'], chosen: ['eth1', 'lo'] },
])('$wish', ({ wish, chosen }) => {
  expect(chooseInterfaces(wish, host)).toEqual(chosen);
});

test.each<{ wish: InterfaceWish; facts: InterfaceFacts; context: Record<string, string> }>([
  { wish: 'eth9', facts: host, context: { interface: 'eth9', there: 'lo, eth0, eth1, br0, eth0.7' } },
  { wish: ['lo', 'eth9'], facts: host, context: { interface: 'eth9', there: 'lo, eth0, eth1, br0, eth0.7' } },
  {
    wish: 'auto',
    facts: { ...host, all: () => ['eth1'], withAddress: () => ['eth1'] },
    context: { interface: 'auto', there: 'eth1' },
  },
])('$wish is refused: $context', ({ wish, facts, context }) => {
  let error: unknown;
  try {
    chooseInterfaces(wish, facts);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(MirrorError);
  expect(error).toMatchObject({ code: 'INTERFACE_UNKNOWN', context });
});

test.skipIf(process.platform !== 'linux')('this machine has loopback, and no bridge around it', () => {
  expect(system.all()).toContain('lo');
  expect(system.withAddress()).toContain('lo');
  expect(system.isPort('lo')).toBe(false);
});
