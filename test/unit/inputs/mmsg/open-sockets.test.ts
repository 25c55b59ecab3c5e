import { execFile } from 'node:child_process';
import type { Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { IntakeSet } from '../../../../src/inputs/intake-set.ts';
import type { SocketHandle } from '../../../../src/inputs/mmsg/socket-handle.ts';
import { bothDirections, sendMirrored } from '../../../support/aws-like-traffic.ts';
import { openSocketCount, openTestInput, openTestSockets, portOf } from '../../../support/mmsg-sockets.ts';
import { requiresNative } from '../../../support/native.ts';
import { requiresRoot } from '../../../support/requires.ts';
import { Collector, senderOn, sendTo } from '../../../support/socket-traffic.ts';

const native = await requiresNative();
const LOOPBACK = '127.0.0.1';
const WORKERS = 4;
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function openSet(options: Parameters<typeof openTestSockets>[0]): Promise<IntakeSet<SocketHandle>> {
  const set = await openTestSockets(options);
  cleanups.push(() => set.close());
  return set;
}

async function openSender(address: string): Promise<Socket> {
  const socket = await senderOn(address);
  cleanups.push(() => socket.close());
  return socket;
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const sockets = await Promise.all(Array.from({ length: count }, () => senderOn(LOOPBACK)));
  const ports = sockets.map((socket) => socket.address().port);
  await Promise.all(sockets.map((socket) => new Promise<void>((done) => socket.close(done))));
  return ports;
}

/** One collector a worker. */
function collect(set: IntakeSet<SocketHandle>): Promise<Collector[]> {
  return Promise.all(
    set.handles.map(async (_, worker) => {
      const input = await openTestInput(set, worker);
      cleanups.push(() => input.close());
      return new Collector(input);
    }),
  );
}

describe.skipIf(!native)('sockets for workers', () => {
  test('every worker has a socket for each port, and all of them are told with their buffers', async () => {
    const [vxlan = 0, other = 0, geneve = 0] = await freePorts(3);
    const ports = [vxlan, other, geneve];
    const set = await openSet({ workers: 2, vxlanPorts: [vxlan, other], genevePorts: [geneve] });
    expect(set.handles.map((handles) => handles.map(({ worker, port }) => [worker, port]))).toEqual(
      [0, 1].map((worker) => ports.map((port) => [worker, port])),
    );
    expect(structuredClone(set.handles)).toEqual(set.handles);
    const bound = set.bound();
    expect(bound).toHaveLength(6);
    for (const { receiveBufferBytes } of bound) expect(receiveBufferBytes).toBeGreaterThan(65_536);
    expect(set.notes).toEqual([]);
    expect(set.refresh()).toEqual([]);
  });

  test.each(['flow', 'flow-ports'] as const)(
    'steering %s: both directions of a connection come to one worker, whatever ports they are sent from',
    async (steering) => {
      const [vxlan = 0, geneve = 0] = await freePorts(2);
      const set = await openSet({ workers: WORKERS, vxlanPorts: [vxlan], genevePorts: [geneve], steering });
      const collectors = await collect(set);
      const packets = bothDirections(1000, 7, vxlan);
      await sendMirrored(packets, { vxlan, geneve });
      const all = (): number => collectors.reduce((sum, collector) => sum + collector.packets.length, 0);
      while (all() + set.kernelDrops() < packets.length) await new Promise(setImmediate);
      expect(set.kernelDrops()).toBe(0);

      const payloads = new Map(
        packets.map(({ payload, connection }) => [payload.toString('hex'), connection]),
      );
      const workersOf = new Map<number, Set<number>>();
      for (const [worker, { packets: got }] of collectors.entries()) {
        expect(got.length).toBeGreaterThan(packets.length / WORKERS / 2);
        for (const { bytes } of got) {
          const connection = payloads.get(bytes.toString('hex', 28)) ?? -1;
          workersOf.set(connection, (workersOf.get(connection) ?? new Set()).add(worker));
        }
      }
      expect(workersOf.size).toBe(1000);
      expect([...workersOf.values()].filter((workers) => workers.size !== 1)).toEqual([]);
      expect(set.steering).toBe(steering === 'flow' ? 'inner addresses' : 'inner addresses and ports');
    },
  );

  test('a worker that is gone leaves its flows where they are', async () => {
    const [vxlan = 0, geneve = 0] = await freePorts(2);
    const set = await openSet({ workers: WORKERS, vxlanPorts: [vxlan], genevePorts: [geneve] });
    const packets = bothDirections(200, 8, vxlan);
    const shares: number[][] = [];
    for (const gone of [-1, 1]) {
      const inputs = await Promise.all(set.handles.map((_, worker) => openTestInput(set, worker)));
      const collectors = inputs.map((input) => new Collector(input));
      if (gone >= 0) await inputs[gone]?.close();
      await sendMirrored(packets, { vxlan, geneve });
      // the successor takes what the kernel has kept
      const successor = gone < 0 ? undefined : await openTestInput(set, gone);
      if (successor !== undefined) collectors[gone] = new Collector(successor);
      for (const input of [...inputs, successor]) await input?.close();
      await Promise.all(collectors.map((collector) => collector.ended));
      shares.push(collectors.map((collector) => collector.packets.length));
    }
    expect(shares[1]).toEqual(shares[0]);
    expect(shares[0]?.reduce((sum, share) => sum + share, 0)).toBe(packets.length);
  });

  test('a kernel that refuses the program spreads by its own hash, and that is said', async () => {
    const steering = await import('../../../../src/inputs/bpf/steering.ts');
    vi.spyOn(steering, 'reusePortProgram').mockReturnValue(new Uint8Array(8));
    const [vxlan = 0] = await freePorts(1);
    const set = await openSet({ workers: 2, vxlanPorts: [vxlan] });
    expect(set.steering).toBe('outer addresses and ports (the kernel refused the program: EINVAL)');
    expect(set.notes).toHaveLength(1);
    expect(set.notes[0]?.fields['error']).toContain('SO_ATTACH_REUSEPORT_CBPF');
    const collectors = await collect(set);
    const from = await openSender(LOOPBACK);
    await sendTo(from, 'whoever', vxlan, LOOPBACK);
    while (collectors.every(({ packets }) => packets.length === 0)) await new Promise(setImmediate);
  });

  test.each([
    { name: 'all IPv4 addresses', address: '0.0.0.0', from: [LOOPBACK] },
    { name: 'both families', address: '::', from: [LOOPBACK, '::1'] },
    { name: 'one IPv6 address', address: '::1', from: ['::1'] },
  ])('$name: $address takes what is sent to it', async ({ address, from }) => {
    const set = await openSet({ address });
    const input = await openTestInput(set);
    cleanups.push(() => input.close());
    const got = new Collector(input);
    for (const one of from) await sendTo(await openSender(one), one, portOf(set), one);
    await got.until(from.length);
    const texts = got.packets.map(({ bytes }) => bytes.toString('latin1', bytes[0] === 0x45 ? 28 : 48));
    expect(texts.toSorted()).toEqual(from.toSorted());
  });

  const linkLocal = Object.entries(networkInterfaces())
    .flatMap(([name, list]) => (list ?? []).map((one) => ({ name, ...one })))
    .find(({ address }) => address.startsWith('fe80:'));

  test.skipIf(linkLocal === undefined)('a link-local address names its interface', async () => {
    const set = await openSet({ address: `${linkLocal?.address}%${linkLocal?.name}` });
    expect(portOf(set)).toBeGreaterThan(0);
  });

  test('a port that another socket holds alone is refused with address and port, and nothing stays open', async () => {
    const holder = await openSender(LOOPBACK);
    const [free = 0] = await freePorts(1);
    const taken = holder.address().port;
    const before = openSocketCount();
    const opening = openTestSockets({ workers: 2, vxlanPorts: [free, taken] });
    await expect(opening).rejects.toMatchObject({
      code: 'UDP_BIND_FAILED',
      context: { address: LOOPBACK, port: taken },
      cause: { code: 'SYSTEM_CALL_FAILED', context: { errno: 'EADDRINUSE' } },
    });
    expect(openSocketCount()).toBe(before);
  });

  test.each([
    { name: 'an address that is not of this host', address: '192.0.2.1' },
    { name: 'an interface that is not there', address: 'fe80::1%nowhere0' },
  ])('$name is refused', async ({ address }) => {
    const before = openSocketCount();
    await expect(openTestSockets({ address })).rejects.toMatchObject({ code: 'UDP_BIND_FAILED' });
    expect(openSocketCount()).toBe(before);
  });

  test('closed, it holds no socket, and its ports are free', async () => {
    const before = openSocketCount();
    const set = await openTestSockets({ workers: 3 });
    const port = portOf(set);
    expect(openSocketCount()).toBe(before + 3);
    set.close();
    expect(openSocketCount()).toBe(before);
    const again = await openSet({ vxlanPorts: [port] });
    expect(portOf(again)).toBe(port);
  });

  test.skipIf(!requiresRoot())('no privilege is needed', async () => {
    const program = join(import.meta.dirname, '../../../support/programs/unprivileged-sockets.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [program]);
    expect(JSON.parse(stdout)).toMatchObject({
      capabilities: '0000000000000000',
      payloads: ['received'],
      drops: 0,
      steering: 'inner addresses',
    });
  });
});
