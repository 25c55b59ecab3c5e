/** `receive` in each mode against `tcpdump -w` and dumpcap: CPU a packet and loss, at several sizes and rates. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestNetwork, withNetwork } from '../support/namespaces.ts';
import { type PacketSender, type Sent, startSender } from '../support/packet-sender.ts';
import { packetsInFiles } from './capinfos.ts';
import { cpuBetween, type CpuReading, largestResident, readCpu } from './cpu-time.ts';
import { withPortHeld } from './held-port.ts';
import type { Receiver, RunningReceiver } from './receivers.ts';

/** Bytes of Ethernet, IPv4, UDP, VXLAN and of a packet's record around an inner frame, about. */
const OVERHEAD_BYTES = 70;
type Order = Parameters<PacketSender['send']>[0];

/** Compiled code and warm caches, for every receiver alike; slow at first, so that none loses packets already here. */
const WARM_UP: readonly Order[] = [
  { packetsPerSecond: 5_000, seconds: 1 },
  { packetsPerSecond: 50_000, seconds: 2 },
  { packetsPerSecond: 100_000, seconds: 2 },
];
const LOOK_MS = 100;
/** A process that used less than this in `LOOK_MS` is done with what was sent. */
const QUIET_NS = 3_000_000;
const QUIET_LOOKS_MAX = 50;
/** The kernel keeps back a block of packets that is not full for tcpdump's timeout, 1 s; ended earlier it loses them. */
const HELD_BACK_MS = 1500;

/** What a program still does after its start is not what it uses while nothing arrives. */
const SETTLE_MS = 5000;

/** One kind of load. */
export interface Cell {
  readonly innerBytes: number;
  /** 0: as fast as the sender can. */
  readonly packetsPerSecond: number;
}

/** One run of one receiver. */
export interface Sample {
  /** What the sender reached. */
  readonly sent: Sent;
  /** Nanoseconds of CPU for each packet that was received during the load. */
  readonly cpuNs: number;
  /** Part of what was sent that is in no file, 0 .. 1. */
  readonly loss: number;
  readonly residentBytes: number;
}

export interface ReceiveBenchOptions {
  readonly cells: readonly Cell[];
  readonly receivers: readonly Receiver[];
  readonly runs: number;
  readonly seconds: number;
  /** What is sent before anything is measured; `WARM_UP` unless given. */
  readonly warmUp?: readonly Order[];
  /** Most bytes that a run may write: shortens the loads of large frames. */
  readonly diskBytes: number;
  /** Told of each run. */
  readonly progress: (text: string) => void;
}

/** All samples of a cell, by receiver. */
export interface CellResult {
  readonly cell: Cell;
  readonly samples: ReadonlyMap<Receiver, readonly Sample[]>;
}

/**
 * Runs the receivers one after the other, round by round, so that what changes on the machine meanwhile meets all.
 *
 * @throws Error where a receiver does not start, or says another number of packets than capinfos finds
 */
export async function benchReceive(options: ReceiveBenchOptions): Promise<CellResult[]> {
  const results: CellResult[] = [];
  await withNetwork('veth', async (network) => {
    for (const innerBytes of new Set(options.cells.map((cell) => cell.innerBytes))) {
      const sender = await startSender(network, { innerBytes });
      try {
        for (const cell of options.cells) {
          if (cell.innerBytes === innerBytes) results.push(await runCell(options, cell, network, sender));
        }
      } finally {
        await sender.end();
      }
    }
  });
  return results;
}

async function runCell(
  { receivers, runs, seconds, warmUp = WARM_UP, diskBytes, progress }: ReceiveBenchOptions,
  cell: Cell,
  network: TestNetwork,
  sender: PacketSender,
): Promise<CellResult> {
  const samples = new Map<Receiver, Sample[]>(receivers.map((receiver) => [receiver, []]));
  const packets = Math.floor(diskBytes / (cell.innerBytes + OVERHEAD_BYTES));
  const order = { packetsPerSecond: cell.packetsPerSecond, seconds, packets };
  for (let run = 0; run < runs; run++) {
    for (const [receiver, list] of samples) {
      const work = () => runOnce(receiver, network, sender, [...warmUp, order], run === 0);
      const sample = await (receiver.own ? work() : withPortHeld(network, work));
      list.push(sample);
      const { cpuNs, loss, sent } = sample;
      progress(
        `${cell.innerBytes} bytes, ${sent.rate} packets/s, ${receiver.name}: ` +
          `${Math.round(cpuNs)} ns a packet, ${(100 * loss).toFixed(3)} % lost`,
      );
    }
  }
  return { cell, samples };
}

/** @param orders what to send: the last is measured, those before it warm up */
async function runOnce(
  receiver: Receiver,
  network: TestNetwork,
  sender: PacketSender,
  orders: readonly Order[],
  verify: boolean,
): Promise<Sample> {
  const folder = mkdtempSync(join(tmpdir(), 'mirrortap-bench-'));
  let running: RunningReceiver | undefined;
  try {
    running = await receiver.start(network, folder);
    let warmUp = 0;
    for (const stage of orders.slice(0, -1)) warmUp += (await sender.send(stage)).sent;
    const before = await quiet(running.pid);
    const sent = await sender.send(orders.at(-1) ?? {});
    const after = await quiet(running.pid);
    const residentBytes = largestResident(running.pid);
    await pause(HELD_BACK_MS);
    const { packets, files } = await running.end();
    if (verify) check(receiver, packets, packetsInFiles(files));
    // what the warm-up lost counts as lost too
    const received = Math.max(0, packets - warmUp);
    const cpuNs = cpuBetween(before, after) / Math.max(1, received);
    return { sent, cpuNs, loss: 1 - received / sent.sent, residentBytes };
  } finally {
    running?.kill();
    rmSync(folder, { recursive: true });
  }
}

/** Waits until a receiver is done with what was sent; returns what it has used up to then. */
async function quiet(pid: number): Promise<CpuReading> {
  let last = readCpu(pid);
  for (let look = 0; look < QUIET_LOOKS_MAX; look++) {
    await pause(LOOK_MS);
    const next = readCpu(pid);
    if (cpuBetween(last, next) < QUIET_NS) return next;
    last = next;
  }
  throw new Error('The receiver does not come to rest.');
}

function check({ name }: Receiver, told: number, found: number | undefined): void {
  if (found === undefined || found === told) return;
  throw new Error(`${name} says that ${told} packets are in its files; capinfos finds ${found}.`);
}

/** What a receiver uses while nothing arrives: a part of one core, and memory. */
export interface IdleSample {
  readonly core: number;
  readonly residentBytes: number;
}

/** Starts a receiver, lets it come to rest, and looks at it for so long. */
export async function benchIdle(
  receiver: Receiver,
  seconds: number,
  settleMs: number = SETTLE_MS,
): Promise<IdleSample> {
  const folder = mkdtempSync(join(tmpdir(), 'mirrortap-bench-'));
  const idle: IdleSample[] = [];
  try {
    await withNetwork('veth', async (network) => {
      const running = await receiver.start(network, folder);
      try {
        await quiet(running.pid);
        await pause(settleMs);
        const before = readCpu(running.pid);
        await pause(1000 * seconds);
        const usedNs = cpuBetween(before, readCpu(running.pid));
        idle.push({ core: usedNs / (1e9 * seconds), residentBytes: largestResident(running.pid) });
        await running.end();
      } finally {
        running.kill();
      }
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
  const [sample] = idle;
  if (sample === undefined) throw new Error('Nothing was measured.');
  return sample;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
