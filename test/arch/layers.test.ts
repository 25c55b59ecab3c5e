import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { namesBelow, root } from '../support/source-files.ts';

interface Report {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[];
  };
  readonly modules: readonly { readonly source: string }[];
}

/** Each planted file breaks one rule, and the rule must say so. */
const planted = [
  { path: 'src/wire/a.ts', text: "import '../packet/room.ts';", rule: 'layers-wire' },
  { path: 'src/packet/a.ts', text: "import type { Room } from '../format/room.ts';", rule: 'layers-packet' },
  { path: 'src/format/a.ts', text: "export * from '../receive/room.ts';", rule: 'layers-format' },
  { path: 'src/receive/a.ts', text: "import '../observe/room.ts';", rule: 'layers-receive' },
  { path: 'src/mirror/a.ts', text: "import '../receive/room.ts';", rule: 'layers-mirror' },
  { path: 'src/observe/a.ts', text: "import '../packet/room.ts';", rule: 'layers-observe' },
  { path: 'src/pipeline/a.ts', text: "import '../sinks/room.ts';", rule: 'layers-pipeline' },
  { path: 'src/inputs/a.ts', text: "import '../sinks/room.ts';", rule: 'layers-inputs' },
  { path: 'src/sinks/a.ts', text: "import '../inputs/room.ts';", rule: 'layers-sinks' },
  { path: 'src/http/a.ts', text: "import '../sinks/room.ts';", rule: 'layers-http' },
  { path: 'src/config/a.ts', text: "const late = await import('../app/room.ts');", rule: 'layers-config' },
  { path: 'src/app/a.ts', text: "import '../main.ts';", rule: 'layers-app' },
  { path: 'src/main.ts', text: "import './sinks/room.ts';", rule: 'layers-main.ts' },
  { path: 'src/wire/b.ts', text: "import 'node:fs';", rule: 'pure-no-node-module' },
  { path: 'src/receive/b.ts', text: "import 'fs';", rule: 'pure-no-node-module' },
  { path: 'src/mirror/b.ts', text: "import 'anything';", rule: 'pure-no-package' },
  { path: 'src/receive/c.ts', text: "import 'typebox';", rule: 'package-typebox' },
  { path: 'src/http/b.ts', text: "import 'pino';", rule: 'package-pino' },
  { path: 'src/app/b.ts', text: "import 'anything';", rule: 'package-unknown' },
  {
    path: 'src/app/c.ts',
    text: "import { a } from '../receive/settings.ts'; a();",
    rule: 'settings-read-by-config-only',
  },
  { path: 'src/cellar/a.ts', text: '', imported: 'src/app/d.ts', rule: 'room-unknown' },
  { path: 'src/app/e.ts', text: "import './nowhere.ts';", rule: 'resolvable' },
  { path: 'src/app/f.ts', text: "import './g.ts';", rule: 'no-circle' },
  { path: 'src/app/h.ts', text: "import '../../test/a.ts';", rule: 'no-test-code' },
];
const house = mkdtempSync(join(tmpdir(), 'mirrortap-layers-'));

beforeAll(() => {
  for (const { path, text, imported } of planted) {
    plant(path, `${text}\n`);
    if (imported !== undefined) plant(imported, `import '../../${path}';\n`);
  }
  for (const room of ['packet', 'format', 'receive', 'observe', 'sinks', 'inputs', 'app']) {
    plant(`src/${room}/room.ts`, 'export type Room = string;\n');
  }
  plant('src/receive/settings.ts', "import 'typebox';\nexport function a(): void {}\n");
  plant('src/app/g.ts', "import './f.ts';\n");
  plant('test/a.ts', '');
  for (const name of ['typebox', 'pino', 'anything']) {
    plant(`node_modules/${name}/package.json`, `{ "name": "${name}", "exports": "./index.js" }`);
    plant(`node_modules/${name}/index.js`, '');
  }
  plant('tsconfig.json', '{ "compilerOptions": { "module": "nodenext" } }');
  plant(
    'package.json',
    '{ "type": "module", "dependencies": { "typebox": "1", "pino": "1", "anything": "1" } }',
  );
});

afterAll(() => rmSync(house, { recursive: true, force: true }));

test('the tool sees every file of src', () => {
  const seen = cruise(root).modules.map(({ source }) => source);
  const files = namesBelow('src').filter((path) => path.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(50);
  expect(files.filter((path) => !seen.includes(path))).toEqual([]);
});

test('every planted import that breaks a rule is reported, and the settings of a room are not', () => {
  const { violations } = cruise(house).summary;
  const found = violations.map(({ from, rule }) => `${from} ${rule.name}`);
  for (const { path, imported, rule } of planted) expect(found).toContain(`${imported ?? path} ${rule}`);
  expect(violations.filter(({ from }) => from === 'src/receive/settings.ts')).toEqual([]);
});

function cruise(folder: string): Report {
  const config = join(root, '.dependency-cruiser.mjs');
  const program = join(root, 'node_modules/.bin/depcruise');
  const { stdout } = spawnSync(program, ['--config', config, '--output-type', 'json', 'src'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout) as Report;
}

function plant(path: string, text: string): void {
  mkdirSync(dirname(join(house, path)), { recursive: true });
  writeFileSync(join(house, path), text);
}
