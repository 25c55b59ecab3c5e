/**
 * Packets that the kernel dropped because a processor's queue of received packets was full (net.core.netdev_max_backlog),
 * of all processors since the machine started: the second column of /proc/net/softnet_stat, hexadecimal (net/core/net-procfs.c,
 * softnet_seq_show). It counts the whole machine, not one network namespace.
 *
 * @returns `undefined` where the text is not such a table
 */
export function softnetDrops(table: string): number | undefined {
  let sum = 0;
  for (const line of table.trim().split('\n')) {
    const dropped = Number.parseInt(line.split(/\s+/)[1] ?? '', 16);
    if (Number.isNaN(dropped)) return undefined;
    sum += dropped;
  }
  return sum;
}
