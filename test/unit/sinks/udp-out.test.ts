import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { MirrorError } from '../../../src/observe/error.ts';
import { UdpOut } from '../../../src/sinks/udp-out.ts';

const opened: { close(): unknown }[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

interface Receiver {
  readonly port: number;
  readonly got: { text: string; port: number }[];
  /** Resolves once so many datagrams arrived. */
  readonly count: (wanted: number) => Promise<void>;
}

async function makeReceiver(family: 4 | 6 = 4): Promise<Receiver> {
  const socket: Socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  opened.push(socket);
  const got: Receiver['got'] = [];
  socket.on('message', (bytes, { port }) => got.push({ text: bytes.toString(), port }));
  socket.bind(0, family === 4 ? '127.0.0.1' : '::1');
  await once(socket, 'listening');
  const count = async (wanted: number): Promise<void> => {
    while (got.length < wanted) await once(socket, 'message');
  };
  return { port: socket.address().port, got, count };
}

async function makeOut(port: number, sockets = 4, family: 4 | 6 = 4): Promise<UdpOut> {
  const out = new UdpOut({ address: family === 4 ? '127.0.0.1' : '::1', family, port, sockets });
  opened.push(out);
  await out.open();
  return out;
}

/** Writes and sends one text; -1 where there was no room. */
function sendText(out: UdpOut, text: string, hash: number): number {
  const at = out.reserve(text.length);
  if (at >= 0) out.send(at, at + out.block.write(text, at), hash);
  return at;
}

test('datagrams arrive as they were written, counted as sent', async () => {
  const receiver = await makeReceiver();
  const out = await makeOut(receiver.port);
  for (let i = 0; i < 50; i++) sendText(out, `datagram ${i}`, i);
  await out.settled();
  await receiver.count(50);
  const texts = receiver.got.map(({ text }) => text);
  expect(new Set(texts)).toEqual(new Set(Array.from({ length: 50 }, (_, i) => `datagram ${i}`)));
  expect(out).toMatchObject({ sent: 50, sentBytes: texts.join('').length });
  expect(out.failed.size).toBe(0);
});

test('the hash picks the source port, of the range of RFC 7348', async () => {
  const receiver = await makeReceiver();
  const out = await makeOut(receiver.port, 4);
  for (let hash = 0; hash < 12; hash++) sendText(out, String(hash), hash);
  await out.settled();
  await receiver.count(12);
  const portOf = new Map(receiver.got.map(({ text, port }) => [Number(text), port]));
  expect(new Set(portOf.values()).size).toBe(4);
  for (let hash = 0; hash < 8; hash++) expect(portOf.get(hash)).toBe(portOf.get(hash + 4));
  for (const port of portOf.values()) expect(port).toBeGreaterThanOrEqual(49_152);
});

test('over IPv6', async () => {
  const receiver = await makeReceiver(6);
  const out = await makeOut(receiver.port, 1, 6);
  sendText(out, 'six', 0xffff_ffff);
  await receiver.count(1);
  expect(receiver.got[0]?.text).toBe('six');
  expect(out.localAddress).toBe('::1');
});

test('there is room again once everything has settled, and never more in flight than the limit', async () => {
  const receiver = await makeReceiver();
  const out = await makeOut(receiver.port);
  let sent = 0;
  while (sendText(out, 'x', sent) >= 0) sent++;
  expect(sent).toBe(256);
  expect(out.sent).toBeLessThan(256);
  await out.settled();
  expect(out.sent).toBe(256);
  expect(out.reserve(1)).toBe(0);
});

test('the block bounds the bytes in flight', async () => {
  const receiver = await makeReceiver();
  const out = await makeOut(receiver.port);
  let taken = 0;
  for (let at = out.reserve(60_000); at >= 0; at = out.reserve(60_000)) {
    expect(at + 60_000).toBeLessThanOrEqual(out.block.length);
    out.send(at, at + 60_000, taken++);
  }
  expect(taken).toBe(Math.floor(out.block.length / 60_000));
  await out.settled();
  expect(out.sent).toBe(taken);
});

test('a datagram that is too long for the kernel is counted by the name of the error', async () => {
  const receiver = await makeReceiver();
  const out = await makeOut(receiver.port);
  out.send(out.reserve(65_508), 65_508, 0);
  sendText(out, 'still alive', 0);
  await out.settled();
  await receiver.count(1);
  expect(out.failed).toEqual(new Map([['EMSGSIZE', 1]]));
  expect(out.sent).toBe(1);
});

test('where nobody listens every datagram is sent or refused, and something comes back', async () => {
  const receiver = await makeReceiver();
  opened.splice(0, 1)[0]?.close();
  const out = await makeOut(receiver.port, 2);
  for (let round = 0; round < 20; round++) {
    sendText(out, 'hello?', round);
    await out.settled();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const refused = out.failed.get('ECONNREFUSED') ?? 0;
  const returned = out.returned.get('ECONNREFUSED') ?? 0;
  expect(out.sent + refused).toBe(20);
  expect(refused + returned).toBeGreaterThan(0);
});

test('an address without a way to it is said when opening', async () => {
  const out = new UdpOut({ address: '255.255.255.255', family: 4, port: 9, sockets: 1 });
  opened.push(out);
  const error = await out.open().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(MirrorError);
  expect(error).toMatchObject({ code: 'UDP_SEND_FAILED', context: { address: '255.255.255.255', port: 9 } });
});

test('close waits for what was sent and may follow a failed open', async () => {
  const receiver = await makeReceiver();
  const out = await makeOut(receiver.port);
  for (let i = 0; i < 10; i++) sendText(out, 'last', i);
  await out.close();
  expect(out.sent).toBe(10);
  opened.splice(opened.indexOf(out), 1);
});
