import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { errorCodes, MirrorError } from '../../../src/observe/error.ts';
import { readinessCodes } from '../../../src/observe/health.ts';
import { faultNames } from '../../../src/wire/fault.ts';

/** Third-level headings of a page, and the text under each. */
function sections(page: string): Map<string, string> {
  const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8');
  const parts = text.split(/^### /m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n'))]));
}

const pages = [
  { page: 'errors.md', names: errorCodes, points: ['Meaning', 'Likely cause', 'Remedy'] },
  { page: 'http.md', names: readinessCodes, points: ['Meaning', 'Remedy'] },
  { page: 'faults.md', names: faultNames.slice(1), points: ['Layer', 'Needed', 'What to do'] },
];

describe.each(pages)('docs/$page', ({ page, names, points }) => {
  test('has every name of the code, and no other', () => {
    expect(new Set(sections(page).keys())).toEqual(new Set(names));
  });

  test.each(names)('%s has every point', (name) => {
    const text = sections(page).get(name) ?? '';
    for (const point of points) expect(text).toMatch(new RegExp(`^- ${point}: \\S`, 'm'));
  });
});

test('every code makes an error that carries it, its facts and its cause', () => {
  for (const code of errorCodes) {
    const cause = new Error('why');
    const error = new MirrorError(code, 'What.', { port: 1 }, { cause });
    expect(error).toMatchObject({ name: 'MirrorError', code, message: 'What.', context: { port: 1 }, cause });
  }
});
