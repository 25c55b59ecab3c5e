import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ledgerBytesDifference, ledgerDifference, type Report } from '../../src/observe/report.ts';
import { until } from '../support/appliance.ts';
import { requires } from '../support/requires.ts';
import { tsharkFields, withFolder } from '../support/tshark.ts';

const main = join(import.meta.dirname, '../../src/main.ts');
const LANES = ['gwlb-4242-', 'vni-42', 'vni-7'];

interface Lab {
  readonly child: ChildProcess;
  readonly told: () => string;
  readonly ended: Promise<{ status: number | null; report: Report }>;
}

/** Starts the lab in `folder`, as somebody does who has just unpacked it. */
function startLab(folder: string, ...args: readonly string[]): Lab {
  const child = spawn(process.execPath, [main, 'lab', '--report', 'json', '--log-format', 'json', ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
  child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
  const ended = once(child, 'close').then(([status]: (number | null)[]) => ({
    status: status ?? null,
    report: JSON.parse(stdout || '{}') as Report,
  }));
  return { child, told: () => stderr, ended };
}

function expectWhole(report: Report): void {
  expect([ledgerDifference(report), ledgerBytesDifference(report)]).toEqual([0, 0]);
  expect(report.ledger.delivered).toBeGreaterThan(0);
  expect(report.lanes.map(({ name }) => name.replace(/[0-9a-f]{16}/, '')).toSorted()).toEqual(LANES);
  const [sink] = report.sinks;
  expect([sink?.written, sink?.pending, sink?.dropped]).toEqual([report.ledger.delivered, 0, {}]);
  for (const lane of report.lanes) expect(lane.files.length).toBe(lane.fileCount);
}

test.skipIf(!requires('tshark'))(
  'it ends by itself, shows every lane, and leaves files that open, wherever it is started',
  () =>
    withFolder(async (folder) => {
      const lab = startLab(folder, '--seconds', '3');
      const { status, report } = await lab.ended;
      expect(status).toBe(0);
      expectWhole(report);
      for (const lane of LANES) expect(lab.told()).toMatch(new RegExp(`^${lane}\\S* +\\d+ `, 'm'));
      expect(lab.told()).toContain(`files: ${join(folder, 'captures')}/<lane>/`);
      for (const { files, packets } of report.lanes) {
        const inFiles = files.map(
          (file) => tsharkFields(join(folder, 'captures', file), ['frame.len']).length,
        );
        expect(inFiles.reduce((sum, count) => sum + count, 0)).toBe(packets);
      }
      const cut = report.lanes.find(({ vni }) => vni === 42);
      expect(cut?.truncated).toBeGreaterThan(0);
    }),
  120_000,
);

test(
  'ports that others have are left to them',
  () =>
    withFolder(async (folder) => {
      const others = [createSocket('udp4'), createSocket('udp4')];
      const http = createServer();
      // where they are taken already, so much the better
      for (const [index, port] of [4789, 6081].entries()) {
        others[index]?.on('error', () => undefined).bind(port, '127.0.0.1');
      }
      http.on('error', () => undefined).listen(8080, '127.0.0.1');
      try {
        const lab = startLab(folder, '--seconds', '2', '--out', 'elsewhere');
        const { status, report } = await lab.ended;
        expect(status).toBe(0);
        expectWhole(report);
        expect(existsSync(join(folder, 'elsewhere'))).toBe(true);
        const listening = /"vxlanPorts":"(\d+)","genevePorts":"(\d+)"/.exec(lab.told());
        const answering = /"port":(\d+),"msg":"HTTP answers/.exec(lab.told());
        const ports = [listening?.[1], listening?.[2], answering?.[1]].map(Number);
        for (const [index, usual] of [4789, 6081, 8080].entries()) {
          expect(ports[index]).toBeGreaterThan(0);
          expect(ports[index]).not.toBe(usual);
        }
      } finally {
        for (const other of others) other.close();
        http.close();
      }
    }),
  120_000,
);

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends it in order, and its status says that all is well',
  (signal) =>
    withFolder(async (folder) => {
      const lab = startLab(folder);
      await until('packets are shown', () => /received [1-9]\d*, delivered/.test(lab.told()));
      const answering = /"port":(\d+),"msg":"HTTP answers/.exec(lab.told());
      expect((await fetch(`http://127.0.0.1:${answering?.[1]}/readyz`)).status).toBe(200);
      lab.child.kill(signal);
      const { status, report } = await lab.ended;
      expect(status).toBe(0);
      expectWhole(report);
      const names = readdirSync(join(folder, 'captures'), { recursive: true, encoding: 'utf8' });
      expect(names.filter((name) => name.endsWith('.part'))).toEqual([]);
    }),
  120_000,
);

test(
  'a folder that cannot be made ends it with an error',
  () =>
    withFolder(async (folder) => {
      const lab = startLab(folder, '--out', join(main, 'captures'));
      expect((await lab.ended).status).toBe(1);
      expect(lab.told()).toContain('OUTPUT_UNWRITABLE');
    }),
  120_000,
);
