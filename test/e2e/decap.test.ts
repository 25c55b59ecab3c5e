import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ledgerBytesDifference, ledgerDifference, type Report } from '../../src/observe/report.ts';
import { type Finished, runCommand, startCommand } from '../support/command.ts';
import { requires } from '../support/requires.ts';
import { tsharkFields, withFolder } from '../support/tshark.ts';

const samples = join(import.meta.dirname, '../../samples');
const sessions = join(samples, 'vxlan-sessions.pcapng');

async function decap(...args: readonly string[]): Promise<{ finished: Finished; report: Report }> {
  const finished = await runCommand(['decap', '--report', 'json', ...args]);
  return { finished, report: JSON.parse(finished.stdout || '{}') as Report };
}

test.each(['vxlan-sessions.pcapng', 'gwlb.pcap', 'truncated.pcapng', 'hostile.pcap'])(
  '%s: the ledger adds up, and each lane has its file',
  (name) =>
    withFolder(async (folder) => {
      const { finished, report } = await decap(join(samples, name), '--out', join(folder, 'out'));
      expect(finished.stderr).toBe('');
      expect(finished.status).toBe(0);
      expect(ledgerDifference(report)).toBe(0);
      expect(ledgerBytesDifference(report)).toBe(0);
      expect(report.ledger.received).toBe(report.input.packets);
      expect(report.lanes.reduce((sum, lane) => sum + lane.packets, 0)).toBe(report.ledger.delivered);
      expect(readdirSync(join(folder, 'out')).toSorted()).toEqual(
        report.lanes.map((lane) => `${lane.name}.pcapng`).toSorted(),
      );
      for (const lane of report.lanes) expect(lane.files).toEqual([`${lane.name}.pcapng`]);
      expect(report.sinks).toMatchObject([
        { name: 'captures', written: report.ledger.delivered, pending: 0 },
      ]);
    }),
);

test.skipIf(!requires('tshark'))('what a lane holds is what tshark sees inside its VNI', () =>
  withFolder(async (folder) => {
    const { report } = await decap(sessions, '--out', folder);
    const outer = tsharkFields(sessions, ['vxlan.vni', 'frame.time_epoch', 'eth.src', 'ip.id']);
    for (const { name, vni, packets } of report.lanes) {
      const inner = tsharkFields(join(folder, `${name}.pcapng`), [
        'frame.time_epoch',
        'eth.src',
        'ip.id',
        'frame.interface_name',
      ]);
      const expected = outer.filter((row) => Number(row[0]) === vni);
      expect(inner.length).toBe(packets);
      expect(expected.length).toBe(packets);
      inner.forEach(([time, source, id, laneName], index) => {
        const [, outerTime, sources, ids] = expected[index] ?? [];
        expect(laneName).toBe(name);
        expect(time).toBe(outerTime);
        expect(sources?.split(',').at(-1)).toBe(source);
        if (id !== '') expect(ids?.split(',').at(-1)).toBe(id?.split(',').at(-1));
      });
    }
  }),
);

test.skipIf(!requires('tshark'))('a cut frame keeps its length on the wire', () =>
  withFolder(async (folder) => {
    await decap(join(samples, 'truncated.pcapng'), '--out', folder);
    const rows = tsharkFields(join(folder, 'vni-64.pcapng'), ['frame.cap_len', 'frame.len', 'ip.len']);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.some(([captured, wire]) => Number(captured) < Number(wire))).toBe(true);
    for (const [captured, wire, ipLength] of rows) {
      expect(Number(captured)).toBeLessThanOrEqual(64);
      const promised = Number(ipLength?.split(',')[0]);
      if (promised > 50) expect(Number(wire)).toBeGreaterThanOrEqual(promised + 14);
    }
  }),
);

test('gzip, zstd, standard input and a plain file give the same output, byte for byte', () =>
  withFolder(async (folder) => {
    const plain = readFileSync(sessions);
    writeFileSync(join(folder, 'a.gz'), gzipSync(plain));
    writeFileSync(join(folder, 'a.zst'), zstdCompressSync(plain));
    const outputs = await Promise.all(
      [[sessions], [join(folder, 'a.gz')], [join(folder, 'a.zst')], ['-']].map(
        async ([input = ''], index) => {
          const out = join(folder, String(index));
          await runCommand(['decap', input, '--out', out], input === '-' ? plain : undefined);
          return readdirSync(out).map((name) => [name, readFileSync(join(out, name), 'hex')]);
        },
      ),
    );
    expect(outputs[0]?.length).toBeGreaterThan(2);
    for (const output of outputs) expect(output).toEqual(outputs[0]);
  }));

test('a damaged file gives what stands before the damage, its error, and does not stop the next', () =>
  withFolder(async (folder) => {
    const cut = join(folder, 'cut.pcapng');
    const whole = readFileSync(sessions);
    writeFileSync(cut, whole.subarray(0, whole.length - 500));
    const { finished, report } = await decap(cut, sessions, '--out', join(folder, 'out'));
    expect(finished.status).toBe(1);
    expect(finished.stderr).toMatch(/CAPTURE_DAMAGED/);
    expect(finished.stderr).toMatch(/offset: \d+/);
    expect(report.input.packets).toBeGreaterThan(176 + 150);
    expect(ledgerDifference(report)).toBe(0);
  }));

test('standard input that is not asked for is left alone', () =>
  withFolder(async (folder) => {
    const told = `get() { process.stderr.write('opened') }`;
    const spy = `Object.defineProperty(process, 'stdin', { configurable: true, enumerable: true, ${told} })`;
    const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(spy)}` };
    const { status, stderr } = await startCommand(
      ['decap', sessions, '--out', folder],
      undefined,
      environment,
    ).finished;
    expect([status, stderr]).toEqual([0, '']);
  }));

test('existing files are refused, and replaced with --force', () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, 'vni-42.pcapng'), 'mine');
    const refused = await decap(sessions, '--out', folder);
    expect(refused.finished.status).toBe(1);
    expect(refused.finished.stderr).toMatch(/OUTPUT_EXISTS/);
    // what was begun beside it is gone again
    expect(refused.report.sinks[0]).toMatchObject({ written: 0, dropped: { writeFailed: 176 } });
    expect(readdirSync(folder)).toEqual(['vni-42.pcapng']);
    expect(readFileSync(join(folder, 'vni-42.pcapng'), 'utf8')).toBe('mine');
    const forced = await decap(sessions, '--out', folder, '--force');
    expect(forced.finished.status).toBe(0);
    expect(readFileSync(join(folder, 'vni-42.pcapng'), 'utf8')).not.toBe('mine');
  }));

test('--vni keeps those only, --vxlan-ports finds the tunnel on another port', () =>
  withFolder(async (folder) => {
    const kept = await decap(sessions, '--out', join(folder, 'a'), '--vni', '42,4000-5000');
    expect(kept.report.lanes.map((lane) => lane.vni).toSorted()).toEqual([42, 4242]);
    expect(kept.report.filteredBy.vni).toBe(kept.report.ledger.filtered);
    expect(kept.report.ledger.filtered).toBeGreaterThan(0);
    const elsewhere = await decap(sessions, '--out', join(folder, 'b'), '--vxlan-ports', '4790');
    expect(elsewhere.report.ledger.notTunnel).toBe(elsewhere.report.input.packets);
    expect(existsSync(join(folder, 'b', 'vni-42.pcapng'))).toBe(false);
  }));

test('past the lane limit packets share the lane overflow', () =>
  withFolder(async (folder) => {
    const { report } = await decap(sessions, '--out', folder, '--set', 'admission.maxLanes=2');
    expect(report.lanes.map((lane) => lane.name).toSorted()).toContain('overflow');
    expect(report.lanes.length).toBe(3);
    expect(report.lanes.find((lane) => lane.name === 'overflow')?.vni).toBe(null);
    expect(ledgerDifference(report)).toBe(0);
  }));

test.skipIf(!requires('tshark'))(
  '--out - writes one pcapng with all lanes; the report goes to standard error',
  () =>
    withFolder(async (folder) => {
      const path = join(folder, 'all.pcapng');
      const main = join(import.meta.dirname, '../../src/main.ts');
      const stdout = execFileSync(process.execPath, [main, 'decap', sessions, '--out', '-'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      writeFileSync(path, stdout);
      const names = new Set(tsharkFields(path, ['frame.interface_name']).flat());
      expect([...names].toSorted()).toEqual(['vni-0', 'vni-16777215', 'vni-42', 'vni-4242']);
    }),
);

test.skipIf(!requires('capinfos'))(
  '--format pcap: nanoseconds, Ethernet, and raw IP for lanes without Ethernet',
  () =>
    withFolder(async (folder) => {
      const { report } = await decap(join(samples, 'gwlb.pcap'), '--out', folder, '--format', 'pcap');
      const raw = report.lanes.find((lane) => lane.linkType === 'raw');
      expect(raw?.name).toMatch(/-ip$/);
      for (const lane of report.lanes) {
        const told = execFileSync('capinfos', ['-t', '-E', '-c', join(folder, `${lane.name}.pcap`)], {
          encoding: 'utf8',
        });
        expect(told).toMatch(/nanosecond (lib)?pcap/);
        expect(told).toContain(lane.linkType === 'raw' ? 'Raw IP' : 'Ethernet');
        expect(told).toMatch(new RegExp(`Number of packets: +${lane.packets}\\b`));
      }
    }),
);

test('an option whose value may be left out takes no file for one', () =>
  withFolder(async (folder) => {
    const { status } = await runCommand(['decap', '--repair-checksums', sessions, '--out', folder]);
    expect(status).toBe(0);
  }));

test.each([
  [['decap'], /missing required argument/],
  [['decap', 'x'], /--out is missing/],
  [['decap', 'x', '--out', '-', '--flows', '-'], /--out - and --flows -/],
  [['decap', 'x', '--out', 'y', '--repair-checksums=some'], /--repair-checksums.*partial, all/],
  [['decap', 'x', '--out', 'y', '--workers', 'two'], /--workers.*whole number/],
  [['decap', 'x', '--out', 'y', '--workers', '65'], /--workers.*at most 64/],
  [['decap', 'x', '--out', 'y', '--vni', 'seven'], /--vni/],
  [['decap', 'x', '--out', 'y', '--vni', ''], /--vni: expected at least one VNI/],
  [['decap', 'x', '--out', ''], /--out: expected a path/],
  [['decap', 'x', '--flows', 'folder/'], /--flows: expected a path, found "folder\/"/],
  [['flows', '--help'], /flows.*not in this version/],
  [['decap', 'x', '--out', 'y', '--outt', 'z'], /unknown option '--outt'[^]*--out/],
  [['decapp'], /Did you mean decap/],
])('%j is wrong usage: exit 2', async (args, message) => {
  const { status, stderr } = await runCommand(args);
  expect(stderr).toMatch(message);
  expect(status).toBe(2);
});
