import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { DgramInput } from '../../../src/inputs/dgram.ts';
import { MirrorError } from '../../../src/observe/error.ts';
import type { PacketBatch } from '../../../src/packet/batch.ts';
import { Layers } from '../../../src/packet/layers.ts';
import { NOT_TUNNEL, readOuter, tunnelPorts } from '../../../src/receive/outer.ts';
import { formatAddress } from '../../../src/wire/address.ts';

const opened: { close(): unknown }[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

function makeInput(ports: readonly number[], address = '127.0.0.1'): DgramInput {
  const input = new DgramInput({
    worker: 0,
    address,
    ports,
    receiveBufferBytes: 1_048_576,
    now: () => performance.timeOrigin + performance.now(),
  });
  opened.push(input);
  return input;
}

async function makeSender(type: 'udp4' | 'udp6' = 'udp4'): Promise<Socket> {
  const socket = createSocket(type);
  opened.push(socket);
  socket.bind(0, type === 'udp4' ? '127.0.0.1' : '::1');
  await once(socket, 'listening');
  return socket;
}

function send(socket: Socket, text: string, port: number, address = '127.0.0.1'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(text, port, address, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const sockets = await Promise.all(Array.from({ length: count }, () => makeSender()));
  return sockets.map((socket) => socket.address().port);
}

/** What each packet of a batch says, read back as the receiver reads it. */
function texts(batch: PacketBatch): string[] {
  const layers = new Layers();
  const ports = tunnelPorts([], []);
  return Array.from({ length: batch.count }, (_, slot) => {
    const outer = readOuter(
      batch.bytes,
      batch.at[slot]!,
      batch.end[slot]!,
      batch.linkType[slot]!,
      ports,
      layers,
    );
    expect(outer).toBe(NOT_TUNNEL);
    expect(batch.wireLen[slot]).toBe(batch.end[slot]! - batch.at[slot]!);
    expect(batch.nanoseconds[slot]).toBeLessThan(1_000_000_000);
    const source = formatAddress(
      batch.bytes,
      layers.outerIpAt + (layers.outerVersion === 4 ? 12 : 8),
      layers.outerVersion,
    );
    return `${source} ${layers.destinationPort} ${batch.bytes.toString('latin1', layers.payloadAt, layers.payloadEnd)}`;
  });
}

/** Runs an input and collects what it delivers; `until` resolves once so many packets came. */
function collect(input: DgramInput): {
  all: string[];
  until(count: number): Promise<void>;
  ended: Promise<void>;
} {
  const all: string[] = [];
  let wanted = Infinity;
  let arrived = (): void => {};
  const ended = input.run((batch) => {
    all.push(...texts(batch));
    if (all.length >= wanted) arrived();
    return Promise.resolve();
  });
  return {
    all,
    ended,
    until: (count) =>
      new Promise((resolve) => {
        wanted = count;
        arrived = resolve;
        if (all.length >= count) resolve();
      }),
  };
}

test('datagrams on several ports, empty ones too, come as IP packets with source and port', async () => {
  const [first = 0, second = 0] = await freePorts(2);
  const input = makeInput([first, second]);
  await Promise.all(opened.splice(0, 2).map((one) => one.close()));
  await input.open();
  expect(input.bound().map(({ port }) => port)).toEqual([first, second]);
  expect(input.bound()[0]?.receiveBufferBytes).toBeGreaterThan(0);
  const got = collect(input);
  const sender = await makeSender();
  await send(sender, 'one', first);
  await send(sender, '', second);
  await send(sender, 'x'.repeat(9000), second);
  await got.until(3);
  await input.close();
  await got.ended;
  expect(got.all.toSorted()).toEqual(
    [`127.0.0.1 ${first} one`, `127.0.0.1 ${second} `, `127.0.0.1 ${second} ${'x'.repeat(9000)}`].toSorted(),
  );
});

test('"::" takes both families, and an IPv4 sender counts as IPv4', async () => {
  const input = makeInput([0], '::');
  await input.open();
  const port = input.bound()[0]!.port;
  const got = collect(input);
  await send(await makeSender('udp6'), 'six', port, '::1');
  await send(await makeSender('udp4'), 'four', port, '127.0.0.1');
  await got.until(2);
  expect(got.all.toSorted()).toEqual([`127.0.0.1 ${port} four`, `::1 ${port} six`]);
});

test('two inputs on one port share the datagrams: each comes to one of them, once', async () => {
  const first = makeInput([0]);
  await first.open();
  const port = first.bound()[0]!.port;
  const second = makeInput([port]);
  await second.open();
  const one = collect(first);
  const two = collect(second);
  const senders = await Promise.all(Array.from({ length: 32 }, () => makeSender()));
  const sent: string[] = [];
  for (const [index, sender] of senders.entries()) {
    for (let number = 0; number < 20; number++) {
      sent.push(`127.0.0.1 ${port} ${index}/${number}`);
      await send(sender, `${index}/${number}`, port);
    }
  }
  await Promise.all([first.close(), second.close()]);
  await Promise.all([one.ended, two.ended]);
  expect([...one.all, ...two.all].toSorted()).toEqual(sent.toSorted());
});

test('what the kernel holds when the input is closed is still delivered', async () => {
  const input = makeInput([0]);
  await input.open();
  const { port } = input.bound()[0]!;
  const got = collect(input);
  const sender = await makeSender();
  const sends = Array.from({ length: 500 }, (_, number) => send(sender, String(number), port));
  await Promise.all(sends);
  await input.close();
  await input.close();
  await got.ended;
  expect(got.all).toHaveLength(500);
});

test('run settles only when the last batch has been given back', async () => {
  const input = makeInput([0]);
  await input.open();
  const { port } = input.bound()[0]!;
  const gates: (() => void)[] = [];
  let packets = 0;
  let ended = false;
  const run = input
    .run((batch) => {
      packets += batch.count;
      return new Promise((resolve) => gates.push(resolve));
    })
    .then(() => (ended = true));
  const sender = await makeSender();
  await send(sender, 'early', port);
  while (gates.length === 0) await setImmediate();
  await send(sender, 'more', port);
  const closed = input.close();
  // the first batch comes back while the sockets close: the rest is still to be delivered
  gates[0]?.();
  await send(sender, 'last', port);
  await closed;
  await Promise.resolve();
  expect(gates).toHaveLength(2);
  expect(ended).toBe(false);
  for (const open of gates) open();
  await run;
  expect(packets).toBe(3);
});

test('a batch that is full goes at once, without waiting for others', async () => {
  const input = makeInput([0]);
  await input.open();
  const { port } = input.bound()[0]!;
  const sizes: number[] = [];
  const run = input.run((batch) => {
    sizes.push(batch.count);
    expect(batch.end[batch.count - 1]).toBeLessThanOrEqual(batch.bytes.length);
    return Promise.resolve();
  });
  const sender = await makeSender();
  await Promise.all(Array.from({ length: 12 }, () => send(sender, 'y'.repeat(60_000), port)));
  await input.close();
  await run;
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(12);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(8);
});

test('a port that another socket holds alone is refused with address and port, and nothing stays open', async () => {
  const holder = await makeSender();
  const taken = holder.address().port;
  const [free = 0] = await freePorts(1);
  await opened.pop()?.close();
  const input = makeInput([free, taken]);
  const error: unknown = await input.open().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(MirrorError);
  expect(error).toMatchObject({ code: 'UDP_BIND_FAILED', context: { address: '127.0.0.1', port: taken } });
  const other = createSocket('udp4');
  opened.push(other);
  other.bind(free, '127.0.0.1');
  await once(other, 'listening');
});

test('an address that is not of this host is refused', async () => {
  await expect(makeInput([0], '192.0.2.1').open()).rejects.toMatchObject({ code: 'UDP_BIND_FAILED' });
});

test('closing before running ends the run at once', async () => {
  const input = makeInput([0]);
  await input.open();
  await input.close();
  const run = input.run(() => Promise.reject(new Error('nothing to deliver')));
  await expect(run).resolves.toBeUndefined();
});

test('closing before opening leaves no socket open', async () => {
  const input = makeInput([0]);
  await input.close();
  await input.open();
  expect(input.bound()).toEqual([]);
});
