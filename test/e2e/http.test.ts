import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ledgerBytesDifference, ledgerDifference, type Report } from '../../src/observe/report.ts';
import { emit, HEADER_LEN } from '../../src/wire/vxlan.ts';
import { startCommand } from '../support/command.ts';
import { rawRequest, type RawAnswer } from '../support/raw-http.ts';
import { requires } from '../support/requires.ts';

const PROMTOOL = 'promtool';
const POLL_MS = 50;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

/** `receive` with two workers on free ports of loopback; a drain lasts until a second signal. */
async function startReceive(folder: string) {
  const [vxlan, http, tcp] = await Promise.all([freePort(), freePort(), freePort()]);
  const settings = [
    `listen.vxlanPorts=[${vxlan}]`,
    'listen.address=127.0.0.1',
    'listen.genevePorts=[]',
    'workers=2',
    'http.address=127.0.0.1',
    `http.port=${http}`,
    `http.tcpHealthPort=${tcp}`,
    `sinks.captures.directory=${folder}`,
    'drainSeconds=600',
  ];
  const running = startCommand([
    'receive',
    '--report',
    'json',
    ...settings.flatMap((text) => ['--set', text]),
  ]);
  onTestFinished(() => void running.child.kill('SIGKILL'));
  return { ...running, vxlan, http, tcp };
}

/** Asks until the answer is as wanted; the test's time limit ends what never comes. */
async function until(
  ask: () => Promise<RawAnswer>,
  wanted: (answer: RawAnswer) => boolean,
): Promise<RawAnswer> {
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined && wanted(answer)) return answer;
    await sleep(POLL_MS);
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function untilOpen(port: number, wanted: boolean): Promise<void> {
  while ((await isOpen(port)) !== wanted) await sleep(POLL_MS);
}

const LIMIT_MS = 120_000;

test(
  'a receiver as a load balancer and Prometheus see it, from start to end',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mirrortap-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { child, finished, vxlan, http, tcp } = await startReceive(folder);
    const get = (path: string, head = '') => rawRequest(http, `GET ${path} HTTP/1.0\n${head}\n`);

    const ready = await until(
      () => get('/readyz'),
      ({ status }) => status === 200,
    );
    expect(JSON.parse(ready.body)).toEqual({ status: 'ready', reasons: [] });
    const checked = await get('/', 'User-Agent: ELB-HealthChecker/2.0\n');
    expect([checked.status, checked.body]).toEqual([200, ready.body]);
    await untilOpen(tcp, true);

    const datagram = Buffer.alloc(HEADER_LEN + 60);
    emit(datagram, 0, 7);
    const sender = createSocket('udp4');
    sender.send(datagram, vxlan, '127.0.0.1');
    sender.send(Buffer.alloc(datagram.length), vxlan, '127.0.0.1', () => sender.close());
    const { body } = await until(
      () => get('/metrics'),
      (answer) => answer.body.includes('mirrortap_received_packets_total 2\n'),
    );
    expect(body).toContain('mirrortap_lane_packets_total{lane="vni-7",encapsulation="vxlan",vni="7"} 1\n');
    expect(body).toContain('mirrortap_faults_total{reason="vxlanNoVni"} 1\n');
    expect(body).toContain('mirrortap_worker_up{worker="1"} 1\n');
    if (requires(PROMTOOL)) {
      const { status, stderr } = spawnSync(PROMTOOL, ['check', 'metrics'], { input: body, encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, '']);
    }

    child.kill('SIGTERM');
    const draining = await until(
      () => get('/readyz'),
      ({ status }) => status === 503,
    );
    expect(JSON.parse(draining.body)).toMatchObject({ status: 'not ready', reasons: [{ code: 'DRAINING' }] });
    expect((await get('/healthz')).status).toBe(200);
    await untilOpen(tcp, false);

    child.kill('SIGTERM');
    const { status, stdout } = await finished;
    expect(status).toBe(143);
    const report = JSON.parse(stdout) as Report;
    expect(report.ledger).toMatchObject({ received: 2, delivered: 1, fault: { vxlanNoVni: 1 } });
    expect(report.ledgerBytes).toMatchObject({ received: 136, delivered: 68, fault: { vxlanNoVni: 68 } });
    expect([ledgerDifference(report), ledgerBytesDifference(report)]).toEqual([0, 0]);
    expect(await isOpen(http)).toBe(false);
  },
  LIMIT_MS,
);
