import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Report } from '../../src/observe/report.ts';
import { freeUdpPort, startReceive, until } from '../support/appliance.ts';
import { runCommand } from '../support/command.ts';
import { readSamples } from '../support/metrics-text.ts';
import { requires } from '../support/requires.ts';
import { withFolder } from '../support/tshark.ts';

const main = join(import.meta.dirname, '../../src/main.ts');
const traffic = join(import.meta.dirname, '../../samples/traffic.pcapng');
const TRAFFIC_PACKETS = 184;

/** What a reader shows of each packet, at once. */
const FIELDS = ['-l', '-n', '-T', 'fields', '-e', 'frame.number', '-e', 'frame.interface_name'];

async function send(port: number, vni: number): Promise<void> {
  const args = [
    'send',
    '--from',
    traffic,
    '--to',
    `127.0.0.1:${port}`,
    '--vni',
    String(vni),
    '--rate',
    '2000',
  ];
  const { status, stderr } = await runCommand([...args, '--log-level', 'warn']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
}

/** A tshark that reads a named pipe, and the lines that it has shown so far. */
function reader(path: string): { lines: () => string[]; end: () => Promise<void> } {
  const child = spawn('tshark', ['-r', path, ...FIELDS], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString();
  });
  return {
    lines: () => text.split('\n').slice(0, -1),
    end: async () => {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    },
  };
}

/** Lines of a reader that was given so many packets of this lane. */
function shown(lane: string): string[] {
  return Array.from({ length: TRAFFIC_PACKETS }, (_, i) => `${i + 1}\t${lane}`);
}

test.skipIf(!requires('tshark'))(
  'tshark reads a named pipe live; another that comes later reads what comes later',
  () =>
    withFolder(async (folder) => {
      const path = join(folder, 'live');
      const receive = await startReceive(
        join(folder, 'captures'),
        'sinks.live.kind=pipe',
        `sinks.live.path=${path}`,
      );
      const hasReader = async (): Promise<boolean> => {
        const samples = readSamples(await (await fetch(`${receive.url}/metrics`)).text());
        return [...samples].some(
          ([name, value]) => name.startsWith('mirrortap_sink_up') && name.includes('"live"') && value === 1,
        );
      };
      for (const vni of [7, 8]) {
        const tshark = reader(path);
        await until('the pipe has a reader', hasReader);
        await send(receive.vxlanPort, vni);
        await until('tshark shows all packets', () => tshark.lines().length >= TRAFFIC_PACKETS);
        expect(tshark.lines()).toEqual(shown(`vni-${vni}`));
        await tshark.end();
        await until('nobody reads', async () => !(await hasReader()));
      }
      await send(receive.vxlanPort, 9);
      const { finished, report } = await receive.end();
      expect(finished.status).toBe(0);
      expect(report.sinks.find(({ kind }) => kind === 'pipe')).toMatchObject({
        delivered: 3 * TRAFFIC_PACKETS,
        written: 2 * TRAFFIC_PACKETS,
        dropped: { noReader: TRAFFIC_PACKETS },
        pending: 0,
      });
    }),
);

test.skipIf(!requires('tshark'))(
  'packets on standard output, and nothing else: the report is on standard error',
  () =>
    withFolder(async (folder) => {
      const [port, read, told] = [await freeUdpPort(), join(folder, 'read'), join(folder, 'told')];
      const settings = [
        'listen.address=127.0.0.1',
        `listen.vxlanPorts=[${port}]`,
        'listen.genevePorts=[]',
        'http.address=127.0.0.1',
        'http.port=0',
        'sinks.stdout.kind=pipe',
      ];
      const receive = [
        '"$0" "$1" receive --report json --log-format json',
        ...settings.map((one) => `--set '${one}'`),
      ];
      const line = `${receive.join(' ')} 2> '${told}' | tshark -r - ${FIELDS.join(' ')} > '${read}' 2> /dev/null`;
      // a group of its own, so that the signal reaches who runs in it and nobody else
      const shell = spawn('sh', ['-c', line, process.execPath, main], { stdio: 'ignore', detached: true });
      let isOver = false;
      const signal = (name: NodeJS.Signals): void => {
        if (shell.pid !== undefined && !isOver) process.kill(-shell.pid, name);
      };
      onTestFinished(() => signal('SIGKILL'));
      const text = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
      await until('it receives', () => /"msg":"Receiving/.test(text(told)));
      await send(port, 7);
      await until('tshark shows all packets', () => text(read).split('\n').length > TRAFFIC_PACKETS);
      expect(text(read).trimEnd().split('\n')).toEqual(shown('vni-7'));
      const reportLine = (): string | undefined =>
        text(told)
          .split('\n')
          .slice(0, -1)
          .findLast((one) => one.startsWith('{"input"'));
      signal('SIGINT');
      await until('the report is there', () => reportLine() !== undefined);
      isOver = true;
      const report = JSON.parse(reportLine() ?? '') as Report;
      expect(report.sinks).toMatchObject([{ name: 'stdout', written: TRAFFIC_PACKETS }]);
      expect(report.sinks[0]?.dropped).toEqual({});
    }),
);
