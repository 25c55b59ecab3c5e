import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findingNames } from '../../../../src/app/doctor/finding.ts';

const page = readFileSync(new URL('../../../../docs/doctor.md', import.meta.url), 'utf8');
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf('\n')), part] as const),
);

test('docs/doctor.md has every finding, in order, and no other', () => {
  expect([...sections.keys()]).toEqual([...findingNames]);
});

test.each(findingNames)('%s has every point', (name) => {
  for (const point of ['Looks at', 'Problem', 'Note', 'Remedy']) {
    expect(sections.get(name)).toMatch(new RegExp(`^- ${point}: \\S`, 'm'));
  }
});
