import { expect, test } from 'vitest';
import { left, replacePart, right, table } from '../../bench/markdown.ts';

test('columns are as wide as what is in them, and numbers stand right', () => {
  expect(
    table(
      [left('who'), right('ns')],
      [
        ['mirrortap', '90'],
        ['cp', '1,700'],
      ],
    ),
  ).toBe(
    `
| who       |    ns |
| --------- | ----: |
| mirrortap |    90 |
| cp        | 1,700 |`.trim(),
  );
});

const page =
  'top\n<!-- a: generated -->\nold\n<!-- a: end -->\nmiddle\n<!-- b: generated -->\n\n<!-- b: end -->\n';

test('a part is replaced, and all else stays', () => {
  const once = replacePart(page, 'a', 'new\n');
  expect(once).toBe(page.replace('\nold\n', '\n\nnew\n\n'));
  expect(replacePart(once, 'a', 'new')).toBe(once);
  expect(replacePart(page, 'b', 'new')).toContain('old');
});

test('a page without the part is refused', () => {
  expect(() => replacePart(page, 'c', '')).toThrow('"c"');
});
