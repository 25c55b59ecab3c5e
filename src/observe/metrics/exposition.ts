/**
 * Metrics as the text that Prometheus reads (exposition format 0.0.4).
 *
 * The families of mirrortap are written here straight from a snapshot: 4,096 lanes are 60,000 samples, which take
 * prom-client's registry 140 to 310 ms of the main thread at every scrape and this writer 50 to 80 ms.
 */
import type { MetricsSnapshot } from './snapshot.ts';

/** Names of all our metrics begin so. */
const PREFIX = 'mirrortap_';

/** Name without prefix (a counter's ends in `_total`), help without backslash or line break, value for one thing. */
export type Row<Thing> = readonly [name: string, help: string, value: (thing: Thing) => number];

/** Label names, and what each says of one thing. */
export type Labels<Thing> = Readonly<Record<string, (thing: Thing) => string | number>>;

export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
}

/** Metrics with the same labels: each has one sample for each of the things that there are. */
export interface MetricGroup {
  readonly metrics: readonly Metric[];
  /** All metrics of the group as text, each with its help and type. */
  readonly render: (snapshot: MetricsSnapshot) => string;
}

/** @param things what the metrics of `rows` have a sample for */
export function metricGroup<Thing>(
  things: (snapshot: MetricsSnapshot) => Iterable<Thing>,
  labels: Labels<Thing>,
  rows: readonly Row<Thing>[],
): MetricGroup {
  const metrics = rows.map(([suffix, help]) => describe(suffix, help, Object.keys(labels)));
  const heads = metrics.map(({ name, type, help }) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
  const starts = rows.map(([suffix, , value], i) => ({ i, start: PREFIX + suffix, value }));

  const render = (snapshot: MetricsSnapshot): string => {
    const texts = [...heads];
    for (const thing of things(snapshot)) {
      const text = labelText(labels, thing);
      for (const { i, start, value } of starts) texts[i] += `${start}${text} ${value(thing)}\n`;
    }
    return texts.join('');
  };
  return { metrics, render };
}

/** A number of packets or flows, and the value of the label they are counted by. */
export type Count = readonly [by: string, count: number];

/** One metric with one label, that says which of the counts a sample is. */
export function counted(
  name: string,
  help: string,
  label: string,
  counts: (snapshot: MetricsSnapshot) => Iterable<Count>,
): MetricGroup {
  return metricGroup<Count>(counts, { [label]: ([by]) => by }, [[name, help, ([, count]) => count]]);
}

function describe(suffix: string, help: string, labels: readonly string[]): Metric {
  return { name: PREFIX + suffix, type: suffix.endsWith('_total') ? 'counter' : 'gauge', help, labels };
}

function labelText<Thing>(labels: Labels<Thing>, thing: Thing): string {
  let text = '';
  for (const name in labels)
    text += `${text === '' ? '{' : ','}${name}="${escaped(labels[name]?.(thing) ?? '')}"`;
  return text === '' ? '' : `${text}}`;
}

function escaped(labelValue: string | number): string {
  if (typeof labelValue === 'number' || !/[\\"\n]/.test(labelValue)) return String(labelValue);
  return labelValue.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
