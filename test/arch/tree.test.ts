import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { namesBelow, root, sourceFiles } from '../support/source-files.ts';

const layers = '../../.dependency-cruiser.mjs';
const { rooms, pureRooms } = (await import(layers)) as {
  readonly rooms: Readonly<Record<string, readonly string[]>>;
  readonly pureRooms: readonly string[];
};
const allowedAtTop = [
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'Dockerfile',
  'LICENSE',
  'README.md',
  'deploy',
  'docs',
  'package-lock.json',
  'package.json',
  'samples',
  'src',
  'test',
  'tsconfig.json',
];
const own = sourceFiles('src', 'test', 'deploy', 'samples');

test('the top level holds what is agreed, and dot files', () => {
  const ignored = readFileSync(join(root, '.gitignore'), 'utf8').split('\n');
  const found = readdirSync(root).filter(
    (name) => !name.startsWith('.') && !name.endsWith('.tgz') && !ignored.includes(`/${name}/`),
  );
  expect(found.filter((name) => !['node_modules', ...allowedAtTop].includes(name))).toEqual([]);
});

test('the files of the project were found', () => {
  expect(own.length).toBeGreaterThan(50);
});

test('no file has more than 400 lines', () => {
  expect(
    own.filter(({ lineCount }) => lineCount > 400).map(({ path, lineCount }) => [path, lineCount]),
  ).toEqual([]);
});

test('files of src stay small: the median has at most 120 lines, nine of ten at most 250', () => {
  const counts = sourceFiles('src')
    .map(({ lineCount }) => lineCount)
    .toSorted((a, b) => a - b);
  expect(counts[Math.floor(counts.length * 0.5)]).toBeLessThanOrEqual(120);
  expect(counts[Math.floor(counts.length * 0.9)]).toBeLessThanOrEqual(250);
});

test('names of files and folders are kebab-case and say what is inside', () => {
  const names = namesBelow('src').concat(namesBelow('test'), namesBelow('deploy'));
  const files = names.filter((path) => path.endsWith('.ts'));
  const odd = files.filter(
    (path) => !/^([a-z0-9]+(-[a-z0-9]+)*\/)+[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*\.ts$/.test(path),
  );
  const empty = files.filter((path) => /\/(utils?|helpers?|misc|common)\.ts$/.test(path));
  expect({ odd, empty }).toEqual({ odd: [], empty: [] });
});

const marks = [
  { name: 'marks of unfinished work', pattern: /\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b/ },
  {
    name: 'checks switched off by a comment',
    pattern: /(oxlint|eslint)-disable|@ts-(ignore|nocheck|expect-error)/,
  },
  { name: 'lines that the formatter leaves alone', pattern: /biome-ignore/ },
  { name: 'tests that are left out or stand alone', pattern: /\b(test|it|describe)\.(only|todo|skip)\b/ },
];
test.each(marks)('there are no $name', ({ pattern }) => {
  const self = 'test/arch/tree.test.ts';
  expect(own.filter(({ path, text }) => path !== self && pattern.test(text)).map(({ path }) => path)).toEqual(
    [],
  );
});

test('every folder of src is a room of the layer table, and every room exists', () => {
  expect(entriesOfSrc()).toEqual(Object.keys(rooms).toSorted());
});

test('src/README.md maps exactly the rooms that exist, and says what each may import', () => {
  const rows = [...map().matchAll(/^\| `([a-z.]+?)\/?` \|.*\| ([^|]*) \|$/gm)].map(
    ([, room = '', imports = '']) => ({
      room,
      imports: imports === '–' ? [] : imports.split(', '),
    }),
  );
  expect(rows.map(({ room }) => room).toSorted()).toEqual(entriesOfSrc());
  for (const { room, imports } of rows) {
    expect([room, imports]).toEqual([room, room === 'app' ? ['all above'] : rooms[room]]);
  }
  expect(map()).toContain(
    `${pureRooms.slice(0, -1).map(code).join(', ')} and ${code(pureRooms.at(-1) ?? '')} are pure`,
  );
});

test('every file that src/README.md names exists', () => {
  const named = [...map().matchAll(/(?<=[\s`])((?:[a-z-]+\/)+[a-z-]+\.ts|main\.ts)\b/g)].map(
    ([path]) => path,
  );
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((path) => !namesBelow('src').includes(`src/${path}`))).toEqual([]);
});

function map(): string {
  return readFileSync(join(root, 'src/README.md'), 'utf8');
}

function code(word: string): string {
  return `\`${word}\``;
}

function entriesOfSrc(): string[] {
  return readdirSync(join(root, 'src'))
    .filter((name) => name !== 'README.md')
    .toSorted();
}
