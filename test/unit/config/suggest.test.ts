import { assert, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editCount, suggest } from '../../../src/config/suggest.ts';

describe('suggest', () => {
  const known = ['vxlanPorts', 'genevePorts', 'mode', 'receiveBufferBytes', 'ring'];

  test.each([
    { typed: 'vxlanPort', nearest: 'vxlanPorts' },
    { typed: 'vxlanports', nearest: 'vxlanPorts' },
    { typed: 'VXLAN_PORTS', nearest: 'vxlanPorts' },
    { typed: 'mdoe', nearest: 'mode' },
    { typed: 'rign', nearest: 'ring' },
    { typed: 'recieveBufferByte', nearest: 'receiveBufferBytes' },
    { typed: 'enabled', nearest: undefined },
    { typed: '', nearest: undefined },
    { typed: 'x', nearest: undefined },
  ])('$typed → $nearest', ({ typed, nearest }) => {
    expect(suggest(typed, known)).toBe(nearest);
  });

  test('the first of equally near names wins', () => {
    expect(suggest('cat', ['bat', 'hat'])).toBe('bat');
    expect(suggest('cat', ['hat', 'bat'])).toBe('hat');
  });

  test('a name of one letter is never taken for another', () => {
    expect(suggest('a', ['b'])).toBeUndefined();
  });
});

describe('editCount', () => {
  test.each([
    { a: 'abc', b: 'abc', edits: 0 },
    { a: 'abc', b: 'ABC', edits: 0 },
    { a: 'abc', b: 'abcd', edits: 1 },
    { a: 'abc', b: 'ab', edits: 1 },
    { a: 'abc', b: 'axc', edits: 1 },
    { a: 'abcd', b: 'abdc', edits: 1 },
    { a: 'kitten', b: 'sitting', edits: 3 },
    { a: '', b: 'abc', edits: 3 },
  ])('$a and $b: $edits', ({ a, b, edits }) => {
    expect(editCount(a, b)).toBe(edits);
    expect(editCount(b, a)).toBe(edits);
  });

  test('never more than the longer name has letters, and 0 only for the same name', () => {
    assert(
      property(string({ maxLength: 20 }), string({ maxLength: 20 }), (a, b) => {
        const edits = editCount(a, b);
        const longer = Math.max(a.toLowerCase().length, b.toLowerCase().length);
        expect(edits).toBeLessThanOrEqual(longer);
        expect(edits === 0).toBe(a.toLowerCase() === b.toLowerCase());
      }),
    );
  });
});
