import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  createWriteStream,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ledgerDifference, type Report } from '../../src/observe/report.ts';
import { until } from '../support/appliance.ts';
import { runCommand, startCommand } from '../support/command.ts';
import { requires } from '../support/requires.ts';
import { tsharkFields, withFolder } from '../support/tshark.ts';

const main = join(import.meta.dirname, '../../src/main.ts');
const sessions = join(import.meta.dirname, '../../samples/vxlan-sessions.pcapng');
const SESSIONS_PACKETS = 176;

/** `mirrortap` with a reader of standard output that is gone before anything is written. */
async function unread(...args: readonly string[]): Promise<{ status: number | null; stderr: string }> {
  const { child, finished } = startCommand(args);
  child.stdout?.destroy();
  return finished;
}

/** Starts `decap -` with a capture on standard input that goes on. */
function startEndless(out: string) {
  const child = spawn(process.execPath, [main, 'decap', '-', '--out', out, '--report', 'json'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.write(readFileSync(sessions));
  return { child, ended: once(child, 'close').then(([status]: (number | null)[]) => ({ status, stdout })) };
}

test.skipIf(!requires('tshark')).each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends it with what was read so far: finished files, the report, status %d', (signal, status) =>
  withFolder(async (folder) => {
    const { child, ended } = startEndless(folder);
    await until('files grow', () => readdirSync(folder).length > 0);
    child.kill(signal);
    const finished = await ended;
    expect(finished.status).toBe(status);
    const report = JSON.parse(finished.stdout) as Report;
    expect(report.ledger).toMatchObject({ received: SESSIONS_PACKETS, delivered: SESSIONS_PACKETS });
    expect(ledgerDifference(report)).toBe(0);
    for (const { files, packets } of report.lanes) {
      expect(tsharkFields(join(folder, String(files[0])), ['frame.len']).length).toBe(packets);
    }
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  }),
);

test('files after the one that a signal ended are not read', () =>
  withFolder(async (folder) => {
    const args = ['decap', '-', sessions, '--out', join(folder, 'out'), '--report', 'json'];
    const child = spawn(process.execPath, [main, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let stdout = '';
    child.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
    child.stdin.write(readFileSync(sessions));
    const ended = once(child, 'close');
    await until(
      'files grow',
      () => existsSync(join(folder, 'out')) && readdirSync(join(folder, 'out')).length > 0,
    );
    child.kill('SIGINT');
    await ended;
    expect(JSON.parse(stdout)).toMatchObject({ input: { packets: SESSIONS_PACKETS } });
  }));

test.each([
  { args: ['config', 'reference'], status: 0 },
  { args: ['config', 'metrics'], status: 0 },
  { args: ['--help'], status: 0 },
  { args: ['explain', sessions], status: 0 },
])('$args: a reader that stops early is no error', async ({ args, status }) => {
  expect(await unread(...args)).toMatchObject({ status, stderr: '' });
});

test('decap whose report nobody reads is done all the same, and a damaged file still is its failure', () =>
  withFolder(async (folder) => {
    expect((await unread('decap', sessions, '--out', join(folder, 'a'))).status).toBe(0);
    expect(readdirSync(join(folder, 'a')).length).toBe(4);
    const damaged = await unread('decap', sessions, join(folder, 'missing'), '--out', join(folder, 'b'));
    expect(damaged.status).toBe(1);
    expect(damaged.stderr).toContain('CAPTURE_UNREADABLE');
  }));

test('packets that nobody reads on end decap without an error, and the report is on standard error', async () => {
  const { status, stderr } = await unread('decap', ...Array<string>(20).fill(sessions), '--out', '-');
  expect(status).toBe(0);
  expect(stderr).toMatch(/^Input: \d+ packets/);
  expect(stderr).not.toContain('error');
});

test.skipIf(!existsSync('/dev/full'))('standard output on a full disk is an error', () =>
  withFolder(async (folder) => {
    const full = openSync('/dev/full', 'w');
    const run = async (...args: readonly string[]) => {
      const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', full, 'pipe'] });
      onTestFinished(() => void child.kill('SIGKILL'));
      let stderr = '';
      child.stderr?.on('data', (part: Buffer) => (stderr += part.toString()));
      const [status] = (await once(child, 'close')) as [number];
      return { status, stderr };
    };
    try {
      for (const args of [
        ['config', 'reference'],
        ['decap', sessions, '--out', folder],
      ]) {
        const { status, stderr } = await run(...args);
        expect(status).toBe(1);
        expect(stderr).toMatch(/^error: Standard output cannot be written: ENOSPC/);
        expect(stderr).not.toContain('    at ');
      }
      const packets = await run('decap', sessions, '--out', '-', '--report', 'json');
      expect(packets.status).toBe(1);
      expect(packets.stderr).toContain('DISK_FULL');
    } finally {
      closeSync(full);
    }
  }),
);

test('a file that is given twice is read twice', () =>
  withFolder(async (folder) => {
    const { status, stdout } = await runCommand([
      'decap',
      sessions,
      sessions,
      '--out',
      folder,
      '--report',
      'json',
    ]);
    expect(status).toBe(0);
    const report = JSON.parse(stdout) as Report;
    expect(report.input.packets).toBe(2 * SESSIONS_PACKETS);
    expect(report.lanes.map(({ fileCount }) => fileCount)).toEqual([1, 1, 1, 1]);
  }));

test('an output that cannot be begun is an error, and no report of nothing is printed', () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, 'file'), '');
    const { status, stdout, stderr } = await runCommand([
      'decap',
      sessions,
      '--out',
      join(folder, 'file/out'),
    ]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/OUTPUT_UNWRITABLE[^]*ENOTDIR/);
  }));

test('what stopped one file is said also where the output stops everything', () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, 'vni-42.pcapng'), 'mine');
    const { status, stderr } = await runCommand([
      'decap',
      join(folder, 'missing'),
      sessions,
      '--out',
      folder,
    ]);
    expect(status).toBe(1);
    expect(stderr.match(/\[[A-Z_]+\]/g)).toEqual(['[CAPTURE_UNREADABLE]', '[OUTPUT_EXISTS]']);
  }));

test('an input that is missing does not spoil JSON on standard output', () =>
  withFolder(async (folder) => {
    const args = [
      'decap',
      join(folder, 'missing'),
      sessions,
      '--out',
      join(folder, 'out'),
      '--report',
      'json',
    ];
    const { status, stdout, stderr } = await runCommand(args);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ input: { packets: SESSIONS_PACKETS } });
    expect(stderr).toMatch(/^error: .*missing.*\[CAPTURE_UNREADABLE\]/);
  }));

test.skipIf(!requires('script'))('packets are refused to a terminal', async () => {
  const command = `'${process.execPath}' '${main}' decap '${sessions}' --out -`;
  const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let shown = '';
  child.stdout.on('data', (part: Buffer) => (shown += part.toString()));
  const [status] = (await once(child, 'close')) as [number];
  expect(status).toBe(2);
  expect(shown).toMatch(/standard output is a terminal[^]*\[USAGE\]/);
});

test.skipIf(!requires('script'))('progress is shown on a terminal, and is gone before the report', () =>
  withFolder(async (folder) => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const command = `'${process.execPath}' '${main}' decap - --out '${join(folder, 'out')}' < '${pipe}'`;
    const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let shown = '';
    child.stdout.on('data', (part: Buffer) => (shown += part.toString()));
    const ended = once(child, 'close') as Promise<[number]>;
    const capture = createWriteStream(pipe);
    capture.write(readFileSync(sessions));
    await until('progress is shown', () => shown.includes(`${SESSIONS_PACKETS} packets, `));
    capture.end();
    expect((await ended)[0]).toBe(0);
    expect(shown).toMatch(/file 1 of 1, 0 MB, 176 packets, \d+ packets\/s: standard input/);
    expect(shown).toContain('\r\x1b[KInput: 176 packets');
  }),
);
