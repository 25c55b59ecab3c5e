import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ledgerDifference } from '../../src/observe/report.ts';
import { freeUdpPort, pause, startReceive, until } from '../support/appliance.ts';
import { runCommand } from '../support/command.ts';
import { requires } from '../support/requires.ts';
import { runWireshark, tsharkFields, withFolder } from '../support/tshark.ts';

const traffic = join(import.meta.dirname, '../../samples/traffic.pcapng');
const TRAFFIC_PACKETS = 184;

async function send(port: number | string, vni: number, ...more: readonly string[]): Promise<void> {
  const to = typeof port === 'string' ? port : `127.0.0.1:${port}`;
  const { status, stderr } = await runCommand([
    'send',
    '--from',
    traffic,
    '--to',
    to,
    '--vni',
    String(vni),
    '--rate',
    '2000',
    '--log-level',
    'warn',
    ...more,
  ]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
}

function captureFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.includes('.pcapng'),
  );
}

test.skipIf(!requires('tshark'))('what send sends is in the files of receive, and both ledgers agree', () =>
  withFolder(async (folder) => {
    // what a Gateway Load Balancer carries is always for port 4789; an address of its own keeps it free
    const host = '127.0.0.42';
    const receive = await startReceive(folder, 'workers=2', { vxlanPort: 4789 }, `listen.address=${host}`);
    await Promise.all([send(`${host}:4789`, 42), send(`${host}:4789`, 7, '--packet-length', '64')]);
    await send(`${host}:${receive.genevePort}`, 4242, '--gwlb', '00000000000000aa');
    const { finished, report } = await receive.end();

    expect(finished.status).toBe(0);
    expect(ledgerDifference(report)).toBe(0);
    expect(report.ledger).toMatchObject({ received: 3 * TRAFFIC_PACKETS, delivered: 3 * TRAFFIC_PACKETS });
    expect(report.lanes.map(({ name, packets }) => [name, packets]).toSorted()).toEqual([
      ['gwlb-4242-00000000000000aa', TRAFFIC_PACKETS],
      ['vni-42', TRAFFIC_PACKETS],
      ['vni-7', TRAFFIC_PACKETS],
    ]);
    const sent = tsharkFields(traffic, ['frame.len', 'eth.dst', 'ip.id', 'tcp.seq_raw']).map(String);
    for (const lane of report.lanes.filter(({ vni }) => vni !== 7)) {
      const kept = lane.files.flatMap((file) =>
        tsharkFields(join(folder, file), ['frame.len', 'eth.dst', 'ip.id', 'tcp.seq_raw']).map(String),
      );
      expect(kept.toSorted()).toEqual(sent.toSorted());
    }
    expect(report.lanes.find(({ vni }) => vni === 7)?.truncated).toBeGreaterThan(0);
    for (const name of captureFiles(folder)) {
      expect(name).toMatch(/^[a-z0-9-]+\/\d{8}T\d{6}Z-\d{6}-w[01]\.pcapng$/);
    }
  }),
);

test('health, metrics and the TCP port follow its life; SIGTERM drains', () =>
  withFolder(async (folder) => {
    const tcpHealthPort = await freeUdpPort();
    const receive = await startReceive(folder, 'drainSeconds=60', `http.tcpHealthPort=${tcpHealthPort}`);
    expect(await connects(tcpHealthPort)).toBe(true);
    expect((await fetch(`${receive.url}/healthz`)).status).toBe(200);
    await send(receive.vxlanPort, 42);
    await until('the packets are counted', async () =>
      (await (await fetch(`${receive.url}/metrics`)).text()).includes(
        `mirrortap_received_packets_total ${TRAFFIC_PACKETS}\n`,
      ),
    );

    receive.child.kill('SIGTERM');
    await until('it is not ready', async () => (await fetch(`${receive.url}/readyz`)).status === 503);
    expect(await (await fetch(`${receive.url}/readyz`)).json()).toMatchObject({
      status: 'not ready',
      reasons: [{ code: 'DRAINING' }],
    });
    expect((await fetch(`${receive.url}/healthz`)).status).toBe(200);
    await until('the TCP port is closed', async () => !(await connects(tcpHealthPort)));
    await send(receive.vxlanPort, 43);
    receive.child.kill('SIGTERM');
    const { status, stdout } = await receive.finished;
    expect(status).toBe(143);
    expect(JSON.parse(stdout)).toMatchObject({ ledger: { delivered: 2 * TRAFFIC_PACKETS } });
  }));

test('a second signal ends the drain, and the exit status says so', () =>
  withFolder(async (folder) => {
    const receive = await startReceive(folder, 'drainSeconds=60');
    await send(receive.vxlanPort, 42);
    receive.child.kill('SIGTERM');
    await until('it drains', () => receive.logged().includes('Draining'));
    receive.child.kill('SIGINT');
    const { status, stdout } = await receive.finished;
    expect(status).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ ledger: { delivered: TRAFFIC_PACKETS } });
    expect(captureFiles(folder).every((name) => name.endsWith('.pcapng'))).toBe(true);
  }));

test('SIGHUP takes over admission, and refuses a setting that needs a restart', () =>
  withFolder(async (folder) => {
    const file = join(folder, 'settings.yaml');
    writeFileSync(file, 'admission: { vnis: [42] }\n');
    const receive = await startReceive(join(folder, 'captures'), 'workers=1', { file });
    await send(receive.vxlanPort, 7);
    writeFileSync(file, 'admission: { vnis: [7] }\nbehind: nlb\n');
    receive.child.kill('SIGHUP');
    await until('it has reloaded', () => receive.logged().includes('The settings were reloaded'));
    expect(receive.logged()).toContain('"setting":"behind"');
    await send(receive.vxlanPort, 7);
    writeFileSync(file, 'admission: { vnis: [seven] }\n');
    receive.child.kill('SIGHUP');
    await until('it has refused', () => receive.logged().includes('the old ones stay'));
    const { report } = await receive.end();
    expect(report.ledger).toMatchObject({ filtered: TRAFFIC_PACKETS, delivered: TRAFFIC_PACKETS });
    expect(report.filteredBy.vni).toBe(TRAFFIC_PACKETS);
  }));

test('a second appliance on the same ports is refused', () =>
  withFolder(async (folder) => {
    const receive = await startReceive(folder);
    const second = await runCommand([
      'receive',
      ...[
        'listen.address=127.0.0.1',
        `listen.vxlanPorts=[${receive.vxlanPort}]`,
        'http.port=0',
        `sinks.a.kind=files`,
        `sinks.a.directory=${folder}/b`,
      ].flatMap((text) => ['--set', text]),
    ]);
    expect(second.status).toBe(1);
    expect(second.stderr).toContain('UDP_BIND_FAILED');
    await receive.end();
  }));

test.skipIf(!requires('tshark'))('kill -9 leaves files that open up to the last written block', () =>
  withFolder(async (folder) => {
    const receive = await startReceive(folder);
    await send(receive.vxlanPort, 42);
    await until('the files have grown', async () =>
      (await (await fetch(`${receive.url}/metrics`)).text()).includes(
        `mirrortap_sink_written_packets_total{sink="captures"} ${TRAFFIC_PACKETS}`,
      ),
    );
    receive.child.kill('SIGKILL');
    await receive.finished;
    const files = captureFiles(folder);
    expect(files.length).toBeGreaterThan(0);
    const packets = files.map((name) => {
      expect(name).toMatch(/\.part$/);
      return runWireshark('tshark', ['-r', join(folder, name)]).split('\n').length - 1;
    });
    expect(packets.reduce((sum, count) => sum + count, 0)).toBe(TRAFFIC_PACKETS);
  }),
);

test('what is no tunnel, a fault or silence is said', () =>
  withFolder(async (folder) => {
    const receive = await startReceive(
      folder,
      'behind=gwlb',
      'drainSeconds=0',
      'admission.expect=[{vni: 99, silentSeconds: 1}]',
    );
    const socket = createSocket('udp4');
    const noVni = Buffer.from('0000000000002a00', 'hex');
    const production = Buffer.from('00000800000000004500001400000000400100000102030405060708', 'hex');
    for (const [bytes, port] of [
      [noVni, receive.vxlanPort],
      [production, receive.genevePort],
    ] as const) {
      await new Promise<void>((resolve, reject) =>
        socket.send(bytes, port, '127.0.0.1', (error) => (error === null ? resolve() : reject(error))),
      );
    }
    socket.close();
    await until(
      'the alarms are raised',
      () => /production traffic/.test(receive.logged()) && /expected VNI is silent/.test(receive.logged()),
    );
    const metrics = await (await fetch(`${receive.url}/metrics`)).text();
    expect(metrics).toContain('mirrortap_lane_silent{vni="99"} 1\n');
    expect(metrics).toContain('mirrortap_misrouted_packets_total 1\n');
    const { report } = await receive.end();
    expect(report.ledger.fault).toEqual({ vxlanNoVni: 1 });
    expect(report.misrouted).toBe(1);
    expect(report.lanes.map(({ name }) => name)).toEqual(['geneve-0-ip']);
  }));

async function connects(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const connected = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.destroy();
  await pause(0);
  return connected;
}

test('printed settings are good settings', () =>
  withFolder(async (folder) => {
    const finished = await runCommand([
      'config',
      'print',
      '--set',
      `sinks.captures.kind=files`,
      '--set',
      `sinks.captures.directory=${folder}`,
    ]);
    expect(finished.status).toBe(0);
    writeFileSync(join(folder, 'c.yaml'), finished.stdout);
    expect((await runCommand(['config', 'check', join(folder, 'c.yaml')])).stdout).toContain('is good');
    expect(readFileSync(join(folder, 'c.yaml'), 'utf8')).toContain(folder);
  }));
