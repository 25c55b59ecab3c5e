import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { createTcpHealth } from '../../../src/http/tcp-health.ts';

/** `closed` once both sides ended the connection in order, else the code of the error. */
function probe(port: number, text = ''): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(text));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    socket.on('close', () => resolve('closed'));
    socket.resume();
  });
}

test('the port is open between open and close, and only then', async () => {
  const health = createTcpHealth({ address: '127.0.0.1', port: 0 });
  expect(health.port).toBeUndefined();
  await health.open();
  const port = health.port ?? 0;
  expect(await probe(port)).toBe('closed');
  expect(await probe(port, 'GET / HTTP/1.0\r\n\r\n')).toBe('closed');
  expect(await probe(port, 'x'.repeat(10_000_000)), 'what a client sends is read').toBe('closed');
  await health.close();
  expect(health.port).toBeUndefined();
  expect(await probe(port)).toBe('ECONNREFUSED');
});

test('opening twice, closing twice and both at once end as the last call says', async () => {
  const health = createTcpHealth({ address: '127.0.0.1', port: 0 });
  await Promise.all([health.open(), health.open(), health.close(), health.close(), health.open()]);
  expect(await probe(health.port ?? 0)).toBe('closed');
  await Promise.all([health.open(), health.close()]);
  expect(health.port).toBeUndefined();
});

/** Shorter than the time after which a client is cut off anyway. */
const SOON_MS = 3_000;

test('a client that stays connected does not hold close up', { timeout: SOON_MS }, async () => {
  const health = createTcpHealth({ address: '127.0.0.1', port: 0 });
  await health.open();
  const stays = connect({ port: health.port ?? 0, host: '127.0.0.1', allowHalfOpen: true });
  stays.on('error', () => undefined);
  await new Promise((resolve) => stays.on('end', resolve).resume());
  await health.close();
  expect(health.port).toBeUndefined();
  stays.destroy();
});

test('a port that is taken is an error, and the next open may succeed', async () => {
  const first = createTcpHealth({ address: '127.0.0.1', port: 0 });
  await first.open();
  const port = first.port ?? 0;
  const second = createTcpHealth({ address: '127.0.0.1', port });
  await expect(second.open()).rejects.toMatchObject({
    code: 'HTTP_BIND_FAILED',
    context: { setting: 'http.tcpHealthPort', port },
  });
  await first.close();
  await second.open();
  expect(await probe(port)).toBe('closed');
  await second.close();
});
