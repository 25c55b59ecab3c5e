import { networkInterfaces } from 'node:os';
import { loadNative } from '../../native/library.ts';
import { DriverStatistics, openStatisticsReader, type StatisticsReader } from './driver-statistics.ts';
import { Growth } from './growth.ts';
import { interfaceDrops, lowestInterfaces } from './interface-statistics.ts';
import { softnetDrops } from './softnet.ts';
import { type SystemFiles, systemFiles } from './system-files.ts';

export interface HostDropsOptions {
  /** The interfaces that packets come through, asked at every look. */
  readonly interfaces: () => readonly string[];
  readonly files: SystemFiles;
  /** `undefined` where drivers cannot be asked. */
  readonly statistics: StatisticsReader | undefined;
}

/** A counter of the system. */
interface Counter {
  readonly where: string;
  /** The interface it belongs to; empty for the whole machine. */
  readonly owner: string;
  readonly value: number;
}

/**
 * Counts packets that this host lost before any socket or ring could have them, since it was made. By place: `ena_bw_in`,
 * `ena_pps`, `ena_conntrack` (the instance's allowances), `nic` (interface statistics), `softnet` (queue of a processor).
 *
 * The places are not to be added up: what is dropped from a processor's queue, some interfaces count as well. They count
 * whatever arrives, not tunnel packets alone.
 */
export class HostDrops {
  readonly #options: HostDropsOptions;
  readonly #drivers: DriverStatistics | undefined;
  readonly #growth = new Growth();

  /**
   * Counts from now on.
   *
   * @param interfaces left out: all that have an address, but not loopback
   */
  static async open(interfaces: () => readonly string[] = addressedInterfaces): Promise<HostDrops> {
    const statistics = (await loadNative()) === undefined ? openReader() : undefined;
    return new HostDrops({ interfaces, files: systemFiles, statistics });
  }

  constructor(options: HostDropsOptions) {
    this.#options = options;
    this.#drivers = options.statistics && new DriverStatistics(options.statistics);
    this.look();
  }

  /** Packets by place, never less than before; a place that cannot be read is not there. Never throws. */
  look(): ReadonlyMap<string, number> {
    for (const { where, owner, value } of this.#counters()) this.#growth.see(where, owner, value);
    this.#growth.endRound();
    return this.#growth.sums;
  }

  /** The same, but all that the counters say: since the machine or the interface was started. */
  sinceBoot(): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const { where, value } of this.#counters()) sums.set(where, (sums.get(where) ?? 0) + value);
    return sums;
  }

  close(): void {
    this.#drivers?.close();
  }

  /** What every counter says now. */
  #counters(): Counter[] {
    const { interfaces, files } = this.#options;
    const counters: Counter[] = [];
    const names = lowestInterfaces(interfaces(), files);
    for (const owner of names) {
      const drops = interfaceDrops(owner, files);
      if (drops !== undefined) counters.push({ where: 'nic', owner, value: drops });
      for (const [where, value] of this.#drivers?.read(owner) ?? []) counters.push({ where, owner, value });
    }
    this.#drivers?.keep(names);
    const dropped = softnetDrops(files.text('/proc/net/softnet_stat') ?? '');
    if (dropped !== undefined) counters.push({ where: 'softnet', owner: '', value: dropped });
    return counters;
  }
}

function addressedInterfaces(): string[] {
  return Object.entries(networkInterfaces())
    .filter(([, addresses]) => addresses?.some(({ internal }) => !internal))
    .map(([name]) => name);
}

function openReader(): StatisticsReader | undefined {
  try {
    return openStatisticsReader();
  } catch {
    // counting losses is no reason not to receive
    return undefined;
  }
}
