import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../src/app/doctor/finding.ts';
import { startReceive } from '../support/appliance.ts';
import { type Finished, runCommand } from '../support/command.ts';
import { requires } from '../support/requires.ts';
import { commandIn, requiresNamespaces, withNetwork } from '../support/namespaces.ts';

const main = join(import.meta.dirname, '../../src/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'mirrortap-doctor-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Told {
  readonly ok: number;
  readonly note: number;
  readonly problem: number;
  readonly findings: readonly Finding[];
}

const quiet = [
  'listen.address=127.0.0.1',
  'listen.vxlanPorts=[45001]',
  'listen.genevePorts=[]',
  'http.address=127.0.0.1',
  'http.port=0',
  'sinks.captures.kind=files',
  'sinks.captures.keepFreePercent=0',
  `sinks.captures.directory=${join(folder, 'captures')}`,
];

const sets = (settings: readonly string[]): string[] => settings.flatMap((text) => ['--set', text]);

/** What doctor says, as JSON; its exit status is 1 if, and only if, there is a problem. */
function told({ status, stdout }: Pick<Finished, 'status' | 'stdout'>): Told {
  const result = JSON.parse(stdout) as Told;
  const count = (wanted: string): number => result.findings.filter((one) => one.status === wanted).length;
  expect(result).toMatchObject({ ok: count('ok'), note: count('note'), problem: count('problem') });
  expect(status).toBe(result.problem > 0 ? 1 : 0);
  return result;
}

async function doctor(...settings: string[]): Promise<Told> {
  return told(await runCommand(['doctor', '--report', 'json', ...sets([...quiet, ...settings])]));
}

function of(result: Told, name: string): Finding[] {
  return result.findings.filter((finding) => finding.name === name);
}

test('text has a line for each finding, and how many there are', async () => {
  const { stdout } = await runCommand(['doctor', ...sets(quiet)]);
  expect(stdout).toMatch(/^(ok|note|problem) +input-mode +Packets would come in by (ring|mmsg|dgram)\./);
  expect(stdout).toMatch(/^ok +disk-write +The sink captures can write to /m);
  expect(stdout).toMatch(/\n\n\d+ problems?, \d+ notes?, \d+ ok\.\n$/);
  expect(readdirSync(folder)).toEqual([]);
});

test('ports that others have are a problem, with the program that has them', async () => {
  const udp = createSocket('udp4');
  const tcp = createServer();
  try {
    udp.bind(0, '127.0.0.1');
    tcp.listen(0, '127.0.0.1');
    await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
    const address = tcp.address();
    const httpPort = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const settings = [`listen.vxlanPorts=[${udp.address().port}]`, `http.port=${httpPort}`];
    const result = await doctor(...settings);
    const who = expect.stringContaining(`taken by process ${process.pid} (`);
    expect(of(result, 'ports')).toMatchObject([{ status: 'problem', message: who }]);
    expect(of(result, 'http-port')).toMatchObject([{ status: 'problem', message: who }]);
    // how packets come in is tried on another port
    expect(of(result, 'input-mode')).toMatchObject([{ message: expect.stringMatching(/^Packets would/) }]);
  } finally {
    udp.close();
    tcp.close();
  }
});

test('an appliance that runs goes on undisturbed, and is known as one', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mirrortap-doctor-'));
  try {
    const running = await startReceive(directory);
    const result = await doctor(`listen.vxlanPorts=[${running.vxlanPort}]`);
    expect(of(result, 'ports')).toMatchObject([
      { status: 'note', remedy: expect.stringContaining('runs already') },
    ]);
    const { finished } = await running.end();
    expect(finished.status).toBe(0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a folder that cannot be written to is a problem', async () => {
  const file = join(import.meta.dirname, 'doctor.test.ts');
  const result = await doctor(`sinks.captures.directory=${file}`);
  expect(of(result, 'disk-write')).toMatchObject([
    { status: 'problem', message: expect.stringContaining('ENOTDIR') },
  ]);
  expect(of(result, 'disk-speed')).toEqual([]);
});

test('an address of another machine is a problem', async () => {
  const result = await doctor('listen.address=192.0.2.1');
  expect(of(result, 'ports')).toMatchObject([
    { status: 'problem', message: expect.stringContaining('EADDRNOTAVAIL') },
  ]);
  expect(of(result, 'input-mode')).toMatchObject([{ status: 'problem' }]);
});

test.each([
  { args: ['doctor', '--set', 'listen.mode=fast'], says: /CONFIG_INVALID/ },
  { args: ['doctor', '-c', '/nowhere.yaml'], says: /CONFIG_UNREADABLE/ },
  { args: ['doctor', '--report', 'xml'], says: /--report/ },
])('$args is wrong usage', async ({ args, says }) => {
  const { status, stdout, stderr } = await runCommand(args);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(says);
});

describe.skipIf(!requiresNamespaces())('in a network namespace', () => {
  function doctorIn(namespace: string, command: readonly string[] = []): Told {
    const settings = quiet.map((text) => text.replace('listen.address=127.0.0.1', 'listen.address=0.0.0.0'));
    const args = [process.execPath, main, 'doctor', '--report', 'json', ...sets(settings)];
    const [name = '', ...rest] = commandIn(namespace, [...command, ...args]);
    const { status, stdout } = spawnSync(name, rest, { encoding: 'utf8' });
    return told({ status, stdout });
  }

  test('the MTU is that of its interfaces', async () => {
    await withNetwork('veth', async ({ receiver }) => {
      const [mtu, ...more] = of(doctorIn(receiver), 'mtu');
      expect(mtu).toMatchObject({ status: 'ok', message: expect.stringMatching(/^in0 has an MTU of 9100/) });
      expect(more).toEqual([]);
    });
    await withNetwork(
      'veth',
      async ({ receiver }) => {
        const result = doctorIn(receiver);
        expect(of(result, 'mtu')).toMatchObject([
          { status: 'problem', message: expect.stringContaining('1500') },
        ]);
        expect(result.problem).toBeGreaterThan(0);
      },
      1500,
    );
  });

  test('a bridge is read, not its ports', async () => {
    await withNetwork('bridge', async ({ receiver }) => {
      const [interfaces] = of(doctorIn(receiver), 'interfaces');
      expect(interfaces?.message).toMatch(/\bbr0\b/);
      expect(interfaces?.message).not.toMatch(/\bin0\b/);
    });
  });

  test.skipIf(!requires('setpriv'))('without CAP_NET_RAW there is no ring, and it is said why', async () => {
    await withNetwork('veth', async ({ receiver }) => {
      const result = doctorIn(receiver, ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-all']);
      expect(of(result, 'capabilities')).toMatchObject([
        { status: 'note', remedy: expect.stringContaining('setcap') },
      ]);
      const [mode] = of(result, 'input-mode');
      expect(mode).toMatchObject({
        status: 'note',
        message: expect.stringMatching(/by mmsg\. Not by ring: .*CAP_NET_RAW/),
      });
    });
  });

  test('without an interface nothing can be received', () => {
    const name = `mirrortap-doctor-${process.pid}`;
    const run = (...args: string[]): unknown => spawnSync('ip', args);
    run('netns', 'add', name);
    try {
      const result = doctorIn(name);
      expect(of(result, 'interfaces')).toMatchObject([{ status: 'problem' }]);
      expect(of(result, 'mtu')).toEqual([]);
    } finally {
      run('netns', 'del', name);
    }
  });
});

test('the folder of a sink is as it was', async () => {
  const directory = join(folder, 'captures');
  mkdirSync(directory);
  await doctor();
  expect(readdirSync(directory)).toEqual([]);
});
