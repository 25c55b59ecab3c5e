import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ledgerBytesDifference, ledgerDifference, type Report } from '../../src/observe/report.ts';
import { until } from '../support/appliance.ts';
import { startCommand } from '../support/command.ts';
import { writeLargeCapture } from '../support/large-capture.ts';
import { scaled, soaking } from '../support/scale.ts';
import { withFolder } from '../support/tshark.ts';

const main = join(import.meta.dirname, '../../src/main.ts');
const reportMemory = join(import.meta.dirname, '../support/programs/report-memory.ts');
/** Not less than what several workers are used for. */
const CAPTURE_BYTES = Math.max(scaled(1_400_000_000), 280_000_000);
const VNIS = 16;
const PCAP_HEADER_BYTES = 24;
const PCAP_RECORD_BYTES = 16;
const TIMEOUT_MS = soaking ? 900_000 : 180_000;

test.skipIf(!existsSync('/proc/self/status')).each([
  [1, 200],
  [3, 300],
])(
  `decap of ${CAPTURE_BYTES / 1e6} MB, workers: %d: every packet on its lane, in less than %d MB of memory`,
  (workers, memoryMaxMb) =>
    withFolder((folder) => {
      const [input, memory] = [join(folder, 'large.pcap'), join(folder, 'memory')];
      const capture = writeLargeCapture(input, CAPTURE_BYTES, VNIS);
      const args = [
        'decap',
        input,
        '--out',
        join(folder, 'out'),
        '--workers',
        `${workers}`,
        '--report',
        'json',
      ];
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['--import', reportMemory, main, ...args],
        {
          encoding: 'utf8',
          env: { ...process.env, RESIDENT_MEMORY_FILE: memory },
        },
      );
      expect([status, stderr]).toEqual([0, '']);
      const report = JSON.parse(stdout) as Report;
      expect(report.input.packets).toBe(capture.packets);
      expect([ledgerDifference(report), ledgerBytesDifference(report)]).toEqual([0, 0]);
      const expected = [...capture.byVni].map(([vni, packets]) => [`vni-${vni}`, packets]);
      expect(report.lanes.map(({ name, packets }) => [name, packets]).toSorted()).toEqual(
        expected.toSorted(),
      );
      expect(report.sinks).toMatchObject([{ written: capture.packets, pending: 0 }]);
      for (const { checksum, packets } of report.lanes) {
        expect(checksum.transport.valid).toBe(packets);
        expect(checksum.ip.valid).toBe(packets);
      }
      const residentBytes = Number(readFileSync(memory, 'utf8'));
      expect(residentBytes).toBeGreaterThan(0);
      expect(residentBytes).toBeLessThan(memoryMaxMb * 1e6);
    }),
  TIMEOUT_MS,
);

test(
  'a signal ends several workers: finished files that hold what the report says',
  { timeout: TIMEOUT_MS },
  () =>
    withFolder(async (folder) => {
      const [input, out] = [join(folder, 'large.pcap'), join(folder, 'out')];
      const capture = writeLargeCapture(input, CAPTURE_BYTES, VNIS);
      const args = ['decap', input, '--out', out, '--workers', '3', '--format', 'pcap', '--report', 'json'];
      const { child, finished } = startCommand(args);
      await until('files grow', () => existsSync(out) && readdirSync(out).length > 0);
      child.kill('SIGINT');
      const { status, stdout, stderr } = await finished;
      expect([status, stderr]).toEqual([130, '']);
      const report = JSON.parse(stdout) as Report;
      expect(report.input.packets).toBeLessThan(capture.packets);
      expect(ledgerDifference(report)).toBe(0);
      expect(readdirSync(out).toSorted()).toEqual(report.lanes.map(({ name }) => `${name}.pcap`).toSorted());
      for (const { files, packets, bytes } of report.lanes) {
        const path = join(out, files[0] ?? '');
        expect(statSync(path).size).toBe(PCAP_HEADER_BYTES + PCAP_RECORD_BYTES * packets + bytes);
      }
    }),
);
