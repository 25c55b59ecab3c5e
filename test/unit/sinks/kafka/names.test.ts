import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commonDropReasons } from '../../../../src/pipeline/sink-counters.ts';
import { kafkaCounters, kafkaDropReasons } from '../../../../src/sinks/kafka/names.ts';
import { recordDropReasons } from '../../../../src/sinks/kafka/records/record-encoder.ts';
import { sinkKindGroups } from '../../../../src/observe/metrics/sink-kind-metrics.ts';

const page = readFileSync(new URL('../../../../docs/kafka.md', import.meta.url), 'utf8');

test('every reason for which records may be dropped is one of the sink, and on the page, and no other is', () => {
  for (const reason of recordDropReasons) expect(kafkaDropReasons).toContain(reason);
  const table = page.split('## What is dropped, and why')[1]?.split('\n## ')[0] ?? '';
  const told = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, reason]) => reason);
  expect(told.toSorted()).toEqual([...kafkaDropReasons, commonDropReasons[0]].toSorted());
});

test('every counter of the sink is a metric, and on the page', () => {
  const text = sinkKindGroups.flatMap(({ metrics }) => metrics.map(({ name }) => name)).join('\n');
  for (const name of ['batches_total', 'resent_batches_total', 'recovered_records_total']) {
    expect(page).toContain(`mirrortap_kafka_${name}`);
    expect(text).toContain(`kafka_${name}`);
  }
  expect(text.match(/kafka_/g)).toHaveLength(kafkaCounters.length);
});
