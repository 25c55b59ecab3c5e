import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaBroker } from './broker.ts';
import { SOCKET_VARIABLE, type SharedAnswer } from './shared.ts';

/**
 * The global set-up of the test run: one broker for all files that ask for it. It is started when the first asks, by the
 * process that starts the others, so that it outlives each of them and ends with the run. Whoever connects is sent one line
 * of JSON, a SharedAnswer. Nothing is started in a run in which nobody asks.
 */
export async function setup(): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'mirrortap-shared-'));
  const path = join(folder, 'kafka.sock');
  let starting: Promise<KafkaBroker> | undefined;
  const server = createServer((socket) => {
    socket.on('error', () => {
      // a test that ended while it waited
    });
    starting ??= KafkaBroker.start({
      listeners: ['SSL', 'SASL_PLAINTEXT', 'SASL_SSL'],
      heapMb: 512,
      authorizer: true,
    });
    void starting.then(describe, refuse).then((answer) => socket.end(`${JSON.stringify(answer)}\n`));
  });
  server.listen(path);
  await once(server, 'listening');
  process.env[SOCKET_VARIABLE] = path;
  return async () => {
    server.close();
    await starting?.then(
      (broker) => broker.discard(),
      () => {
        // whoever asked was told
      },
    );
    rmSync(folder, { recursive: true, force: true });
  };
}

function describe(broker: KafkaBroker): SharedAnswer {
  const ports = Object.fromEntries(broker.ports);
  return { ports, certificates: broker.certificates };
}

function refuse(error: unknown): SharedAnswer {
  return { refused: String(error) };
}
