import { expect, test } from 'vitest';
import { Fault, FAULT_COUNT, faultNames } from '../../../src/wire/fault.ts';

test('every fault is the index of its own name: tables indexed by fault have no gap', () => {
  for (const [name, number] of Object.entries(Fault)) expect(faultNames[number]).toBe(name);
  expect(faultNames).toHaveLength(FAULT_COUNT);
  expect(Fault.none).toBe(0);
});
