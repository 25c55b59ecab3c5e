import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { BlockEntry, PacketBlockReader } from '../../../src/format/packet-block.ts';
import { ledgerDifference, type Report } from '../../../src/observe/report.ts';
import { Spool } from '../../../src/sinks/kafka/spool/spool.ts';
import { pause, type RunningReceive, startReceive } from '../appliance.ts';
import { readSamples, total } from '../metrics-text.ts';
import { numberOf } from '../mirrored-load.ts';

/** What a test says of a sink; the rest is as it suits tests. */
export interface BusSettings {
  readonly brokers: readonly string[];
  readonly [setting: string]: unknown;
}

/** Starts the appliance with a sink `bus` of kind kafka, its spool in `folder/spool`, and a sink `captures` beside it. */
export function startWithBus(
  folder: string,
  bus: BusSettings,
  ...more: Parameters<typeof startReceive>[1][]
): Promise<RunningReceive> {
  return startWithSinks(folder, { bus }, ...more);
}

/** Starts the appliance with sinks of kind kafka. */
export function startWithSinks(
  folder: string,
  sinks: Readonly<Record<string, BusSettings>>,
  ...more: Parameters<typeof startReceive>[1][]
): Promise<RunningReceive> {
  const file = join(folder, 'settings.yaml');
  const filled = Object.entries(sinks).map(([name, settings]) => [
    name,
    {
      kind: 'kafka',
      createTopics: { enabled: true, partitions: 4, replication: 1 },
      queue: { bytes: 4_194_304 },
      retryMaxMs: 1000,
      requestTimeoutMs: 3000,
      closeSeconds: 60,
      ...settings,
      spool: { directory: spoolIn(folder), maxBytes: 4_294_967_296, ...(settings['spool'] as object) },
    },
  ]);
  // JSON is YAML
  writeFileSync(file, JSON.stringify({ sinks: Object.fromEntries(filled) }));
  return startReceive(join(folder, 'captures'), { file }, ...more);
}

export function spoolIn(folder: string): string {
  return join(folder, 'spool');
}

/** Sum of one metric, over all its labels or those that contain `label`. */
export async function metric(receive: RunningReceive, name: string, label?: string): Promise<number> {
  const page = await (await fetch(`${receive.url}/metrics`)).text();
  return total(readSamples(page), `mirrortap_${name}`, label);
}

/** Looks again and again until something is so. */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  seconds = 120,
): Promise<void> {
  const endMs = performance.now() + seconds * 1000;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`Waited ${seconds} s in vain until ${what}.`);
    await pause(100);
  }
}

/** Waits until the brokers have all packets that the sink was given, and nothing waits in ring or spool. */
export async function untilAllSent(receive: RunningReceive, seconds?: number): Promise<void> {
  const sink = 'sink="bus"';
  await eventually(
    'all packets are sent',
    async () => {
      const page = readSamples(await (await fetch(`${receive.url}/metrics`)).text());
      const at = (name: string): number => total(page, `mirrortap_sink_${name}`, sink);
      const settled = at('written_packets_total') + at('dropped_packets_total');
      return at('pending_bytes') === 0 && settled === at('delivered_packets_total');
    },
    seconds,
  );
}

/** Row of the report for a sink. */
export function rowOf(report: Report, name: string): Report['sinks'][number] {
  const row = report.sinks.find((sink) => sink.name === name);
  if (row === undefined) throw new Error(`The report has no sink ${name}.`);
  return row;
}

/** The sink took all of these, has written so many of them, and dropped the others as said: none unless said. */
export function expectSink(
  report: Report,
  name: string,
  wanted: { readonly delivered: number; readonly written: number; readonly dropped?: Record<string, number> },
): void {
  const { delivered, written, dropped } = rowOf(report, name);
  expect({ delivered, written, dropped }).toEqual({ dropped: {}, ...wanted });
}

/** What came was received: nothing is lost in this process, and what the kernel dropped on a busy machine is known. */
export function expectReceived({ ledger, ...report }: Report, sent: number): void {
  expect(ledgerDifference({ ledger, ...report })).toBe(0);
  const { received, delivered, dropped } = ledger;
  expect({ known: received + dropped.kernel, delivered, worker: dropped.worker }).toEqual({
    known: sent,
    delivered: received,
    worker: 0,
  });
}

/** Numbers of all packets that wait in a spool, of which no process has it open or had when it was copied. */
export async function numbersInSpool(folder: string, sink = 'bus'): Promise<Set<number>> {
  const numbers = new Set<number>();
  const parent = join(spoolIn(folder), sink);
  if (!existsSync(parent)) return numbers;
  const copy = mkdtempSync(join(folder, 'spool-copy-'));
  cpSync(parent, copy, { recursive: true });
  for (const name of readdirSync(copy).filter((one) => one.endsWith('-packets')))
    await addNumbers(join(copy, name), numbers);
  rmSync(copy, { recursive: true });
  return numbers;
}

async function addNumbers(directory: string, numbers: Set<number>): Promise<void> {
  const { spool } = await Spool.open({
    directory,
    maxBytes: 2 ** 40,
    maxSeconds: 0,
    segmentBytes: 2 ** 20,
    fsync: 'never',
    fsyncMs: 1000,
    now: Date.now,
  });
  const reader = new PacketBlockReader();
  for (let entries = await spool.read(2 ** 20); entries.length > 0; entries = await spool.read(2 ** 20)) {
    for (const { bytes } of entries) {
      reader.begin(bytes);
      while (reader.next() === BlockEntry.packet) numbers.add(numberOf(reader.view, reader.frameAt));
      expect(reader.damaged).toBe(false);
    }
  }
  await spool.close();
}

/** Memory of a process that is not swapped out, bytes. */
export function residentBytes(pid: number): number {
  const [, kibibytes = '0'] =
    /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Number(kibibytes) * 1024;
}
