import { deviceRequest, ethtool } from './constants.ts';
import { controlDevice } from './control.ts';
import { ethtoolGstrings, ethtoolSsetInfo, ethtoolStats, ifreq } from './layout.ts';
import { systemCalls } from './library.ts';

/** Most statistics of one device that are read; drivers with many queues have a few thousand. */
const STATISTICS_MAX = 65_536;
const STATISTIC_BYTES = 8;
/** Times the room that is needed: older kernels write what the driver has now, not what was asked for. */
const SPARE = 2;

/**
 * Names of the statistics that a network interface's driver keeps, in its order; none where it keeps none.
 *
 * @param descriptor any socket of the network namespace
 * @throws MirrorError `SYSTEM_CALL_FAILED`
 */
export function statisticNames(descriptor: number, name: string): string[] {
  const count = statisticCount(descriptor, name);
  if (count === 0) return [];
  const { bytes, at } = ethtoolGstrings;
  const strings = Buffer.alloc(bytes + SPARE * count * ethtool.ETH_GSTRING_LEN);
  strings.writeUInt32LE(ethtool.ETHTOOL_GSTRINGS, at.cmd);
  strings.writeUInt32LE(ethtool.ETH_SS_STATS, at.string_set);
  strings.writeUInt32LE(count, at.len);
  ask(descriptor, name, strings);
  const told = Math.min(count, strings.readUInt32LE(at.len));
  return Array.from({ length: told }, (_, i) => {
    const from = bytes + i * ethtool.ETH_GSTRING_LEN;
    const text = strings.toString('latin1', from, from + ethtool.ETH_GSTRING_LEN);
    return text.split('\0', 1)[0] ?? '';
  });
}

/**
 * The values of those statistics.
 *
 * @param count how many names there are
 * @returns none where the driver keeps more or fewer by now: the names are to be asked for again
 * @throws MirrorError `SYSTEM_CALL_FAILED`
 */
export function statisticValues(descriptor: number, name: string, count: number): number[] {
  const { bytes, at } = ethtoolStats;
  const values = Buffer.alloc(bytes + SPARE * count * STATISTIC_BYTES);
  values.writeUInt32LE(ethtool.ETHTOOL_GSTATS, at.cmd);
  values.writeUInt32LE(count, at.n_stats);
  ask(descriptor, name, values);
  if (values.readUInt32LE(at.n_stats) !== count) return [];
  return Array.from({ length: count }, (_, i) => Number(values.readBigUInt64LE(bytes + i * STATISTIC_BYTES)));
}

function statisticCount(descriptor: number, name: string): number {
  const { bytes, at } = ethtoolSsetInfo;
  const info = Buffer.alloc(bytes + 4);
  info.writeUInt32LE(ethtool.ETHTOOL_GSSET_INFO, at.cmd);
  info.writeBigUInt64LE(1n << BigInt(ethtool.ETH_SS_STATS), at.sset_mask);
  ask(descriptor, name, info);
  // the kernel clears the bit of a set that the driver does not have
  if (info.readBigUInt64LE(at.sset_mask) === 0n) return 0;
  return Math.min(info.readUInt32LE(bytes), STATISTICS_MAX);
}

/** The request stands behind the `struct ifreq` that points to it: one block, which the call keeps alive. */
function ask(descriptor: number, name: string, request: Buffer): void {
  const { bytes, at } = ifreq;
  const block = Buffer.alloc(bytes + request.length);
  block.write(name, at.ifr_name, at.ifr_data - 1, 'utf8');
  block.set(request, bytes);
  block.writeBigUInt64LE(systemCalls().address(block) + BigInt(bytes), at.ifr_data);
  controlDevice(descriptor, deviceRequest.SIOCETHTOOL, block, name);
  block.copy(request, 0, bytes);
}
