import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type RunningReceive, startReceive, until } from '../support/appliance.ts';
import { runCommand, startCommand } from '../support/command.ts';
import { readSamples } from '../support/metrics-text.ts';
import { requires } from '../support/requires.ts';
import { withFolder } from '../support/tshark.ts';

const sample = join(import.meta.dirname, '../../samples/vxlan-sessions.pcapng');
const traffic = join(import.meta.dirname, '../../samples/traffic.pcapng');

function receiveFlows(folder: string, ...more: readonly string[]): Promise<RunningReceive> {
  return startReceive(
    folder,
    'workers=2',
    'sinks.captures.enabled=false',
    'sinks.flows.kind=flow-files',
    `sinks.flows.directory=${folder}`,
    'sinks.flows.rotateSeconds=1',
    'analysis.flows.activeSeconds=1',
    ...more,
  );
}

const send = (receive: RunningReceive, from: string, ...more: readonly string[]) =>
  startCommand(['send', '--from', from, '--to', `127.0.0.1:${receive.vxlanPort}`, '--vni', '42', ...more]);

const files = (folder: string): string[] => readdirSync(folder).filter((name) => !name.startsWith('.'));

interface Line {
  readonly network: { readonly packets: number };
  readonly mirrortap: { readonly flow_id: string; readonly sequence: number };
}

function linesOf(text: string): Line[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

async function samples(receive: RunningReceive): Promise<Map<string, number>> {
  return readSamples(await (await fetch(`${receive.url}/metrics`)).text());
}

test.each([
  { compress: 'zstd', suffix: '.zst', program: 'zstd', args: ['-dc'], inflate: zstdDecompressSync },
  { compress: 'gzip', suffix: '.gz', program: 'zcat', args: [], inflate: gunzipSync },
])(
  'compress: $compress: every record is in the compressed files, and read back by others',
  ({ compress, suffix, program, args, inflate }) =>
    withFolder(async (folder) => {
      const receive = await receiveFlows(folder, `sinks.flows.compress=${compress}`);
      expect((await send(receive, traffic, '--rate', '100').finished).status).toBe(0);
      await until('a file was compressed while it runs', async () => {
        return (
          ((await samples(receive)).get('mirrortap_store_compressed_files_total{sink="flows"}') ?? 0) > 0
        );
      });
      const { report } = await receive.end();
      const names = files(folder);
      expect(names.length).toBeGreaterThan(0);
      expect(names.filter((name) => !name.endsWith(`.ndjson${suffix}`))).toEqual([]);
      const text = names.map((name) => inflate(readFileSync(join(folder, name))).toString()).join('');
      const records = linesOf(text);
      expect(records.length).toBe(report.sinks.find(({ name }) => name === 'flows')?.written);
      expect(records.reduce((sum, { network }) => sum + network.packets, 0)).toBe(
        report.ledger.delivered - report.flows.withoutFlow,
      );
      if (!requires(program)) return;
      const paths = names.map((name) => join(folder, name));
      expect(execFileSync(program, [...args, ...paths], { encoding: 'utf8' })).toBe(text);
      // nothing is left that says that somebody writes here
      expect(readdirSync(folder)).toEqual(names);
    }),
  60_000,
);

test(
  'killed with -9 between files, some plain, one half compressed: the next start compresses all of them, each once',
  () =>
    withFolder(async (folder) => {
      // compression comes with the second start
      const first = await receiveFlows(folder);
      const sending = send(first, traffic, '--loop', '0', '--rate', '500');
      await until(
        'files were finished',
        () => files(folder).filter((name) => name.endsWith('.ndjson')).length > 2,
      );
      await until('a file grows', () =>
        readdirSync(folder).some((name) => name.endsWith('.part') && statSync(join(folder, name)).size > 0),
      );
      first.child.kill('SIGKILL');
      await first.finished;
      sending.child.kill('SIGINT');
      await sending.finished;
      const plain = files(folder).filter((name) => name.endsWith('.ndjson'));
      const [half = '', done = ''] = plain;
      execFileSync('cp', [join(folder, half), join(folder, `${half}.zst.part`)]);
      // killed between giving the compressed file its name and removing the plain one
      execFileSync('cp', [join(folder, done), join(folder, `${done}.zst`)]);
      const want = plain.map((name) => readFileSync(join(folder, name), 'utf8'));

      const second = await receiveFlows(folder, 'sinks.flows.compress=zstd');
      await until(
        'all are compressed',
        () => !files(folder).some((name) => /\.ndjson$|\.zst\.part$/.test(name)),
      );
      expect(
        plain.map((name) => zstdDecompressSync(readFileSync(join(folder, `${name}.zst`))).toString()),
      ).toEqual(want);
      expect(
        (await samples(second)).get('mirrortap_store_recovered_files_total{sink="flows"}'),
      ).toBeGreaterThan(0);
      await second.end();
      const records = files(folder).flatMap((name) =>
        linesOf(zstdDecompressSync(readFileSync(join(folder, name))).toString()),
      );
      const ids = records.map(({ mirrortap }) => `${mirrortap.flow_id} ${mirrortap.sequence}`);
      expect(new Set(ids).size).toBe(ids.length);
    }),
  60_000,
);

test('doctor tries the folder of a sink that compresses; decap --flows is not compressed', () =>
  withFolder(async (folder) => {
    const doctor = await runCommand([
      'doctor',
      '--set',
      'sinks.flows.kind=flow-files',
      '--set',
      `sinks.flows.directory=${folder}`,
      '--set',
      'sinks.flows.compress=zstd',
    ]);
    expect(doctor.stdout + doctor.stderr).toContain(folder);
    const path = join(folder, 'flows.ndjson');
    expect((await runCommand(['decap', sample, '--flows', path])).status).toBe(0);
    expect(existsSync(`${path}.zst`)).toBe(false);
    expect(linesOf(readFileSync(path, 'utf8')).length).toBeGreaterThan(0);
  }));
