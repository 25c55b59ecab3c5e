import type { Config } from '../config/settings.ts';
import type { PacketBatch } from '../packet/batch.ts';
import type { FlowRecord } from '../packet/flow-record.ts';
import { BatchBuilder } from '../pipeline/batch-builder.ts';
import { doAll } from '../pipeline/do-all.ts';
import { FanOut } from '../pipeline/fan-out.ts';
import type { FlowSink } from '../pipeline/flow-sink.ts';
import type { Outlet } from '../pipeline/outlet.ts';
import type { SinkCounters } from '../pipeline/sink-counters.ts';
import { Admission } from '../receive/admission.ts';
import { admissionRules } from '../receive/admission-rules.ts';
import type { LaneDirectory } from '../receive/lanes.ts';
import { tunnelPorts } from '../receive/outer.ts';
import { Receiver } from '../receive/receiver.ts';
import type { SymmetrySampler } from '../receive/symmetry.ts';
import { makeAnalysis, type WorkerAnalysis } from './make-analysis.ts';
import { analysisTallyOf, type SharedMemory, tallyOf } from './shared-memory.ts';

/** Flow records that are written in one go before the sinks are asked for room again. */
const RECORDS_AT_A_TIME = 4096;

/** One packet sink of a worker, with what it is given. */
export interface PacketOutlet {
  readonly outlet: Outlet;
  readonly order: 'arrival' | 'flow';
  readonly duplicates: 'keep' | 'drop';
}

export interface FlowOutlet {
  readonly sink: FlowSink;
  readonly counters: SinkCounters;
}

export interface PacketPathOptions {
  readonly config: Config;
  readonly memory: SharedMemory;
  readonly lanes: LaneDirectory;
  readonly worker: number;
  readonly packets: readonly PacketOutlet[];
  readonly flows: readonly FlowOutlet[];
  /** Whether packets are counted by flow. */
  readonly countFlows: boolean;
  readonly symmetry?: SymmetrySampler;
}

/**
 * All that one worker does with packets between its input and the end of its sinks, whatever the input: receive, hand to
 * the sinks as they arrived or in the order of their flows, and let go what time lets go.
 */
export class PacketPath {
  readonly #receiver: Receiver;
  readonly #analysis: WorkerAnalysis | undefined;
  /** To sinks that take packets as they arrive, and to those that take them in order. */
  readonly #arrival: FanOut;
  readonly #ordered: FanOut;
  readonly #builder = new BatchBuilder();
  readonly #flows: readonly FlowOutlet[];
  #expiring: Promise<void> | undefined;

  constructor(options: PacketPathOptions) {
    const { config, memory, lanes, worker, packets, flows, countFlows, symmetry } = options;
    const { analysis, listen, admission } = config;
    this.#flows = flows;
    this.#arrival = new FanOut(outletsOf(packets, 'arrival'));
    this.#ordered = new FanOut(outletsOf(packets, 'flow'));
    const tally = tallyOf(memory, worker);
    const isOrdered = this.#ordered.outlets.length > 0;
    this.#analysis = makeAnalysis({
      analysis,
      workers: memory.workers,
      tally: analysisTallyOf(memory, worker),
      laneCounters: lanes.counters(worker),
      lanes,
      countFlows,
      emit: flows.length === 0 ? undefined : (record) => this.#emit(record),
      ordered: isOrdered ? this.#builder : undefined,
      ledger: isOrdered && this.#arrival.outlets.length === 0 ? tally : undefined,
      findDuplicates: analysis.duplicates.detect === 'on',
      dropDuplicates: packets.length > 0 && packets.every(({ duplicates }) => duplicates === 'drop'),
    });
    this.#receiver = new Receiver({
      ports: tunnelPorts(listen.vxlanPorts, listen.genevePorts),
      admission: new Admission(admissionRules(admission)),
      lanes,
      worker,
      tally,
      verifyChecksums: analysis.checksums.verify,
      ...(symmetry === undefined ? {} : { symmetry }),
      ...(this.#analysis === undefined ? {} : { analysis: this.#analysis.analysis }),
    });
  }

  /** Packets that wait in the resequencer. */
  get heldPackets(): number {
    return this.#analysis?.order?.heldPackets ?? 0;
  }

  /** Goes on with other rules for what is let in. */
  reload({ admission }: Config): void {
    this.#receiver.setAdmission(new Admission(admissionRules(admission)));
  }

  /** Opens all sinks. Rejects with the first error after all have tried. */
  open(): Promise<void> {
    return doAll([
      () => this.#arrival.open(),
      () => this.#ordered.open(),
      ...this.#flows.map(
        ({ sink }) =>
          () =>
            sink.open(),
      ),
    ]);
  }

  /** Takes one batch. Settles when it may be used again, and never rejects. */
  take(batch: PacketBatch): Promise<void> {
    this.#receiver.process(batch);
    const arrival = this.#arrival.deliver(batch);
    if (this.#ordered.outlets.length === 0) return arrival;
    const ordered = this.#deliverOrdered();
    return ordered === undefined ? arrival : Promise.all([arrival, ordered]).then(nothing);
  }

  /** Lets go packets that were held long enough. Settles when their sinks have them. */
  release(seconds: number, nanoseconds: number): Promise<void> {
    this.#analysis?.order?.release(seconds, nanoseconds);
    return this.#deliverOrdered() ?? NOTHING_TO_WAIT_FOR;
  }

  /** Reports and ends the flows that are due, as fast as the sinks take their records. One call at a time does it. */
  expire(seconds: number): Promise<void> {
    const table = this.#analysis?.flows;
    if (table === undefined) return NOTHING_TO_WAIT_FOR;
    this.#expiring ??= this.#whileFull(() => table.expire(seconds, RECORDS_AT_A_TIME)).finally(() => {
      this.#expiring = undefined;
    });
    return this.#expiring;
  }

  /** Settles once all flow sinks have room. */
  async ready(): Promise<void> {
    for (const { sink } of this.#flows) await sink.ready();
  }

  /** No packet comes any more: lets go what is held, reports all flows, empties and closes all sinks. */
  async close(): Promise<void> {
    this.#analysis?.order?.flush();
    await this.#deliverOrdered();
    await this.#expiring;
    const table = this.#analysis?.flows;
    if (table !== undefined) await this.#whileFull(() => table.end(RECORDS_AT_A_TIME));
    await doAll([
      () => this.#arrival.close(),
      () => this.#ordered.close(),
      ...this.#flows.map(
        ({ sink }) =>
          () =>
            sink.close(),
      ),
    ]);
  }

  #emit(record: FlowRecord): void {
    for (const { sink, counters } of this.#flows) {
      counters.addDelivered(1);
      sink.record(record);
    }
  }

  /** Writes records as long as there may be more of them. */
  async #whileFull(write: () => number): Promise<void> {
    for (;;) {
      await this.ready();
      if (write() < RECORDS_AT_A_TIME) return;
    }
  }

  #deliverOrdered(): Promise<void> | undefined {
    let last: Promise<void> | undefined;
    for (;;) {
      const batch = this.#builder.take();
      if (batch === undefined) return last;
      const given = this.#ordered.deliver(batch).then(() => this.#builder.give(batch));
      last = last === undefined ? given : Promise.all([last, given]).then(nothing);
    }
  }
}

const NOTHING_TO_WAIT_FOR: Promise<void> = Promise.resolve();

function outletsOf(packets: readonly PacketOutlet[], order: PacketOutlet['order']): Outlet[] {
  return packets.filter((packet) => packet.order === order).map(({ outlet }) => outlet);
}

function nothing(): void {}
