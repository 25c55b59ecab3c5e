import { describe, expect, test } from 'vitest';
import { admissionRules, parseVniRange } from '../../../src/receive/admission-rules.ts';

describe('parseVniRange', () => {
  test.each([
    ['100-199', [100, 199]],
    ['0-16777215', [0, 16_777_215]],
    ['7-7', [7, 7]],
    ['8-7', undefined],
    ['0-16777216', undefined],
    ['7', undefined],
    ['7-', undefined],
    ['-7', undefined],
    ['7 - 8', undefined],
    ['1e3-2e3', undefined],
    ['0x1-0x2', undefined],
    ['', undefined],
  ])('%j', (text, range) => {
    expect(parseVniRange(text)).toEqual(range);
  });
});

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
