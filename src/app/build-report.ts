import type { UpstreamCounts } from '../observe/analysis-report.ts';
import type {
  IpChecksums,
  LaneReport,
  Ledger,
  Report,
  SinkReport,
  TransportChecksums,
} from '../observe/report.ts';
import { isoTimestamp } from '../observe/timestamp.ts';
import { encapsulationNames } from '../packet/lane.ts';
import { LinkType } from '../packet/link-type.ts';
import { Verdict } from '../packet/verdict.ts';
import { addRow, isEmpty, LANE_COUNTERS_LENGTH, LaneCounter } from '../receive/lane-counters.ts';
import type { LaneDirectory } from '../receive/lanes.ts';
import { Tally, TALLY_LENGTH } from '../receive/tally.ts';
import { FAULT_COUNT, faultNames } from '../wire/fault.ts';
import { analysisTotals } from './analysis-totals.ts';
import type { FileList } from './file-list.ts';
import { readSinkCounters, readTally, type SharedMemory, tallyOf } from './shared-memory.ts';

/** What the report tells besides the counters. */
export interface ReportExtras {
  /** Datagrams that the kernel dropped before the process saw them. */
  readonly kernelDrops: number;
  readonly closedLanes: Report['closedLanes'];
  readonly files: FileList;
  /** True where `behind` is `gwlb`: GENEVE without VXLAN is traffic that was routed here by mistake. */
  readonly behindGwlb: boolean;
  /** True where workers count while the report is made. */
  readonly running: boolean;
}

/** The report as of now, from the counters of all workers. */
export function buildReport(memory: SharedMemory, lanes: LaneDirectory, extras: ReportExtras): Report {
  const tally = new Float64Array(TALLY_LENGTH);
  const read = extras.running ? readTally : tallyOf;
  for (let worker = 0; worker < memory.workers; worker++) add(tally, read(memory, worker));
  return {
    input: { packets: tally[Tally.received] ?? 0, bytes: tally[Tally.inputBytes] ?? 0 },
    ledger: ledger(tally, 0, extras.kernelDrops),
    // what the kernel dropped never told its length
    ledgerBytes: ledger(tally, 1, 0),
    filteredBy: {
      source: tally[Tally.filteredSource] ?? 0,
      mirrorSource: tally[Tally.filteredMirrorSource] ?? 0,
      vni: tally[Tally.filteredVni] ?? 0,
    },
    reservedBits: tally[Tally.reservedBits] ?? 0,
    misrouted: extras.behindGwlb ? (tally[Tally.geneveOnly] ?? 0) : 0,
    ...analysisTotals(memory),
    closedLanes: extras.closedLanes,
    lanes: laneReports(memory, lanes, extras.files),
    sinks: memory.sinkPlans.map((_, index) => sinkReport(memory, index)),
  };
}

/** The counters of one lane over all workers: a row as `LaneCounter` describes it. */
export function laneTotals(memory: SharedMemory, lanes: LaneDirectory, slot: number): Float64Array {
  const total = new Float64Array(LANE_COUNTERS_LENGTH);
  for (let worker = 0; worker < memory.workers; worker++) {
    addRow(total, 0, lanes.counters(worker), slot * LANE_COUNTERS_LENGTH);
  }
  return total;
}

/** What was lost upstream, from a row of lane counters. */
export function upstreamOf(row: Float64Array): UpstreamCounts {
  return {
    tcpFlows: row[LaneCounter.tcpFlows] ?? 0,
    oneSidedFlows: row[LaneCounter.oneSidedFlows] ?? 0,
    ackedBytes: row[LaneCounter.ackedBytes] ?? 0,
    unseenBytes: row[LaneCounter.unseenBytes] ?? 0,
  };
}

/** What flows have counted after their lane was closed, over all workers. */
export function upstreamOfClosed(memory: SharedMemory, lanes: LaneDirectory): UpstreamCounts {
  const total = new Float64Array(LANE_COUNTERS_LENGTH);
  const at = lanes.closedSlot * LANE_COUNTERS_LENGTH;
  for (let worker = 0; worker < memory.workers; worker++) {
    add(total, lanes.counters(worker).subarray(at, at + LANE_COUNTERS_LENGTH));
  }
  return upstreamOf(total);
}

function add(total: Float64Array, row: Float64Array): void {
  for (let i = 0; i < total.length; i++) total[i] = (total[i] ?? 0) + (row[i] ?? 0);
}

/** @param offset 0 for packets, 1 for UDP payload bytes */
function ledger(tally: Float64Array, offset: 0 | 1, kernelDrops: number): Ledger {
  const at = (bucket: number): number => tally[bucket + offset] ?? 0;
  const fault: Record<string, number> = {};
  for (let code = 0; code < FAULT_COUNT; code++) {
    const count = at(Tally.fault + 2 * code);
    if (count > 0) fault[faultNames[code] ?? code] = count;
  }
  return {
    received: at(Tally.received),
    delivered: at(Tally.delivered),
    notTunnel: at(Tally.notTunnel),
    filtered: at(Tally.filteredSource) + at(Tally.filteredMirrorSource) + at(Tally.filteredVni),
    duplicate: at(Tally.duplicate),
    fault,
    held: at(Tally.held),
    dropped: { kernel: kernelDrops, worker: at(Tally.lost) },
  };
}

function laneReports(memory: SharedMemory, lanes: LaneDirectory, files: FileList): LaneReport[] {
  const reports: LaneReport[] = [];
  for (let slot = 0; slot < lanes.slots; slot++) {
    if (!lanes.isUsed(slot)) continue;
    const totals = laneTotals(memory, lanes, slot);
    if (!isEmpty(totals, 0)) reports.push(laneReport(lanes, slot, totals, files));
  }
  return reports;
}

function laneReport(lanes: LaneDirectory, slot: number, totals: Float64Array, files: FileList): LaneReport {
  const lane = lanes.lane(slot);
  const at = (counter: number): number => totals[counter] ?? 0;
  const laneFiles = files.of(lane.name);
  return {
    name: lane.name,
    encapsulation: encapsulationNames[lane.encapsulation] ?? 'none',
    vni: lane.vni,
    ...(lane.gwlbEndpointId === undefined ? {} : { gwlbEndpointId: lane.gwlbEndpointId }),
    linkType: lane.linkType === LinkType.raw ? 'raw' : 'ethernet',
    packets: at(LaneCounter.packets),
    bytes: at(LaneCounter.bytes),
    wireBytes: at(LaneCounter.wireBytes),
    truncated: at(LaneCounter.truncated),
    snapped: at(LaneCounter.snapped),
    reordered: at(LaneCounter.reordered),
    late: at(LaneCounter.late),
    gaps: at(LaneCounter.gaps),
    duplicates: at(LaneCounter.duplicates),
    upstream: upstreamOf(totals),
    checksum: { ip: ipChecksums(at), transport: transportChecksums(at) },
    first: isoTimestamp(at(LaneCounter.firstSeconds), at(LaneCounter.firstNanoseconds)),
    last: isoTimestamp(at(LaneCounter.lastSeconds), at(LaneCounter.lastNanoseconds)),
    fileCount: laneFiles.count,
    files: [...laneFiles.newest],
  };
}

function ipChecksums(at: (counter: number) => number): IpChecksums {
  return {
    valid: at(LaneCounter.ipVerdict + Verdict.valid),
    bad: at(LaneCounter.ipVerdict + Verdict.bad),
    unverifiable: at(LaneCounter.ipVerdict + Verdict.unverifiable),
  };
}

/** Inner transport checksums of a row as `LaneCounter` describes it, by verdict. */
export function transportChecksums(at: (counter: number) => number): TransportChecksums {
  return {
    valid: at(LaneCounter.transportVerdict + Verdict.valid),
    partial: at(LaneCounter.transportVerdict + Verdict.partial),
    zero: at(LaneCounter.transportVerdict + Verdict.zero),
    bad: at(LaneCounter.transportVerdict + Verdict.bad),
    unverifiable: at(LaneCounter.transportVerdict + Verdict.unverifiable),
  };
}

function sinkReport(memory: SharedMemory, index: number): SinkReport {
  const plan = memory.sinkPlans[index];
  const rows = Array.from({ length: memory.workers }, (_, worker) => readSinkCounters(memory, worker, index));
  const dropped: Record<string, number> = {};
  for (const row of rows) {
    for (const [reason, name] of row.reasons.entries()) {
      const count = row.dropped(reason);
      if (count > 0) dropped[name] = (dropped[name] ?? 0) + count;
    }
  }
  const total = (read: (row: (typeof rows)[number]) => number): number =>
    rows.reduce((all, row) => all + read(row), 0);
  const names = plan?.counters ?? [];
  const counters = Object.fromEntries(names.map((name) => [name, total((row) => row.further(name))]));
  return {
    name: plan?.name ?? '',
    kind: plan?.kind ?? '',
    delivered: total((row) => row.delivered),
    written: total((row) => row.written),
    filtered: total((row) => row.filtered),
    dropped,
    pending: total((row) => row.pending),
    pendingBytes: total((row) => row.pendingBytes),
    ...(names.length === 0 ? {} : { counters }),
  };
}
