import { family, socketType } from '../../native/constants.ts';
import { statisticNames, statisticValues } from '../../native/ethtool.ts';
import { closeDescriptor, openSocket } from '../../native/socket.ts';

/**
 * Statistics of drivers that count packets lost before the machine saw them, and the place each stands for.
 *
 * ENA, Amazon's driver: packets that were queued or dropped because the instance exceeded what its type allows (Amazon EC2
 * User Guide, "Monitor network performance for ENA settings"). What concerns sending alone is left out.
 */
const places: Readonly<Record<string, string>> = {
  bw_in_allowance_exceeded: 'ena_bw_in',
  pps_allowance_exceeded: 'ena_pps',
  conntrack_allowance_exceeded: 'ena_conntrack',
};

/** What is asked of the kernel; tests give their own. Both throw where an interface has no statistics. */
export interface StatisticsReader {
  names(device: string): readonly string[];
  /** None where there are not `count` any more. */
  values(device: string, count: number): readonly number[];
  close(): void;
}

/** Asks by SIOCETHTOOL. After `loadNative`. */
export function openStatisticsReader(): StatisticsReader {
  const descriptor = openSocket(family.AF_INET, socketType.SOCK_DGRAM, 0);
  return {
    names: (device) => statisticNames(descriptor, device),
    values: (device, count) => statisticValues(descriptor, device, count),
    close: () => closeDescriptor(descriptor),
  };
}

interface KnownDevice {
  /** Statistics that its driver keeps. */
  readonly count: number;
  /** Which of them are read. */
  readonly wanted: readonly { readonly at: number; readonly where: string }[];
}

/** Reads the statistics above. Names are asked for once a device, values only where there is something to read. */
export class DriverStatistics {
  readonly #reader: StatisticsReader;
  #known = new Map<string, KnownDevice>();

  constructor(reader: StatisticsReader) {
    this.#reader = reader;
  }

  /** Value by place of one device now; empty where its driver counts nothing of the kind. */
  read(device: string): ReadonlyMap<string, number> {
    try {
      const known = this.#known.get(device) ?? this.#learn(device);
      if (known.wanted.length === 0) return new Map();
      const values = this.#reader.values(device, known.count);
      // a driver that was replaced has other names
      if (values.length !== known.count) this.#known.delete(device);
      return new Map(known.wanted.flatMap(({ at, where }) => pair(where, values[at])));
    } catch {
      this.#known.delete(device);
      return new Map();
    }
  }

  /** Forgets all devices but these. */
  keep(devices: ReadonlySet<string>): void {
    for (const device of this.#known.keys()) if (!devices.has(device)) this.#known.delete(device);
  }

  close(): void {
    this.#reader.close();
  }

  #learn(device: string): KnownDevice {
    const names = this.#reader.names(device);
    const wanted = names.flatMap((name, at) => {
      const where = places[name];
      return where === undefined ? [] : [{ at, where }];
    });
    const known = { count: names.length, wanted };
    this.#known.set(device, known);
    return known;
  }
}

function pair(where: string, value: number | undefined): [string, number][] {
  return value === undefined ? [] : [[where, value]];
}
