import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { SendReport } from '../../src/app/send/report.ts';
import * as pcap from '../../src/format/pcap-encoder.ts';
import { pcapFile } from '../../samples/make/capture.ts';
import { traffic } from '../../samples/make/traffic.ts';
import { runCommand, startCommand, type Finished } from '../support/command.ts';
import { toHex } from '../support/hex.ts';
import { withFolder } from '../support/tshark.ts';

const sample = join(import.meta.dirname, '../../samples/traffic.pcapng');
const frames = traffic().map(({ bytes }) => bytes);
const opened: { close(): unknown }[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

interface Receiver {
  readonly to: string;
  readonly got: Buffer[];
  readonly ports: Set<number>;
  /** Resolves once so many datagrams arrived. */
  readonly count: (wanted: number) => Promise<void>;
}

async function listen(): Promise<Receiver> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 });
  opened.push(socket);
  const got: Buffer[] = [];
  const ports = new Set<number>();
  socket.on('message', (bytes, { port }) => {
    got.push(bytes);
    ports.add(port);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const count = async (wanted: number): Promise<void> => {
    while (got.length < wanted) await once(socket, 'message');
  };
  return { to: `127.0.0.1:${socket.address().port}`, got, ports, count };
}

function reportOf({ stdout }: Finished): SendReport {
  return JSON.parse(stdout) as SendReport;
}

/** The words of a `send` of one session that says in JSON what it did. */
function sendOf(from: string, { to }: Receiver, vni: number, ...more: readonly string[]): string[] {
  return ['send', '--from', from, '--to', to, '--vni', String(vni), ...more, '--report', 'json'];
}

function inHex(list: readonly Uint8Array[]): string[] {
  return list.map(toHex).toSorted();
}

test('every frame arrives once, behind a VXLAN header, from several ports', async () => {
  const receiver = await listen();
  const finished = await runCommand(sendOf(sample, receiver, 42, '--rate', 'max'));
  expect(finished.status).toBe(0);
  expect(finished.stderr).not.toMatch(/warn|error/);
  await receiver.count(frames.length);
  expect(inHex(receiver.got)).toEqual(inHex(frames).map((frame) => `0800000000002a00${frame}`));
  expect(receiver.ports.size).toBeGreaterThan(1);
  const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
  expect(reportOf(finished)).toMatchObject({
    input: { packets: frames.length, bytes },
    ledger: { received: frames.length, sent: frames.length, dropped: {} },
    sentBytes: bytes + 8 * frames.length,
    truncated: 0,
    fragmented: 0,
    passes: 1,
    first: '2026-01-01T00:00:00.000000000Z',
  });
});

test('as through a Gateway Load Balancer, cut to the packet length', async () => {
  const receiver = await listen();
  const cut = 38;
  const shape = ['--gwlb', 'ffffffff00000001', '--packet-length', String(cut)];
  const finished = await runCommand(sendOf(sample, receiver, 7, ...shape, '--rate', 'max'));
  expect(finished.status).toBe(0);
  await receiver.count(frames.length);
  const headersLen = 8 + 32 + 20 + 8 + 8;
  for (const datagram of receiver.got) {
    expect(toHex(datagram.subarray(0, 20))).toBe('080008000000000001080102ffffffff00000001');
    // the mirror source is the address that datagrams leave from, the target the one they go to
    expect(toHex(datagram.subarray(52, 60))).toBe('7f0000017f000001');
    expect(toHex(datagram.subarray(68, 76))).toBe('0800000000000700');
  }
  const inner = receiver.got.map((datagram) => datagram.subarray(headersLen));
  expect(inHex(inner)).toEqual(inHex(frames.map((frame) => frame.subarray(0, cut))));
  expect(reportOf(finished)).toMatchObject({
    target: { encapsulation: 'geneve+vxlan', vni: 7 },
    truncated: frames.length,
  });
});

test('a rate is kept, over all passes, and never exceeded', async () => {
  const receiver = await listen();
  const finished = await runCommand(sendOf(sample, receiver, 1, '--rate', '2000', '--loop', '3'));
  const report = reportOf(finished);
  const total = 3 * frames.length;
  await receiver.count(total);
  expect(report).toMatchObject({ passes: 3, ledger: { received: total, sent: total } });
  expect(report.seconds).toBeGreaterThanOrEqual((total - 1) / 2000);
  const thrice = [...frames, ...frames, ...frames];
  expect(inHex(receiver.got.map((datagram) => datagram.subarray(8)))).toEqual(inHex(thrice));
});

test("by default frames keep the capture's own distances, in each pass", async () => {
  await withFolder(async (folder) => {
    const receiver = await listen();
    const file = join(folder, 'two.pcap');
    writeFileSync(file, pcapFile([0, 200_000].map((timeUs) => ({ timeUs, bytes: Buffer.alloc(60) }))));
    const report = reportOf(await runCommand(sendOf(file, receiver, 1, '--loop', '2')));
    expect(report.ledger.sent).toBe(4);
    expect(report.seconds).toBeGreaterThanOrEqual(0.4);
    expect(report.last).toBe('2026-01-01T00:00:00.200000000Z');
  });
});

test.each([
  { signal: 'SIGINT', status: 130 },
  { signal: 'SIGTERM', status: 143 },
] as const)('$signal ends an endless run with its report and status $status', async ({ signal, status }) => {
  const receiver = await listen();
  const { child, finished } = startCommand(sendOf(sample, receiver, 1, '--loop', '0'));
  await receiver.count(3);
  child.kill(signal);
  const result = await finished;
  expect(result.status).toBe(status);
  const { ledger } = reportOf(result);
  expect(ledger.sent).toBe(ledger.received);
  expect(ledger.sent).toBeGreaterThanOrEqual(3);
});

test('from standard input', async () => {
  const receiver = await listen();
  const args = ['send', '--from', '-', '--to', receiver.to, '--vni', '1', '--rate', 'max'];
  const finished = await runCommand(args, readFileSync(sample));
  expect(finished.status).toBe(0);
  expect(finished.stdout).toMatch(/^received +184$/m);
  expect(finished.stdout).toMatch(/^ {2}sent +184$/m);
  await receiver.count(frames.length);
});

test('frames that are not Ethernet are left out, counted, and said', async () => {
  await withFolder(async (folder) => {
    const receiver = await listen();
    const file = join(folder, 'raw.pcap');
    const capture = pcapFile(traffic().slice(0, 5));
    pcap.fileHeader(capture, 0, 101);
    writeFileSync(file, capture);
    const finished = await runCommand(sendOf(file, receiver, 1));
    expect(reportOf(finished).ledger).toEqual({ received: 5, sent: 0, dropped: { linkType: 5 } });
    expect(finished.status).toBe(0);
    expect(finished.stderr).toContain('not Ethernet');
  });
});

test('a damaged capture: what comes before the damage is sent, then exit 1', async () => {
  await withFolder(async (folder) => {
    const receiver = await listen();
    const file = join(folder, 'cut.pcapng');
    const whole = readFileSync(sample);
    writeFileSync(file, whole.subarray(0, whole.length - 20));
    const finished = await runCommand(sendOf(file, receiver, 1, '--rate', 'max'));
    expect(finished.status).toBe(1);
    expect(finished.stderr).toContain('CAPTURE_DAMAGED');
    expect(reportOf(finished).ledger).toEqual({ received: 183, sent: 183, dropped: {} });
    await receiver.count(183);
  });
});

const least = ['--from', sample, '--to', '127.0.0.1:9', '--vni', '1'];

test.each([
  { name: 'no VNI', args: ['--from', sample, '--to', '127.0.0.1'], status: 2, says: '--vni' },
  { name: 'a VNI of 25 bits', args: [...least, '--vni', '16777216'], status: 2, says: '0..16777215' },
  { name: 'an unknown option', args: [...least, '--pakcet-length', '3'], status: 2, says: '--packet-length' },
  { name: 'the long form', args: ['-c', 'sessions.yaml'], status: 2, says: 'not in this version' },
  { name: 'an interface', args: [...least, '--from', 'lo'], status: 2, says: 'not in this version' },
  {
    name: 'no such file',
    args: [...least, '--from', '/no/such/file.pcap'],
    status: 1,
    says: 'CAPTURE_UNREADABLE',
  },
  { name: 'no such host', args: [...least, '--to', 'appliance.invalid'], status: 1, says: 'TARGET_UNKNOWN' },
])('refused: $name', async ({ args, status, says }) => {
  const finished = await runCommand(['send', ...args]);
  expect(finished.status).toBe(status);
  expect(finished.stderr).toContain(says);
});
