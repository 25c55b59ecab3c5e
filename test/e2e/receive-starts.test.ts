import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ledgerBytesDifference, ledgerDifference, type Report } from '../../src/observe/report.ts';
import { freeUdpPort, startReceive, until } from '../support/appliance.ts';
import { type Finished, runCommand, startCommand } from '../support/command.ts';
import { readSamples, total } from '../support/metrics-text.ts';
import { withFolder } from '../support/tshark.ts';
import { canProtect, whileProtected } from '../support/write-protected.ts';

const traffic = join(import.meta.dirname, '../../samples/traffic.pcapng');
const TRAFFIC_PACKETS = 184;

/** Arguments of a `receive` on free ports of loopback with files in `directory`. */
async function receiveArgs(directory: string, ...set: readonly string[]): Promise<string[]> {
  const settings = [
    'listen.address=127.0.0.1',
    `listen.vxlanPorts=[${await freeUdpPort()}]`,
    `listen.genevePorts=[${await freeUdpPort()}]`,
    'http.address=127.0.0.1',
    'http.port=0',
    'sinks.captures.kind=files',
    `sinks.captures.directory=${directory}`,
    ...set,
  ];
  const options = ['receive', '--report', 'json', '--log-format', 'json'];
  return [...options, ...settings.flatMap((text) => ['--set', text])];
}

/** A start that must fail: it ends by itself, with nothing on standard output. */
async function expectRefused(args: readonly string[], status: number, code: string): Promise<Finished> {
  const finished = await runCommand(args);
  expect(finished.stderr).toContain(`[${code}]`);
  expect([finished.status, finished.stdout]).toEqual([status, '']);
  expect(finished.stderr).not.toContain('    at ');
  return finished;
}

function send(port: number, vni: number): Promise<Finished> {
  const to = ['--to', `127.0.0.1:${port}`, '--vni', String(vni)];
  return runCommand(['send', '--from', traffic, ...to, '--rate', '2000', '--log-level', 'warn']);
}

test('a folder that cannot be made is an error at the start, whatever the number of workers', () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, 'file'), '');
    const args = await receiveArgs(join(folder, 'file/captures'), 'workers=3');
    const { stderr } = await expectRefused(args, 1, 'OUTPUT_UNWRITABLE');
    expect(stderr).toContain('ENOTDIR');
  }));

test.skipIf(!canProtect())('a folder that may not be written to is an error at the start', () =>
  withFolder((folder) =>
    whileProtected(folder, async () => {
      await expectRefused(await receiveArgs(folder), 1, 'OUTPUT_UNWRITABLE');
    }),
  ),
);

test.each(['http.port', 'http.tcpHealthPort'])(
  '%s that another program has is an error at the start',
  (setting) =>
    withFolder(async (folder) => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const bound = server.address();
      const port = typeof bound === 'object' ? bound?.port : 0;
      const args = await receiveArgs(folder, `${setting}=${port}`, 'workers=2');
      const { stderr } = await expectRefused(args, 1, 'HTTP_BIND_FAILED');
      expect(stderr).toContain(`setting: ${setting}`);
      server.close();
    }),
);

test('a UDP port that another program has is an error at the start', () =>
  withFolder(async (folder) => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const args = await receiveArgs(folder, `listen.vxlanPorts=[${socket.address().port}]`);
    await expectRefused(args, 1, 'UDP_BIND_FAILED');
    socket.close();
  }));

test.each([
  ['listen.vxlanPorts=[0]', 'CONFIG_INVALID'],
  ['workers=-1', 'CONFIG_INVALID'],
  ['sinks.captures.rotatebytes=5', 'CONFIG_INVALID'],
  ['sinks.captures.select.filter=tcp port htttp', 'CONFIG_INVALID'],
  ['http.token=s3cret', 'NOT_IN_THIS_VERSION'],
])('%s is wrong usage: nothing is started', (setting, code) =>
  withFolder(async (folder) => {
    const { stderr } = await expectRefused(await receiveArgs(folder, setting), 2, code);
    expect(stderr).not.toContain('HTTP answers');
  }),
);

test('a signal while it starts is obeyed once it has started, and SIGHUP does not end it', () =>
  withFolder(async (folder) => {
    const { child, finished } = startCommand(await receiveArgs(folder, 'workers=2'));
    let log = '';
    child.stderr?.on('data', (part: Buffer) => (log += part.toString()));
    await until('it begins', () => log.includes('HTTP answers'));
    child.kill('SIGHUP');
    child.kill('SIGTERM');
    const { status, stdout, stderr } = await finished;
    expect(stderr).toContain('The settings were reloaded.');
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as Report).ledger.received).toBe(0);
  }));

test('without a sink packets are counted, and it is said that they go nowhere', () =>
  withFolder(async (folder) => {
    const receive = await startReceive(folder, 'sinks.captures=null');
    expect(receive.logged()).toContain('There is no sink');
    expect((await send(receive.vxlanPort, 42)).status).toBe(0);
    const { finished, report } = await receive.end();
    expect(finished.status).toBe(0);
    expect(report.ledger).toMatchObject({ received: TRAFFIC_PACKETS, delivered: TRAFFIC_PACKETS });
    expect(report.sinks).toEqual([]);
    expect(report.lanes.map(({ packets, files }) => [packets, files])).toEqual([[TRAFFIC_PACKETS, []]]);
    expect(readdirSync(folder)).toEqual([]);
  }));

test('as many workers as are asked for, and the limit of lanes is that of all of them together', () =>
  withFolder(async (folder) => {
    const receive = await startReceive(folder, 'workers=3', 'admission.maxLanes=2');
    for (const vni of [1, 2, 3, 4]) expect((await send(receive.vxlanPort, vni)).status).toBe(0);
    const samples = readSamples(await (await fetch(`${receive.url}/metrics`)).text());
    const { report } = await receive.end();
    expect(total(samples, 'mirrortap_worker_up')).toBe(3);
    expect(report.lanes.map(({ name, packets }) => [name, packets])).toEqual([
      ['vni-1', TRAFFIC_PACKETS],
      ['vni-2', TRAFFIC_PACKETS],
      ['overflow', 2 * TRAFFIC_PACKETS],
    ]);
    expect([ledgerDifference(report), ledgerBytesDifference(report)]).toEqual([0, 0]);
    expect(report.sinks).toMatchObject([{ written: 4 * TRAFFIC_PACKETS }]);
    const writers = new Set(
      report.lanes.flatMap(({ files }) => files.map((file) => /-w(\d)\.pcapng$/.exec(file)?.[1])),
    );
    expect(writers.size).toBeGreaterThan(1);
  }));
