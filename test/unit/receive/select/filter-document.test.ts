import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compileFilter } from '../../../../src/receive/select/compile-filter.ts';
import { etherTypeNames, ipProtocolNames, portNames } from '../../../../src/receive/select/filter-names.ts';

const document = readFileSync(new URL('../../../../docs/filter.md', import.meta.url), 'utf8');

/** The first cells of the rows below a heading. */
function examples(heading: string): string[] {
  const section = document.split(`## ${heading}`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| `((?:[^`\\]|\\.)+)` \|/gm)].map(([, text = '']) =>
    text.replaceAll('\\|', '|'),
  );
}

test.each(examples('Examples'))('docs/filter.md: %s', (filter) => {
  expect(compileFilter(filter)).toBeDefined();
});

test('docs/filter.md has examples, and every name', () => {
  expect(examples('Examples').length).toBeGreaterThan(8);
  const names = [...portNames.keys(), ...ipProtocolNames.keys(), ...etherTypeNames.keys()];
  expect(names.filter((name) => !document.includes(`\`${name}\``))).toEqual([]);
});
