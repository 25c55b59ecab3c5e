import { describe, expect, test } from 'vitest';
import { admissionRules } from '../../../src/receive/admission-rules.ts';

describe('admissionRules', () => {
  test('texts become blocks and ranges', () => {
    const rules = admissionRules({
      sources: ['10.0.0.0/8'],
      mirrorSources: ['2001:db8::1'],
      vnis: [7, '100-199'],
    });
    expect(rules.sources).toMatchObject([{ version: 4, prefixLength: 8 }]);
    expect([...(rules.sources[0]?.bytes ?? [])]).toEqual([10, 0, 0, 0]);
    expect(rules.mirrorSources).toMatchObject([{ version: 6, prefixLength: 128 }]);
    expect(rules.vnis).toEqual([
      [7, 7],
      [100, 199],
    ]);
  });

  test.each([
    { sources: ['10.0.0.0/33'], mirrorSources: [], vnis: [] },
    { sources: [], mirrorSources: ['x'], vnis: [] },
    { sources: [], mirrorSources: [], vnis: ['9-3'] },
  ])('what was not checked throws: %j', (texts) => {
    expect(() => admissionRules(texts)).toThrow(RangeError);
  });
});
