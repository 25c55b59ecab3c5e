import { randomInt } from 'node:crypto';
import type { Config } from '../config/settings.ts';
import type { FlowRecord } from '../packet/flow-record.ts';
import { Analysis } from '../receive/analysis.ts';
import { DuplicateFinder } from '../receive/duplicates.ts';
import type { LanePlaces } from '../receive/flows/flow-lanes.ts';
import { FlowTable } from '../receive/flows/flow-table.ts';
import { InterfaceTable } from '../receive/flows/interface-table.ts';
import { NameFinder } from '../receive/flows/name-finder.ts';
import { FragmentTable } from '../receive/fragment-table.ts';
import { InnermostReader } from '../receive/innermost.ts';
import { type OrderedOutput, Resequencer } from '../receive/order/resequencer.ts';
import { nameHashes, sha1Base64 } from './name-hashes.ts';

/** Mirrored interfaces whose MAC is remembered: more than an account may mirror (10,000 sessions, AWS quota). */
const INTERFACES = 16_384;
/** Fragmented packets that are waited for, each for so long: Linux does the same (net.ipv4.ipfrag_time). */
const FRAGMENTED_PACKETS = 4096;
const FRAGMENT_TIMEOUT_SECONDS = 30;
/** What finds the copies among 300,000 packets a second, for each microsecond of the window: 64 bytes a packet, twice. */
const DUPLICATE_BYTES_A_US = 42;
const DUPLICATE_BYTES_MIN = 1_048_576;
const DUPLICATE_BYTES_MAX = 268_435_456;
/** TCP streams that are put in order at the same time. */
const ORDERED_STREAMS = 65_536;
/** One flow in so many may have a gap at a time, on average. */
const FLOWS_A_GAP = 4;

export interface AnalysisOptions {
  readonly analysis: Config['analysis'];
  /** The limits of the settings are shared by so many workers. */
  readonly workers: number;
  /** A row of `AnalysisTally`. */
  readonly tally: Float64Array;
  /** The worker's rows of `LaneCounter`. */
  readonly laneCounters: Float64Array;
  readonly lanes: LanePlaces;
  readonly countFlows: boolean;
  /** Takes flow records; undefined: nobody wants any, and names are not looked for. */
  readonly emit: ((record: FlowRecord) => void) | undefined;
  /** Takes packets in the order of their flows; left out: nobody asks for it. */
  readonly ordered: OrderedOutput | undefined;
  /** The worker's packet ledger, where all packets leave in the order of their flows. */
  readonly ledger: Float64Array | undefined;
  readonly findDuplicates: boolean;
  /** Every sink leaves duplicates out. */
  readonly dropDuplicates: boolean;
}

/** What one worker does with packets besides decapsulating them, and what of it goes by the clock. */
export interface WorkerAnalysis {
  readonly analysis: Analysis;
  readonly flows: FlowTable | undefined;
  readonly order: Resequencer | undefined;
}

/** Undefined where nothing is asked for. */
export function makeAnalysis(options: AnalysisOptions): WorkerAnalysis | undefined {
  const { analysis: settings, tally, findDuplicates, dropDuplicates } = options;
  const flows = makeFlows(options);
  const order = makeOrder(options);
  if (flows === undefined && order === undefined && !findDuplicates) return undefined;
  const { windowUs, acrossVnis } = settings.duplicates;
  const analysis = new Analysis({
    innermost: new InnermostReader({
      tally,
      fragments: new FragmentTable({
        tally,
        entries: FRAGMENTED_PACKETS,
        timeoutSeconds: FRAGMENT_TIMEOUT_SECONDS,
      }),
    }),
    interfaces: new InterfaceTable(INTERFACES),
    duplicates: findDuplicates
      ? new DuplicateFinder({ windowUs, acrossVnis, memoryBytes: duplicateBytes(windowUs), tally })
      : undefined,
    dropDuplicates,
    flows,
    order,
  });
  return { analysis, flows, order };
}

function duplicateBytes(windowUs: number): number {
  const bytes = DUPLICATE_BYTES_A_US * windowUs;
  return Math.min(DUPLICATE_BYTES_MAX, Math.max(DUPLICATE_BYTES_MIN, bytes));
}

function makeFlows(options: AnalysisOptions): FlowTable | undefined {
  const { analysis, workers, tally, laneCounters, lanes, countFlows, emit } = options;
  if (!countFlows) return undefined;
  const { idleSeconds, activeSeconds, perVlan } = analysis.flows;
  const maxFlows = Math.ceil(analysis.flows.maxFlows / workers);
  const nameBytes = Math.floor(analysis.flows.nameBytes / workers);
  return new FlowTable({
    maxFlows,
    gaps: Math.ceil(maxFlows / FLOWS_A_GAP),
    idleSeconds,
    activeSeconds,
    perVlan,
    tally,
    laneCounters,
    lanes,
    emit,
    sha1Base64,
    names: emit === undefined ? undefined : new NameFinder({ nameBytes, tally, hashes: nameHashes }),
    hashSeed: randomInt(2 ** 32),
  });
}

function makeOrder(options: AnalysisOptions): Resequencer | undefined {
  const { analysis, workers, tally, laneCounters, ordered, ledger, findDuplicates } = options;
  if (ordered === undefined) return undefined;
  const { holdUs, holdPackets, holdBytes } = analysis.order;
  return new Resequencer({
    holdUs,
    holdPackets,
    holdBytes: Math.floor(holdBytes / workers),
    streams: ORDERED_STREAMS,
    join: findDuplicates ? (analysis.duplicates.acrossVnis ? 'vnis' : 'sources') : 'none',
    tally,
    laneCounters,
    ledger,
    output: ordered,
  });
}
