import type { SystemFiles } from './system-files.ts';

const FOLDER = '/sys/class/net';
/** Interfaces on top of each other: a VLAN on a bridge on a bond. More is a circle. */
const DEPTH_MAX = 8;

/**
 * Counters of packets that reached an interface and no socket (kernel: Documentation/networking/statistics.rst, struct
 * rtnl_link_stats64).
 *
 * - `rx_dropped`: the kernel or the driver let it go. ENA counts here what the device dropped for want of buffers.
 * - `rx_missed_errors`: the device had no buffer to put it into, for drivers that follow the document.
 * - `rx_fifo_errors`: the same, for older drivers.
 *
 * Left out: `rx_over_errors`, which some drivers count together with `rx_fifo_errors`; `rx_errors`, frames that arrived
 * damaged; `rx_nohandler`, frames on an interface that is not in use.
 */
const COUNTERS = ['rx_dropped', 'rx_missed_errors', 'rx_fifo_errors'];

/** Sum of the counters above since the interface is there; `undefined` where it is not, or has none. */
export function interfaceDrops(name: string, files: SystemFiles): number | undefined {
  let sum: number | undefined;
  for (const counter of COUNTERS) {
    const count = Number.parseInt(files.text(`${FOLDER}/${name}/statistics/${counter}`) ?? '', 10);
    if (!Number.isNaN(count)) sum = (sum ?? 0) + count;
  }
  return sum;
}

/**
 * The interfaces at the bottom of the given ones: the ports of a bridge, the members of a bond, the parent of a VLAN.
 * What arrives at the one has passed the others, and some (a bond) count again what those count.
 */
export function lowestInterfaces(names: readonly string[], files: SystemFiles): ReadonlySet<string> {
  const lowest = new Set<string>();
  const descend = (name: string, depth: number): void => {
    const below = files
      .names(`${FOLDER}/${name}`)
      .filter((entry) => entry.startsWith('lower_'))
      .map((entry) => entry.slice('lower_'.length));
    if (below.length === 0 || depth === DEPTH_MAX) lowest.add(name);
    else for (const next of below) descend(next, depth + 1);
  };
  for (const name of names) descend(name, 0);
  return lowest;
}
