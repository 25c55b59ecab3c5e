import { describe, expect, test } from 'vitest';
import { plain } from '../../../src/config/given.ts';
import type { Problem } from '../../../src/config/problem.ts';
import { readYaml } from '../../../src/config/yaml-source.ts';

function read(text: string) {
  const problems: Problem[] = [];
  const given = readYaml(text, { name: 'm.yaml', lines: true }, problems);
  return { given, problems: problems.map(({ source, text: what }) => `${source}: ${what}`) };
}

describe('YAML that is not well-formed', () => {
  test.each([
    ['a: 1\na: 2', 'm.yaml:2:1: this name is there twice in one group'],
    ['a: { b: 1, b: 2 }', 'm.yaml:1:12: this name is there twice in one group'],
    ['a: { b: 1\nc: 2', 'm.yaml:2:1: a { before has no }, or what it holds is indented too little'],
    ['a: [1,\n2\n', 'm.yaml:2:1: a [ before has no ], or what it holds is indented too little'],
    ['a: [1', 'm.yaml:1:6: a [ before has no ], or what it holds is indented too little'],
    ['a:\n\tb: 1', 'm.yaml:2:1: a tab indents this line; YAML wants spaces'],
    ['a: b: c', 'm.yaml:1:4: a second colon on one line; put the text in quotes or begin a new line'],
    ['a: 1\n---\nb: 2', 'm.yaml:2:1: a second YAML document begins here; one is expected'],
    ['a: "x', 'm.yaml:1:6: missing closing "quote'],
    ['a: !secret x', 'm.yaml:1:4: unresolved tag: !secret'],
    ['a: *b', 'm.yaml:1:4: nothing is named &b before this place'],
    ['? [1]\n: 2', 'm.yaml:1:3: the name of a setting is expected here'],
    [`a: ${'['.repeat(40)}${']'.repeat(40)}`, 'm.yaml:1:35: nested more than 32 levels deep'],
    [`a: ${'['.repeat(100_000)}`, expect.stringMatching(/^m\.yaml:1:\d+: nested too deeply$/)],
    ['a: &a [*a]', expect.stringMatching(/^m\.yaml:1:\d+: nested more than 32 levels deep$/)],
  ])('%.40s', (text, problem) => {
    expect(read(text).problems[0]).toEqual(problem);
  });

  test('aliases that grow without end are stopped', () => {
    const levels = Array.from(
      { length: 9 },
      (_, level) => `l${level}: &l${level} [${`*l${level - 1},`.repeat(9)}]`,
    );
    const bomb = [`l0: &l0 [${'x,'.repeat(9)}]`, ...levels.slice(1)].join('\n');
    expect(read(bomb).problems).toEqual([
      expect.stringContaining('more than 100000 values, aliases included'),
    ]);
  });

  test('a text from elsewhere has no lines to name', () => {
    const problems: Problem[] = [];
    readYaml('[1', { name: '--set workers', lines: false }, problems);
    expect(problems[0]?.source).toBe('--set workers');
  });
});

describe('YAML 1.2', () => {
  test.each([
    ['words of YAML 1.1 stay words', '[on, off, yes, no, 0777]', ['on', 'off', 'yes', 'no', 777]],
    ['true, null and numbers', '[true, false, ~, 0x10, 1e3]', [true, false, null, 16, 1000]],
    ['a range stays a text', '[7, 100-199]', [7, '100-199']],
    ['an alias', '[&a { x: 1 }, *a]', [{ x: 1 }, { x: 1 }]],
    ['names that are numbers', '{ 1: 2 }', { 1: 2 }],
    ['a name that objects have', '{ __proto__: 1 }', Object.fromEntries([['__proto__', 1]])],
  ])('%s', (_name, text, value) => {
    const { given, problems } = read(text);
    expect(problems).toEqual([]);
    expect(given && plain(given)).toEqual(value);
  });

  test('an empty text has no settings', () => {
    expect(read('# only a comment\n')).toEqual({ given: undefined, problems: [] });
  });
});
