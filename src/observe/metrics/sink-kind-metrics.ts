import { metricGroup, type MetricGroup, type Row } from './exposition.ts';
import type { MetricsSnapshot } from './snapshot.ts';

// What one kind of sink counts besides its ledger: the counters of that kind, under names of the outside. A new metric
// is one line in a list below.

/** One sink, with the counters of its kind. */
interface CountedSink {
  readonly name: string;
  readonly counters: Readonly<Record<string, number>>;
}

/** The sinks of one kind. */
function* sinksOf({ report }: MetricsSnapshot, wanted: string): Generator<CountedSink> {
  for (const { kind, name, counters = {} } of report.sinks) if (kind === wanted) yield { name, counters };
}

/** @param metrics name, help, and the counter of the kind that it shows */
export function kindMetrics(
  kind: string,
  metrics: readonly (readonly [name: string, help: string, counter: string])[],
): MetricGroup {
  const rows = metrics.map(
    ([name, help, counter]): Row<CountedSink> => [name, help, ({ counters }) => counters[counter] ?? 0],
  );
  return metricGroup((snapshot) => sinksOf(snapshot, kind), { sink: ({ name }) => name }, rows);
}

/**
 * One metric with a further label.
 *
 * @param counterOf the counter of the kind for each value of the label
 */
export function kindMetricBy(
  kind: string,
  [name, help]: readonly [name: string, help: string],
  label: string,
  counterOf: Readonly<Record<string, string>>,
): MetricGroup {
  type Labelled = CountedSink & { readonly value: string; readonly counter: string };
  function* things(snapshot: MetricsSnapshot): Generator<Labelled> {
    for (const sink of sinksOf(snapshot, kind))
      for (const [value, counter] of Object.entries(counterOf)) yield { ...sink, value, counter };
  }
  return metricGroup(things, { sink: (sink) => sink.name, [label]: ({ value }) => value }, [
    [name, help, ({ counters, counter }) => counters[counter] ?? 0],
  ]);
}

export const sinkKindGroups: readonly MetricGroup[] = [
  kindMetricBy(
    'inject',
    [
      'inject_cut_packets_total',
      'Packets that were cut, or longer than the interface takes, by what became of them.',
    ],
    'action',
    { pad: 'padded', shorten: 'shortened', pass: 'passed' },
  ),
  kindMetrics('kafka', [
    ['kafka_batches_total', 'Batches of records that brokers took.', 'batches'],
    ['kafka_resent_batches_total', 'Batches of records that were sent again.', 'resentBatches'],
    ['kafka_recovered_records_total', 'Records that an earlier run left in the spool.', 'recovered'],
    ['kafka_spool_records', 'Records that wait on disk.', 'spoolRecords'],
    ['kafka_spool_bytes', 'Bytes that wait on disk.', 'spoolBytes'],
    ['kafka_connected_workers', 'Workers whose brokers answer.', 'connected'],
  ]),
];
