import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { root } from '../support/source-files.ts';

/** The package as a stranger gets it: built, packed, and installed in a folder far from the sources. */
const house = mkdtempSync(join(tmpdir(), 'mirrortap-package-'));
const dist = join(house, 'dist');
const home = join(house, 'installed');
const program = join(home, 'node_modules/.bin/mirrortap');
/** Used for UDP and for TCP. Below the ports that the kernel hands out, so that no other test is given it. */
const port = 20_000 + (process.pid % 10_000);
const POLL_MS = 50;
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly version: string;
  readonly dependencies: object;
};

beforeAll(() => {
  run(process.execPath, [join(root, 'deploy/build.ts'), dist], root);
  const packed = run('npm', ['pack', '--json', dist], house);
  mkdirSync(home);
  writeFileSync(join(home, 'package.json'), '{}');
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', join(house, filename)], home);
}, 300_000);

afterAll(() => rmSync(house, { recursive: true, force: true }));

test('the package names the program, what it needs to run, and nothing that brings Node or tools', () => {
  const shipped = JSON.parse(readFileSync(join(dist, 'package.json'), 'utf8')) as Record<string, unknown>;
  expect(shipped).toMatchObject({
    name: 'mirrortap',
    version: manifest.version,
    license: 'Apache-2.0',
    bin: { mirrortap: 'main.js' },
    dependencies: manifest.dependencies,
  });
  expect(Object.keys(shipped).filter((key) => /optional|dev|scripts|private/i.test(key))).toEqual([]);
});

test('the package holds no source and no test, and its program can be run', () => {
  const installed = join(home, 'node_modules/mirrortap');
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter(
    (name) => /\.\w+$/.test(name) && !name.endsWith('.js'),
  );
  const schemas = ['format/flow-record.schema.json', 'format/flow-record.avsc.json'];
  const others = [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'package.json',
    'samples/traffic.pcapng',
    ...schemas,
  ];
  expect(files.filter((name) => !others.includes(name))).toEqual([]);
  expect(files).toContain('samples/traffic.pcapng');
  for (const schema of schemas) expect(files).toContain(schema);
  expect(statSync(join(installed, 'LICENSE')).size).toBe(statSync(join(root, 'LICENSE')).size);
  expect(statSync(join(installed, 'main.js')).mode & 0o111).toBe(0o111);
  expect(readFileSync(join(installed, 'main.js'), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
});

test('mirrortap --version says the version of the package', () => {
  expect(run(program, ['--version'], home).trim()).toBe(manifest.version);
});

test('mirrortap decap splits a capture by lane', () => {
  const report = decapsulate('decap');
  expect(report.ledger.received).toBeGreaterThan(0);
  expect(report.lanes.length).toBeGreaterThan(1);
});

test('mirrortap receive starts its worker thread, is ready, and ends with a report', async () => {
  const receive = spawn(program, ['receive', '--report', 'json', '--log-format', 'json', ...settings()], {
    cwd: home,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void receive.kill('SIGKILL'));
  const log = text(receive.stderr);
  const report = text(receive.stdout);
  const ended = once(receive, 'exit').then(([status]) => status as number | null);
  expect(await Promise.race([ready(), ended.then(() => log)])).toBe('ready');
  receive.kill('SIGTERM');
  expect({ status: await ended, log: await log }).toMatchObject({ status: 0 });
  expect(JSON.parse(await report)).toMatchObject({ ledger: { received: 0 } });
});

interface Report {
  readonly ledger: { readonly received: number };
  readonly lanes: readonly object[];
}

function decapsulate(folder: string): Report {
  const capture = join(root, 'samples/vxlan-sessions.pcapng');
  const args = ['decap', capture, '--out', join(home, folder), '--report', 'json'];
  return JSON.parse(run(program, args, home)) as Report;
}

function settings(): string[] {
  return [
    'listen.mode=dgram',
    'listen.address=127.0.0.1',
    `listen.vxlanPorts=[${port}]`,
    'listen.genevePorts=[]',
    'workers=1',
    'http.address=127.0.0.1',
    `http.port=${port}`,
    `sinks.captures.directory=${join(home, 'captures')}`,
  ].flatMap((setting) => ['--set', setting]);
}

/** Settles once the receiver says that a worker receives; the test's time limit ends what never comes. */
async function ready(): Promise<string> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (answer?.status === 200) return 'ready';
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} exits ${status}:\n${stdout}${stderr}`);
  return stdout;
}
