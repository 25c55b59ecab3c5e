import type { Config } from '../../config/settings.ts';
import { badChecksums, judgedChecksums, upstreamLoss } from '../../observe/lane-warnings.ts';
import type { Log } from '../../observe/log.ts';
import type { ExpectedVni } from '../../observe/metrics/snapshot.ts';
import type { UpstreamCounts } from '../../observe/analysis-report.ts';
import { noClosedLanes, type Report } from '../../observe/report.ts';
import { LaneCounter } from '../../receive/lane-counters.ts';
import type { LaneDirectory } from '../../receive/lanes.ts';
import { SilenceWatch } from '../../receive/silence.ts';
import { Tally } from '../../receive/tally.ts';
import { laneTotals, transportChecksums, upstreamOf, upstreamOfClosed } from '../build-report.ts';
import type { FileList } from '../file-list.ts';
import { ShareWatch } from './share-watch.ts';
import { type SharedMemory, tallyOf } from '../shared-memory.ts';

export interface LaneWatchOptions {
  readonly memory: SharedMemory;
  readonly lanes: LaneDirectory;
  readonly files: FileList;
  readonly config: Config;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The same alarm is said again after this at the earliest. */
const ALARM_INTERVAL_MS = 60_000;
/** A share of what came in the first moments would say little. */
const UPSTREAM_FIRST_MS = 60_000;

/**
 * What the main thread watches over the lanes: expected VNIs that fall silent, lanes that are idle and are closed,
 * and what an operator has to be told loudly.
 */
export class LaneWatch {
  readonly #options: LaneWatchOptions;
  #config: Config;
  /** One watch for each expectation, so that one that stays the same in a reload is not begun anew. */
  #silence = new Map<string, SilenceWatch>();
  /** When expected VNIs were last heard, seconds since the epoch; also after their lanes were closed. */
  #heardSeconds = new Map<number, number>();
  #closed = noClosedLanes;
  readonly #badChecksums: ShareWatch;
  readonly #upstreamLoss: ShareWatch;
  readonly #saidMs = new Map<string, number>();
  readonly #saidCount = new Map<string, number>();

  constructor(options: LaneWatchOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#expect(options.config);
    const { log, now } = options;
    const checksums = { fields: ['bad', 'judged'], firstMs: 0 } as const;
    this.#badChecksums = new ShareWatch({ warned: badChecksums, ...checksums, log, now });
    const bytes = { fields: ['unseenBytes', 'ackedBytes'], firstMs: UPSTREAM_FIRST_MS } as const;
    this.#upstreamLoss = new ShareWatch({ warned: upstreamLoss, ...bytes, log, now });
  }

  get closedLanes(): Report['closedLanes'] {
    const { memory, lanes } = this.#options;
    return { ...this.#closed, upstream: sum(this.#closed.upstream, upstreamOfClosed(memory, lanes)) };
  }

  expected(): ExpectedVni[] {
    return [...this.#silence.values()].flatMap((watch) => watch.states());
  }

  reload(config: Config): void {
    this.#config = config;
    this.#expect(config);
  }

  /** Looks once. `kernelDrops` is the count since start. */
  look(kernelDrops: number): void {
    const nowSeconds = this.#options.now() / 1000;
    this.#lookAtLanes(nowSeconds);
    for (const watch of this.#silence.values()) this.#lookForSilence(watch, nowSeconds);
    this.#alarm(
      'kernel drops',
      kernelDrops,
      'The kernel drops packets: ring or receive buffer is full, they come faster than they are read.',
    );
    if (this.#config.behind === 'gwlb') {
      this.#alarm(
        'misrouted',
        this.#geneveOnly(),
        'GENEVE without VXLAN inside: production traffic is routed to this mirror target and ends here.',
      );
    }
  }

  #expect({ admission }: Config): void {
    const before = this.#silence;
    const nowSeconds = this.#options.now() / 1000;
    this.#silence = new Map();
    for (const expectation of admission.expect) {
      const key = `${expectation.vni} ${expectation.silentSeconds}`;
      this.#silence.set(key, before.get(key) ?? new SilenceWatch([expectation], nowSeconds));
    }
    const heard = this.#heardSeconds;
    this.#heardSeconds = new Map(admission.expect.map(({ vni }) => [vni, heard.get(vni) ?? 0]));
  }

  #lookForSilence(watch: SilenceWatch, nowSeconds: number): void {
    for (const change of watch.check(nowSeconds, (vni) => this.#heardSeconds.get(vni) ?? 0)) {
      const fields = { vni: change.vni, quietSeconds: Math.round(change.quietSeconds) };
      if (change.silent) this.#options.log.error(fields, 'An expected VNI is silent.');
      else this.#options.log.info({ vni: change.vni }, 'An expected VNI is heard again.');
    }
  }

  /** Notes when expected VNIs were heard, warns of lanes in a bad state, and closes idle ones. */
  #lookAtLanes(nowSeconds: number): void {
    const { lanes, memory } = this.#options;
    const open = new Set<string>();
    for (let slot = 0; slot < lanes.slots; slot++) {
      if (!lanes.isUsed(slot)) continue;
      const totals = laneTotals(memory, lanes, slot);
      const lastSeconds = totals[LaneCounter.lastSeconds] ?? 0;
      const { name, vni } = lanes.lane(slot);
      open.add(name);
      this.#lookAtShares(name, totals);
      if (vni === null) continue;
      const heard = this.#heardSeconds.get(vni);
      if (heard !== undefined && heard < lastSeconds) this.#heardSeconds.set(vni, lastSeconds);
      const idleSeconds = nowSeconds - lastSeconds;
      if (lastSeconds === 0 || !this.#isOver(idleSeconds, totals)) continue;
      open.delete(name);
      this.#close(slot, totals, idleSeconds);
    }
    this.#options.files.keepOnly(open);
  }

  /**
   * Whether a lane is to be closed. One whose TCP flows are open waits until they have counted for it: as long as a flow may be
   * idle, and only while lanes that are new find places enough.
   */
  #isOver(idleSeconds: number, totals: Float64Array): boolean {
    const { admission, analysis } = this.#config;
    const overSeconds = idleSeconds - admission.laneIdleSeconds;
    if (overSeconds < 0) return false;
    if (totals[LaneCounter.openTcpFlows] === 0 || overSeconds >= analysis.flows.idleSeconds.tcp) return true;
    return this.#options.lanes.used > admission.maxLanes / 2;
  }

  #lookAtShares(name: string, totals: Float64Array): void {
    const at = (counter: number): number => totals[counter] ?? 0;
    const transport = transportChecksums(at);
    this.#badChecksums.look(name, transport.bad, judgedChecksums(transport));
    this.#upstreamLoss.look(name, at(LaneCounter.unseenBytes), at(LaneCounter.ackedBytes));
  }

  #close(slot: number, totals: Float64Array, idleSeconds: number): void {
    const { lanes, log } = this.#options;
    this.#closed = {
      count: this.#closed.count + 1,
      packets: this.#closed.packets + (totals[LaneCounter.packets] ?? 0),
      bytes: this.#closed.bytes + (totals[LaneCounter.bytes] ?? 0),
      upstream: sum(this.#closed.upstream, upstreamOf(totals)),
    };
    const { name } = lanes.lane(slot);
    lanes.close(slot);
    this.#badChecksums.forget(name);
    this.#upstreamLoss.forget(name);
    log.info({ lane: name, idleSeconds: Math.round(idleSeconds) }, 'An idle lane was closed.');
  }

  #geneveOnly(): number {
    let packets = 0;
    for (let worker = 0; worker < this.#options.memory.workers; worker++) {
      packets += tallyOf(this.#options.memory, worker)[Tally.geneveOnly] ?? 0;
    }
    return packets;
  }

  /** Says at most once a minute that a count has grown, and by how much. */
  #alarm(name: string, count: number, message: string): void {
    const more = count - (this.#saidCount.get(name) ?? 0);
    const nowMs = this.#options.now();
    if (more <= 0 || nowMs - (this.#saidMs.get(name) ?? -Infinity) < ALARM_INTERVAL_MS) return;
    this.#saidMs.set(name, nowMs);
    this.#saidCount.set(name, count);
    this.#options.log.error({ packets: more, total: count }, message);
  }
}

function sum(a: UpstreamCounts, b: UpstreamCounts): UpstreamCounts {
  return {
    tcpFlows: a.tcpFlows + b.tcpFlows,
    oneSidedFlows: a.oneSidedFlows + b.oneSidedFlows,
    ackedBytes: a.ackedBytes + b.ackedBytes,
    unseenBytes: a.unseenBytes + b.unseenBytes,
  };
}
