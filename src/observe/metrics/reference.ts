import { metricGroups } from './groups.ts';

/** What the values of a label are. */
const labelMeanings: Readonly<Record<string, string>> = {
  reason:
    'of `filtered_packets_total`: `source`, `mirror_source`, `vni`; of faults: a name of docs/faults.md; of a sink: a drop reason of its kind; of flows: `idle`, `fin`, `rst`, `evicted`, `end`; of deleted files: `age`, `bytes`, `space`',
  where:
    'of `dropped_packets_total`: `kernel`, `worker`; of the host: `ena_bw_in`, `ena_pps`, `ena_conntrack`, `nic`, `softnet`, see operations.md; what cannot be read is left out',
  lane: 'name of the lane; at most `admission.maxLanes` and `overflow`',
  encapsulation: '`vxlan`, `geneve`, `geneve+vxlan`; `none` for `overflow`',
  vni: 'number; empty for `overflow`',
  layer: '`ip`, `transport`',
  verdict: '`valid`, `bad`, `unverifiable`; of `transport` also `partial`, `zero`',
  kind: 'of fragments: `matched`, `unmatched`, `overlapping`, `tiny`',
  up_to:
    '`1`, `2`, `4`, … `64`, `+Inf`: more than the value before and at most so many packets; each packet is counted once, unlike in a histogram',
  action:
    '`pad`, `shorten`, `pass`: settings of a sink of kind inject; what was dropped is in `sink_dropped_packets_total`',
  sink: 'name of the sink in the settings; of one that takes flow records, packets are records',
  worker: 'number of the worker, from 0',
  port: 'UDP port',
  version: 'of mirrortap',
};

/** What `config metrics` prints and docs/metrics.md holds: every metric as a Markdown table. */
export function metricsReference(): string {
  const rows = metricGroups
    .flatMap(({ metrics }) => metrics)
    .map(({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.join(', ')} | ${help} |`);
  return [
    '# Metrics',
    '',
    '`GET /metrics` answers in the text format of Prometheus. Besides the metrics below it has those of the process',
    'and of Node.js, `process_…` and `nodejs_…`. Bytes are UDP payload bytes where nothing else is said.',
    '',
    '| metric | type | labels | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    '| label | values |',
    '| --- | --- |',
    ...Object.entries(labelMeanings).map(([label, meaning]) => `| \`${label}\` | ${meaning} |`),
    '',
  ].join('\n');
}
