/** `decap --flows` with one worker against Suricata with one thread, on the same capture in the page cache. */
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Contender, warm } from './decap.ts';
import { type FlowCapture, writeFlowCapture } from './flow-capture.ts';
import { countFlows, type FlowCounts, readEve, readOwn, type ReadRecord } from './flow-counts.ts';
import { CONFIG, configs, RECORDS, suricataCommand } from './suricata.ts';
import { type Timing, timeCommand } from './timed-command.ts';

const main = join(import.meta.dirname, '../../src/main.ts');
const OWN_RECORDS = 'flows.ndjson';
/** The capture, and its packets once more as a file a lane; a packet of the capture has so many bytes and fewer. */
const COPIES = 2;
const PACKET_BYTES = 500;

/** A program that reads a capture and writes flow records. */
export interface FlowContender extends Contender {
  /** Files that it needs in its folder, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** The file in its folder that has the records afterwards. */
  readonly records: string;
  readonly read: ReadRecord;
}

function own(name: string, options: (folder: string) => readonly string[]): FlowContender {
  return {
    name,
    program: '',
    files: {},
    records: OWN_RECORDS,
    read: readOwn,
    command: (input, folder) => {
      const always = ['--workers', '1', '--log-level', 'warn', '--flows', join(folder, OWN_RECORDS)];
      return [process.execPath, main, 'decap', input, ...always, ...options(folder)];
    },
  };
}

function suricata(name: string, config: string): FlowContender {
  return {
    name,
    program: 'suricata',
    files: { [CONFIG]: config },
    records: RECORDS,
    read: readEve,
    command: suricataCommand,
  };
}

export const flowContenders = {
  flows: own('mirrortap decap --flows', () => []),
  flowsAndFiles: own('mirrortap decap --flows --out', (folder) => ['--out', join(folder, 'lanes')]),
  suricata: suricata('suricata', configs.asItComes),
  suricataAlone: suricata('suricata, flows alone', configs.flowsAlone),
} as const;

export interface FlowBenchOptions {
  readonly packets: number;
  readonly flows: number;
  readonly contenders: readonly FlowContender[];
  readonly runs: number;
  readonly progress: (text: string) => void;
}

/** All samples, by contender, and what the records of each told. */
export interface FlowResult {
  readonly capture: FlowCapture;
  readonly samples: ReadonlyMap<FlowContender, readonly Timing[]>;
  readonly counts: ReadonlyMap<FlowContender, FlowCounts>;
}

/**
 * Runs the contenders one after the other, round by round.
 *
 * @throws Error where the disk is too full for the capture
 */
export function benchFlows(options: FlowBenchOptions): Promise<FlowResult> {
  return withFolder(async (folder) => {
    const { packets, flows, contenders, runs, progress } = options;
    checkDisk(folder, packets);
    const capture = await writeFlowCapture(join(folder, 'input.pcap'), { packets, flows });
    progress(`${capture.bytes} bytes of capture`);
    const samples = new Map<FlowContender, Timing[]>(contenders.map((contender) => [contender, []]));
    const counts = new Map<FlowContender, FlowCounts>();
    for (let run = 0; run < runs; run++) {
      for (const [contender, list] of samples) {
        warm(capture.path);
        const { timing, count } = await runOnce(contender, capture.path, folder);
        checkOwn(contender, capture, count);
        counts.set(contender, count);
        list.push(timing);
        progress(`${contender.name}: ${timing.seconds.toFixed(2)} s, ${count.flows} flows`);
      }
    }
    return { capture, samples, counts };
  });
}

/** What each contender makes of captures that a session of this PacketLength has cut. */
export interface CutResult {
  readonly cutLen: number;
  readonly capture: FlowCapture;
  readonly counts: ReadonlyMap<FlowContender, FlowCounts>;
}

/** Counts flows of cut packets, one capture for each length. */
export function benchCut(
  { packets, flows, contenders, progress }: FlowBenchOptions,
  cutLens: readonly number[],
): Promise<CutResult[]> {
  return withFolder(async (folder) => {
    const results: CutResult[] = [];
    for (const cutLen of cutLens) {
      const capture = await writeFlowCapture(join(folder, 'cut.pcap'), { packets, flows, cutLen });
      const counts = new Map<FlowContender, FlowCounts>();
      for (const contender of contenders) {
        const { count } = await runOnce(contender, capture.path, folder);
        counts.set(contender, count);
        progress(`cut at ${cutLen}, ${contender.name}: ${count.flows} flows, ${count.packets} packets`);
      }
      results.push({ cutLen, capture, counts });
    }
    return results;
  });
}

async function runOnce(
  { command, files, records, read }: FlowContender,
  input: string,
  folder: string,
): Promise<{ timing: Timing; count: FlowCounts }> {
  const output = join(folder, 'output');
  mkdirSync(output);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(output, name), text);
  const timing = await timeCommand(command(input, output));
  const count = await countFlows(join(output, records), read);
  rmSync(output, { recursive: true });
  return { timing, count };
}

/** Suricata may lose some; mirrortap must not. */
function checkOwn(
  { name, program }: FlowContender,
  { flows, packets, ipBytes }: FlowCapture,
  told: FlowCounts,
): void {
  if (program !== '') return;
  if (told.flows === flows && told.packets === packets && told.bytes === ipBytes) return;
  const wanted = `${flows} flows, ${packets} packets and ${ipBytes} bytes`;
  throw new Error(
    `${name} told ${told.flows} flows, ${told.packets} packets and ${told.bytes} bytes of ${wanted}.`,
  );
}

function checkDisk(folder: string, packets: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const needed = COPIES * PACKET_BYTES * packets;
  if (bavail * bsize >= needed) return;
  throw new Error(`The bench needs ${(needed / 1e9).toFixed(1)} GB in ${tmpdir()}.`);
}

async function withFolder<Result>(run: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'mirrortap-bench-'));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
