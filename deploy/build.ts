/**
 * Builds the package that is shipped: `node deploy/build.ts [folder]`, `dist` where no folder is named.
 *
 * The compiler's plain output, one `.js` for each `.ts`, so that a stack trace names our files; and a package.json
 * of its own, without what only a checkout needs: the tools, and the packages that bring Node.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
/** What a flow record looks like, for those who read them. */
const FLOW_SCHEMA = 'format/flow-record.schema.json';
const out = resolve(process.argv[2] ?? join(root, 'dist'));

rmSync(out, { recursive: true, force: true });
const tsc = join(root, 'node_modules/.bin/tsc');
const { status } = spawnSync(tsc, ['--project', root, '--outDir', out], { stdio: 'inherit' });
if (status !== 0) process.exit(1);

chmodSync(join(out, 'main.js'), 0o755);
for (const name of ['LICENSE', 'README.md', 'CHANGELOG.md', 'samples/traffic.pcapng']) {
  if (existsSync(join(root, name))) cpSync(join(root, name), join(out, name));
}

cpSync(join(root, 'src', FLOW_SCHEMA), join(out, FLOW_SCHEMA));

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly type: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
const { name, version, description, license, type, engines, dependencies } = manifest;
const shipped = {
  name,
  version,
  description,
  license,
  type,
  engines,
  bin: { mirrortap: 'main.js' },
  dependencies,
};
writeFileSync(join(out, 'package.json'), `${JSON.stringify(shipped, undefined, 2)}\n`);
