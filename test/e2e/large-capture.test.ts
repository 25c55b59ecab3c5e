import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ledgerBytesDifference, ledgerDifference, type Report } from '../../src/observe/report.ts';
import { writeLargeCapture } from '../support/large-capture.ts';
import { scaled, soaking } from '../support/scale.ts';
import { withFolder } from '../support/tshark.ts';

const main = join(import.meta.dirname, '../../src/main.ts');
const reportMemory = join(import.meta.dirname, '../support/programs/report-memory.ts');
const CAPTURE_BYTES = scaled(1_400_000_000);
const VNIS = 16;
const MEMORY_MAX_BYTES = 200_000_000;
const TIMEOUT_MS = soaking ? 900_000 : 180_000;

test.skipIf(!existsSync('/proc/self/status'))(
  `decap of ${CAPTURE_BYTES / 1e6} MB: every packet on its lane, in less than 200 MB of memory`,
  () =>
    withFolder((folder) => {
      const [input, memory] = [join(folder, 'large.pcap'), join(folder, 'memory')];
      const capture = writeLargeCapture(input, CAPTURE_BYTES, VNIS);
      const args = ['decap', input, '--out', join(folder, 'out'), '--report', 'json'];
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
      expect(residentBytes).toBeLessThan(MEMORY_MAX_BYTES);
    }),
  TIMEOUT_MS,
);
