import type { PacketBatch } from '../packet/batch.ts';
import * as laneConstants from '../packet/lane.ts';
import { Layers } from '../packet/layers.ts';
import * as packetMarks from '../packet/mark.ts';
import * as faults from '../wire/fault.ts';
import type { Admission } from './admission.ts';
import * as admissionConstants from './admission.ts';
import type { Analysis } from './analysis.ts';
import { decap } from './decap.ts';
import { readInner } from './inner.ts';
import { countFrame, countLeftOut } from './lane-counters.ts';
import * as laneCounting from './lane-counters.ts';
import type { LaneDirectory } from './lanes.ts';
import { readOuter, type TunnelPorts } from './outer.ts';
import * as outerConstants from './outer.ts';
import { readPlainInner, readPlainOuter } from './plain.ts';
import type { SymmetrySampler } from './symmetry.ts';
import { count } from './tally.ts';
import * as tallies from './tally.ts';
import { judge, measure, skip } from './verdict.ts';

// for speed: see "Constants" in src/README.md
const { Encapsulation } = laneConstants;
const { Mark } = packetMarks;
const { Fault } = faults;
const { ADMITTED } = admissionConstants;
const { LANE_COUNTERS_LENGTH, LaneCounter } = laneCounting;
const { NOT_TUNNEL } = outerConstants;
const { Tally } = tallies;

/** One frame in so many is judged where checksums are verified on a sample. */
const SAMPLE_INTERVAL = 16;

export interface ReceiverOptions {
  readonly ports: TunnelPorts;
  readonly admission: Admission;
  readonly lanes: LaneDirectory;
  /** This worker's number: which rows of the lane counters are its own. */
  readonly worker: number;
  /** This worker's packet ledger; see `Tally`. */
  readonly tally: Float64Array;
  readonly verifyChecksums: 'all' | 'sampled' | 'off';
  /** Where this worker notes which connections it sees; left out: nowhere. */
  readonly symmetry?: SymmetrySampler;
  /** Steps that must know the packets before; left out: none of them. */
  readonly analysis?: Analysis;
}

/**
 * The receiver's core: takes a batch of outer packets and finds in it what is to be delivered.
 *
 * The only place that knows the order of the steps. Every packet ends in exactly one bucket of the ledger.
 */
export class Receiver {
  readonly #ports: TunnelPorts;
  readonly #lanes: LaneDirectory;
  readonly #laneCounters: Float64Array;
  readonly #tally: Float64Array;
  /** Every how many frames one is judged; 0 for never. */
  readonly #verifyInterval: number;
  readonly #symmetry: SymmetrySampler | undefined;
  readonly #analysis: Analysis | undefined;
  readonly #layers = new Layers();
  #admission: Admission;
  #untilVerified = 0;

  constructor(options: ReceiverOptions) {
    this.#ports = options.ports;
    this.#lanes = options.lanes;
    this.#laneCounters = options.lanes.counters(options.worker);
    this.#tally = options.tally;
    this.#admission = options.admission;
    this.#symmetry = options.symmetry;
    this.#analysis = options.analysis;
    const { verifyChecksums } = options;
    this.#verifyInterval =
      verifyChecksums === 'all' ? 1 : verifyChecksums === 'sampled' ? SAMPLE_INTERVAL : 0;
  }

  /** Rules for the packets from now on. */
  setAdmission(admission: Admission): void {
    this.#admission = admission;
  }

  /** Fills the inner columns of the batch and lists the slots to deliver. Allocates nothing, throws nothing. */
  process(batch: PacketBatch): void {
    const tally = this.#tally;
    const layers = this.#layers;
    batch.deliveredCount = 0;
    // before the work: what a worker that dies had taken in is then known to be missing from the buckets
    tally[Tally.received]! += batch.count;
    // nothing after the loop: the engine compiles it before it has seen its end, and would give up there every time
    for (let slot = 0; slot < batch.count; slot++) {
      const bucket = this.#receive(batch, slot);
      const bytes = layers.payloadEnd - layers.payloadAt;
      tally[Tally.inputBytes]! += batch.end[slot]! - batch.at[slot]!;
      tally[Tally.received + 1]! += bytes;
      count(tally, bucket, bytes);
      if (bucket === Tally.delivered) this.#deliver(batch, slot);
      else if (bucket === Tally.duplicate) this.#leaveOut(batch, slot);
    }
  }

  /** Takes one packet through all steps; returns the bucket it belongs to. */
  #receive(batch: PacketBatch, slot: number): number {
    const { bytes, view } = batch;
    const layers = this.#layers;
    const outer = this.#readOuter(batch, slot);
    if (outer === NOT_TUNNEL) return Tally.notTunnel;

    const sender = this.#admission.judgeSender(bytes, layers);
    if (sender !== ADMITTED) return sender;
    if (outer !== Fault.none) return Tally.fault + 2 * outer;

    const fault = decap(bytes, this.#ports, layers);
    if (fault !== Fault.none) return Tally.fault + 2 * fault;
    const frame = this.#admission.judgeFrame(bytes, layers);
    if (frame !== ADMITTED) return frame;

    if (!readPlainInner(view, layers)) readInner(bytes, layers);
    measure(layers);
    this.#judge(batch);
    if (this.#analysis === undefined) batch.marks[slot] = Mark.none;
    else if (this.#analysis.leavesOut(batch, slot, layers)) return Tally.duplicate;
    return Tally.delivered;
  }

  #readOuter(batch: PacketBatch, slot: number): number {
    const at = batch.at[slot]!;
    const end = batch.end[slot]!;
    const linkType = batch.linkType[slot]!;
    if (readPlainOuter(batch.view, at, end, linkType, this.#ports, this.#layers)) return Fault.none;
    return readOuter(batch.bytes, at, end, linkType, this.#ports, this.#layers);
  }

  #judge(batch: PacketBatch): void {
    if (this.#verifyInterval === 0) {
      skip(this.#layers);
    } else if (this.#untilVerified === 0) {
      judge(batch.bytes, batch.view, this.#layers);
      this.#untilVerified = this.#verifyInterval - 1;
    } else {
      skip(this.#layers);
      this.#untilVerified--;
    }
  }

  #deliver(batch: PacketBatch, slot: number): void {
    const layers = this.#layers;
    const payloadBytes = layers.payloadEnd - layers.payloadAt;
    if (layers.reservedBits === 1) count(this.#tally, Tally.reservedBits, payloadBytes);
    if (layers.encapsulation === Encapsulation.geneve) count(this.#tally, Tally.geneveOnly, payloadBytes);
    const lane = this.#laneSlot();
    const seconds = batch.seconds[slot]!;
    countFrame(this.#laneCounters, lane * LANE_COUNTERS_LENGTH, layers, seconds, batch.nanoseconds[slot]!);
    this.#symmetry?.see(batch.view, layers);
    batch.lane[slot] = lane;
    batch.vni[slot] = layers.vni;
    batch.encapsulation[slot] = layers.encapsulation;
    batch.mirrorSourceAt[slot] = layers.mirrorSourceAt;
    batch.mirrorSourceVersion[slot] = layers.mirrorSourceVersion;
    batch.frameAt[slot] = layers.frameAt;
    batch.frameEnd[slot] = layers.frameEnd;
    batch.frameWireLen[slot] = layers.frameWireLen;
    batch.transportVerdict[slot] = layers.transportVerdict;
    batch.delivered[batch.deliveredCount++] = slot;
    const analysis = this.#analysis;
    if (analysis === undefined) return;
    if (analysis.isDuplicate) this.#laneCounters[lane * LANE_COUNTERS_LENGTH + LaneCounter.duplicates]! += 1;
    analysis.count(batch, slot, layers, lane);
    analysis.order(batch, slot, layers);
  }

  /** A duplicate that no sink wants: its lane and its flow are told. */
  #leaveOut(batch: PacketBatch, slot: number): void {
    const lane = this.#laneSlot();
    const at = lane * LANE_COUNTERS_LENGTH;
    countLeftOut(this.#laneCounters, at, batch.seconds[slot]!, batch.nanoseconds[slot]!);
    this.#analysis?.count(batch, slot, this.#layers, lane);
  }

  #laneSlot(): number {
    const layers = this.#layers;
    return this.#lanes.slot(
      layers.encapsulation,
      layers.vni,
      layers.hasEndpoint,
      layers.endpointHigh,
      layers.endpointLow,
      layers.linkType,
    );
  }
}
