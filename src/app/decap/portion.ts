import { Admission } from '../../receive/admission.ts';
import { admissionRules } from '../../receive/admission-rules.ts';
import type { Config } from '../../config/settings.ts';
import type { PacketBatch } from '../../packet/batch.ts';
import { addRow, LANE_COUNTERS_LENGTH, LaneCounter } from '../../receive/lane-counters.ts';
import { allocateLanes } from '../../receive/lane-memory.ts';
import { LaneDirectory } from '../../receive/lanes.ts';
import { tunnelPorts, type TunnelPorts } from '../../receive/outer.ts';
import { Receiver } from '../../receive/receiver.ts';
import { TALLY_LENGTH } from '../../receive/tally.ts';
import { pcapEncoding, pcapngEncoding } from '../../sinks/files/encoding.ts';
import { type LaneShare, PortionEncoder } from '../../sinks/files/portion-encoder.ts';
import type { SharedFilesMemory } from '../../sinks/files/shared-file-table.ts';
import { SharedFiles, type SharedOutput } from '../../sinks/files/shared-files.ts';
import { type SharedMemory, tallyOf } from '../shared-memory.ts';
import type { Turns } from './turns.ts';

/** Lanes of one portion, at first. */
const LANES_FIRST = 256;
const LANES_GROWTH = 8;
/** A thread that waits for another's write looks up from time to time. */
const WAIT_MS = 100;

/** What the threads of a decap share, and how it was asked for. */
export interface PortionWork {
  readonly memory: SharedMemory;
  readonly files: SharedFilesMemory;
  readonly output: SharedOutput;
  readonly config: Config;
}

/**
 * Takes portions of packets from batch to file, one thread among several. The stages need nothing of each other's
 * threads but `settle`, which comes in the order of the input: there a portion's counters and lanes are put together
 * with those of all portions before.
 */
export class PortionWorker {
  readonly #turns: Turns;
  readonly #ports: TunnelPorts;
  readonly #admission: Admission;
  readonly #verifyChecksums: 'all' | 'off';
  readonly #lanes: LaneDirectory;
  readonly #laneCounters: Float64Array;
  readonly #tally: Float64Array;
  readonly #files: SharedFiles;
  readonly #encoder: PortionEncoder;
  readonly #portionTally = new Float64Array(TALLY_LENGTH);
  #portionLanes: LaneDirectory;
  #lanesMax = LANES_FIRST;
  #shares: readonly LaneShare[] = [];
  readonly #wait: (file: number, ticket: number) => void;

  constructor({ memory, files, output, config }: PortionWork, turns: Turns) {
    const { listen, admission, analysis } = config;
    this.#turns = turns;
    this.#ports = tunnelPorts(listen.vxlanPorts, listen.genevePorts);
    this.#admission = new Admission(admissionRules(admission));
    this.#verifyChecksums = analysis.checksums.verify === 'off' ? 'off' : 'all';
    this.#lanes = new LaneDirectory(memory.lanes);
    this.#laneCounters = this.#lanes.counters(0);
    this.#tally = tallyOf(memory, 0);
    const encoding = output.kind === 'folder' && output.format === 'pcap' ? pcapEncoding : pcapngEncoding;
    this.#files = new SharedFiles(files, output, encoding);
    this.#encoder = new PortionEncoder(this.#files, encoding);
    this.#portionLanes = this.#makeLanes();
    this.#wait = (file, ticket) => {
      turns.check();
      this.#files.table.wait(file, ticket, WAIT_MS);
    };
  }

  /** Finds what is to be delivered, with lanes and counters of the portion's own. */
  receive(batches: readonly PacketBatch[], count: number): void {
    this.#receive(batches, count);
    while (this.#portionLanes.overflowed) {
      this.#lanesMax *= LANES_GROWTH;
      this.#receive(batches, count);
    }
  }

  /** Adds the portion's counters to those of all; returns packets to deliver. With the turn for lanes. */
  settle(): number {
    const portion = this.#portionLanes;
    const rows = portion.counters(0);
    const shares: LaneShare[] = [];
    let packets = 0;
    for (let own = 0; own < portion.used; own++) {
      const slot = this.#lanes.slotOf(portion, own);
      const at = own * LANE_COUNTERS_LENGTH;
      addRow(this.#laneCounters, slot * LANE_COUNTERS_LENGTH, rows, at);
      const share = {
        slot,
        lane: this.#lanes.lane(slot),
        packets: rows[at + LaneCounter.packets] ?? 0,
        bytes: rows[at + LaneCounter.bytes] ?? 0,
      };
      packets += share.packets;
      shares.push(share);
    }
    const tally = this.#tally;
    for (let i = 0; i < TALLY_LENGTH; i++) tally[i] = (tally[i] ?? 0) + (this.#portionTally[i] ?? 0);
    this.#shares = shares;
    return packets;
  }

  /**
   * Gives the portion its places in the files, which are made for new lanes. With the turn for lanes.
   *
   * @throws MirrorError `OUTPUT_EXISTS`, `DISK_FULL`, `CAPTURE_WRITE_FAILED`
   */
  plan(): void {
    this.#encoder.plan(this.#shares);
  }

  /**
   * Encodes the portion and appends it to the files.
   *
   * @returns packets written
   * @throws MirrorError `DISK_FULL`, `CAPTURE_WRITE_FAILED`; TurnsFailed
   */
  write(batches: readonly PacketBatch[], count: number): number {
    this.#encoder.encode(batches, count);
    this.#turns.check();
    return this.#encoder.write(this.#wait);
  }

  #receive(batches: readonly PacketBatch[], count: number): void {
    this.#portionLanes = this.#makeLanes();
    this.#portionTally.fill(0);
    const receiver = new Receiver({
      ports: this.#ports,
      admission: this.#admission,
      lanes: this.#portionLanes,
      worker: 0,
      tally: this.#portionTally,
      verifyChecksums: this.#verifyChecksums,
    });
    for (let index = 0; index < count; index++) {
      const batch = batches[index];
      if (batch !== undefined) receiver.process(batch);
    }
  }

  #makeLanes(): LaneDirectory {
    return new LaneDirectory(allocateLanes(this.#lanesMax, 1));
  }
}
