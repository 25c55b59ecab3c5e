/** What metrics have samples of, besides the lists that a snapshot already holds. */
import { faultNames } from '../wire/fault.ts';
import type { DeletedFiles, MetricsSnapshot } from './metrics-snapshot.ts';

/** A number of packets and what it is counted by. */
export interface Count {
  readonly by: string;
  readonly packets: number;
}

/** Every fault there is, also those that never occurred: a rate needs a first sample of 0. */
export function faultCounts({ report }: MetricsSnapshot): (Count & { readonly bytes: number })[] {
  const { fault: packets } = report.ledger;
  const { fault: bytes } = report.ledgerBytes;
  return faultNames.slice(1).map((by) => ({ by, packets: packets[by] ?? 0, bytes: bytes[by] ?? 0 }));
}

export function filterCounts({ report: { filteredBy } }: MetricsSnapshot): Count[] {
  return [
    { by: 'source', packets: filteredBy.source },
    { by: 'mirror_source', packets: filteredBy.mirrorSource },
    { by: 'vni', packets: filteredBy.vni },
  ];
}

/** Where packets were lost before the sinks. */
export function dropCounts({ report: { ledger } }: MetricsSnapshot): Count[] {
  return [
    { by: 'kernel', packets: ledger.dropped.kernel },
    { by: 'worker', packets: ledger.dropped.worker },
  ];
}

export interface VerdictCount {
  readonly lane: string;
  readonly layer: 'ip' | 'transport';
  readonly verdict: string;
  readonly packets: number;
}

export function* verdictCounts({ report }: MetricsSnapshot): Generator<VerdictCount> {
  for (const { name: lane, checksum } of report.lanes) {
    for (const layer of ['ip', 'transport'] as const) {
      for (const [verdict, packets] of Object.entries(checksum[layer]))
        yield { lane, layer, verdict, packets };
    }
  }
}

export interface SinkDrop {
  readonly sink: string;
  readonly reason: string;
  readonly packets: number;
}

/** Every reason that a sink may drop packets for, also those that never occurred. */
export function* sinkDrops({ report, dropReasons }: MetricsSnapshot): Generator<SinkDrop> {
  for (const { name: sink, dropped } of report.sinks) {
    const reasons = new Set([...(dropReasons.get(sink) ?? []), ...Object.keys(dropped)]);
    for (const reason of reasons) yield { sink, reason, packets: dropped[reason] ?? 0 };
  }
}

export interface StoreDeletion extends DeletedFiles {
  readonly sink: string;
}

export function* storeDeletions({ stores }: MetricsSnapshot): Generator<StoreDeletion> {
  for (const { sink, deleted } of stores) for (const files of deleted) yield { sink, ...files };
}
