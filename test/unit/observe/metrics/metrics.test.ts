import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { SinkState } from '../../../../src/observe/health.ts';
import { createMetrics } from '../../../../src/observe/metrics/metrics.ts';
import { metricsReference } from '../../../../src/observe/metrics/reference.ts';
import type { MetricsSnapshot } from '../../../../src/observe/metrics/snapshot.ts';
import { faultNames } from '../../../../src/wire/fault.ts';
import { requires } from '../../../support/requires.ts';
import { sampleLane, sampleReport } from '../../../support/sample-report.ts';

const PROMTOOL = 'promtool';

const accepting: SinkState = { name: 'captures', remote: false, failingSinceMs: 0, reason: undefined };

function snapshot(changed: Partial<MetricsSnapshot> = {}): MetricsSnapshot {
  return {
    report: sampleReport(),
    version: '0.1.0',
    ready: true,
    workers: [
      { worker: 0, up: true, restarts: 0 },
      { worker: 1, up: false, restarts: 3 },
    ],
    receiveBuffers: [{ worker: 0, port: 4789, bytes: 425_984 }],
    hostDrops: new Map([
      ['nic', 5],
      ['ena_pps', 0],
    ]),
    expected: [
      { vni: 42, silent: false },
      { vni: 43, silent: true },
    ],
    symmetry: { sampled: 900, split: 4, tcp: 700, oneSided: 30 },
    sinks: [accepting, { ...accepting, failingSinceMs: 5 }, { ...accepting, name: 'bus' }],
    stores: [
      {
        sink: 'captures',
        files: 7,
        bytes: 7000,
        waitingFiles: 1,
        overlookedFiles: 2,
        compressedFiles: 3,
        compressedInputBytes: 9000,
        compressedOutputBytes: 3000,
        recoveredFiles: 4,
        deleted: [{ reason: 'age', files: 5, bytes: 500 }],
      },
    ],
    dropReasons: new Map([['captures', ['queueFull', 'writeFailed']]]),
    ...changed,
  };
}

/** Samples by name and labels, as Prometheus would keep them. */
async function scrape(changed: Partial<MetricsSnapshot> = {}): Promise<ReadonlyMap<string, string>> {
  const text = await createMetrics({ snapshot: () => snapshot(changed) }).render();
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]),
  );
}

test('every sample of mirrortap, as a table', async () => {
  const samples = [...(await scrape())].filter(([name]) => name.startsWith('mirrortap_'));
  expect(`\n${samples.map(([name, value]) => `${name} ${value}`).join('\n')}\n`).toMatchInlineSnapshot(`
    "
    mirrortap_received_packets_total 120
    mirrortap_received_bytes_total 30000
    mirrortap_delivered_packets_total 98
    mirrortap_delivered_bytes_total 24500
    mirrortap_not_tunnel_packets_total 5
    mirrortap_not_tunnel_bytes_total 1250
    mirrortap_filtered_bytes_total 1500
    mirrortap_duplicate_packets_total 2
    mirrortap_duplicate_bytes_total 500
    mirrortap_held_packets 4
    mirrortap_held_bytes 1000
    mirrortap_dropped_bytes_total 250
    mirrortap_reserved_field_packets_total 7
    mirrortap_misrouted_packets_total 2
    mirrortap_lanes 1
    mirrortap_lanes_closed_total 1
    mirrortap_lanes_closed_tcp_flows_total 3
    mirrortap_lanes_closed_one_sided_tcp_flows_total 1
    mirrortap_lanes_closed_acknowledged_bytes_total 70
    mirrortap_lanes_closed_unseen_bytes_total 20
    mirrortap_ready 1
    mirrortap_filtered_packets_total{reason="source"} 1
    mirrortap_filtered_packets_total{reason="mirror_source"} 2
    mirrortap_filtered_packets_total{reason="vni"} 3
    mirrortap_faults_total{reason="udpTruncated"} 0
    mirrortap_faults_total{reason="udpLength"} 0
    mirrortap_faults_total{reason="outerFragment"} 0
    mirrortap_faults_total{reason="vxlanTruncated"} 0
    mirrortap_faults_total{reason="vxlanNoVni"} 3
    mirrortap_faults_total{reason="geneveTruncated"} 0
    mirrortap_faults_total{reason="geneveVersion"} 1
    mirrortap_faults_total{reason="geneveCritical"} 0
    mirrortap_faults_total{reason="geneveOption"} 0
    mirrortap_faults_total{reason="geneveControl"} 0
    mirrortap_faults_total{reason="geneveProtocol"} 0
    mirrortap_fault_bytes_total{reason="udpTruncated"} 0
    mirrortap_fault_bytes_total{reason="udpLength"} 0
    mirrortap_fault_bytes_total{reason="outerFragment"} 0
    mirrortap_fault_bytes_total{reason="vxlanTruncated"} 0
    mirrortap_fault_bytes_total{reason="vxlanNoVni"} 750
    mirrortap_fault_bytes_total{reason="geneveTruncated"} 0
    mirrortap_fault_bytes_total{reason="geneveVersion"} 250
    mirrortap_fault_bytes_total{reason="geneveCritical"} 0
    mirrortap_fault_bytes_total{reason="geneveOption"} 0
    mirrortap_fault_bytes_total{reason="geneveControl"} 0
    mirrortap_fault_bytes_total{reason="geneveProtocol"} 0
    mirrortap_dropped_packets_total{where="kernel"} 11
    mirrortap_dropped_packets_total{where="worker"} 1
    mirrortap_host_dropped_packets_total{where="nic"} 5
    mirrortap_host_dropped_packets_total{where="ena_pps"} 0
    mirrortap_lane_packets_total{lane="vni-42",encapsulation="vxlan",vni="42"} 98
    mirrortap_lane_bytes_total{lane="vni-42"} 20500
    mirrortap_lane_wire_bytes_total{lane="vni-42"} 21100
    mirrortap_lane_truncated_packets_total{lane="vni-42"} 3
    mirrortap_lane_snapped_packets_total{lane="vni-42"} 1
    mirrortap_lane_reordered_packets_total{lane="vni-42"} 2
    mirrortap_lane_last_packet_timestamp_seconds{lane="vni-42"} 1561629605.25
    mirrortap_lane_checksum_packets_total{lane="vni-42",layer="ip",verdict="valid"} 97
    mirrortap_lane_checksum_packets_total{lane="vni-42",layer="ip",verdict="bad"} 1
    mirrortap_lane_checksum_packets_total{lane="vni-42",layer="ip",verdict="unverifiable"} 0
    mirrortap_lane_checksum_packets_total{lane="vni-42",layer="transport",verdict="valid"} 80
    mirrortap_lane_checksum_packets_total{lane="vni-42",layer="transport",verdict="partial"} 10
    mirrortap_lane_checksum_packets_total{lane="vni-42",layer="transport",verdict="zero"} 2
    mirrortap_lane_checksum_packets_total{lane="vni-42",layer="transport",verdict="bad"} 1
    mirrortap_lane_checksum_packets_total{lane="vni-42",layer="transport",verdict="unverifiable"} 5
    mirrortap_lane_silent{vni="42"} 0
    mirrortap_lane_silent{vni="43"} 1
    mirrortap_flows_opened_total 61
    mirrortap_flows_active 6
    mirrortap_flow_records_total 70
    mirrortap_flowless_packets_total 9
    mirrortap_flow_names_dropped_total 8
    mirrortap_flow_name_bytes 4096
    mirrortap_flow_gaps_forgotten_total 7
    mirrortap_flows_ended_total{reason="idle"} 30
    mirrortap_flows_ended_total{reason="fin"} 15
    mirrortap_flows_ended_total{reason="rst"} 5
    mirrortap_flows_ended_total{reason="evicted"} 1
    mirrortap_flows_ended_total{reason="end"} 4
    mirrortap_fragment_packets_total 20
    mirrortap_fragments_forgotten_packets_total 14
    mirrortap_fragment_findings_total{kind="matched"} 10
    mirrortap_fragment_findings_total{kind="unmatched"} 11
    mirrortap_fragment_findings_total{kind="overlapping"} 12
    mirrortap_fragment_findings_total{kind="tiny"} 13
    mirrortap_nested_packets_total 21
    mirrortap_nested_too_deep_packets_total 2
    mirrortap_duplicates_found_packets_total 23
    mirrortap_duplicates_forgotten_packets_total 3
    mirrortap_resequencer_reordered_packets_total{up_to="1"} 0
    mirrortap_resequencer_reordered_packets_total{up_to="2"} 1
    mirrortap_resequencer_reordered_packets_total{up_to="4"} 2
    mirrortap_resequencer_reordered_packets_total{up_to="8"} 3
    mirrortap_resequencer_reordered_packets_total{up_to="16"} 4
    mirrortap_resequencer_reordered_packets_total{up_to="32"} 5
    mirrortap_resequencer_reordered_packets_total{up_to="64"} 6
    mirrortap_resequencer_reordered_packets_total{up_to="+Inf"} 7
    mirrortap_resequencer_late_packets_total 16
    mirrortap_resequencer_gaps_total 17
    mirrortap_resequencer_released_early_packets_total 18
    mirrortap_resequencer_evicted_streams_total 22
    mirrortap_resequencer_held_packets 19
    mirrortap_resequencer_held_bytes 1900
    mirrortap_lane_late_packets_total{lane="vni-42"} 1
    mirrortap_lane_sequence_gaps_total{lane="vni-42"} 3
    mirrortap_lane_duplicate_packets_total{lane="vni-42"} 4
    mirrortap_lane_tcp_flows_total{lane="vni-42"} 40
    mirrortap_lane_one_sided_tcp_flows_total{lane="vni-42"} 3
    mirrortap_lane_acknowledged_bytes_total{lane="vni-42"} 1234567
    mirrortap_lane_unseen_bytes_total{lane="vni-42"} 1481
    mirrortap_sink_up{sink="captures"} 0
    mirrortap_sink_up{sink="bus"} 1
    mirrortap_sink_delivered_packets_total{sink="captures"} 98
    mirrortap_sink_written_packets_total{sink="captures"} 90
    mirrortap_sink_filtered_packets_total{sink="captures"} 1
    mirrortap_sink_pending_packets{sink="captures"} 3
    mirrortap_sink_pending_bytes{sink="captures"} 300
    mirrortap_sink_dropped_packets_total{sink="captures",reason="queueFull"} 4
    mirrortap_sink_dropped_packets_total{sink="captures",reason="writeFailed"} 0
    mirrortap_store_files{sink="captures"} 7
    mirrortap_store_bytes{sink="captures"} 7000
    mirrortap_store_waiting_files{sink="captures"} 1
    mirrortap_store_overlooked_files_total{sink="captures"} 2
    mirrortap_store_compressed_files_total{sink="captures"} 3
    mirrortap_store_compressed_input_bytes_total{sink="captures"} 9000
    mirrortap_store_compressed_output_bytes_total{sink="captures"} 3000
    mirrortap_store_recovered_files_total{sink="captures"} 4
    mirrortap_store_deleted_files_total{sink="captures",reason="age"} 5
    mirrortap_store_deleted_bytes_total{sink="captures",reason="age"} 500
    mirrortap_worker_up{worker="0"} 1
    mirrortap_worker_up{worker="1"} 0
    mirrortap_worker_restarts_total{worker="0"} 0
    mirrortap_worker_restarts_total{worker="1"} 3
    mirrortap_receive_buffer_bytes{worker="0",port="4789"} 425984
    mirrortap_symmetry_sampled_connections 900
    mirrortap_symmetry_split_connections 4
    mirrortap_symmetry_sampled_tcp_connections 700
    mirrortap_symmetry_one_sided_tcp_connections 30
    mirrortap_build_info{version="0.1.0"} 1
    "
  `);
});

test('faults are there at 0, in packets and bytes', async () => {
  const samples = await scrape();
  for (const name of faultNames.slice(1)) {
    expect(samples.get(`mirrortap_faults_total{reason="${name}"}`)).toMatch(/^\d+$/);
    expect(samples.get(`mirrortap_fault_bytes_total{reason="${name}"}`)).toMatch(/^\d+$/);
  }
  expect([...samples.keys()].some((key) => key.includes('"none"'))).toBe(false);
});

test('the buckets of a scrape add up', async () => {
  const samples = await scrape();
  const sum = (pattern: RegExp): number =>
    [...samples]
      .filter(([name]) => pattern.test(name))
      .reduce((total, [, value]) => total + Number(value), 0);
  const buckets =
    '(delivered_packets|not_tunnel_packets|filtered_packets|faults|duplicate_packets)_total|held_packets$';
  expect(sum(/^mirrortap_received_packets_total$/)).toBe(
    sum(new RegExp(`^mirrortap_(${buckets})`)) + sum(/^mirrortap_dropped_packets_total\{where="worker"\}$/),
  );
});

test('label values cannot break out of their quotes', async () => {
  const report = sampleReport([{ ...sampleLane(1), name: 'a"b\\c\nd' }]);
  const samples = await scrape({ report });
  expect(samples.get('mirrortap_lane_bytes_total{lane="a\\"b\\\\c\\nd"}')).toBe('20500');
});

test('the overflow lane has no VNI', async () => {
  const report = sampleReport([{ ...sampleLane(1), name: 'overflow', encapsulation: 'none', vni: null }]);
  const samples = await scrape({ report });
  expect(samples.get('mirrortap_lane_packets_total{lane="overflow",encapsulation="none",vni=""}')).toBe('98');
});

test('scrapes at the same time share one reading, later ones read anew', async () => {
  let readings = 0;
  const metrics = createMetrics({ snapshot: () => snapshot({ version: String(readings++) }) });
  const [first, second] = await Promise.all([metrics.render(), metrics.render()]);
  expect(first).toBe(second);
  expect(await metrics.render()).toContain('mirrortap_build_info{version="1"} 1');
});

test('a reading that fails does not stop later ones', async () => {
  let fails = true;
  const metrics = createMetrics({
    snapshot: () => {
      if (fails) throw new Error('not yet');
      return snapshot();
    },
  });
  await expect(metrics.render()).rejects.toThrow('not yet');
  fails = false;
  expect(await metrics.render()).toContain('mirrortap_ready 1');
});

test('4,096 lanes are all there, each sample once', async () => {
  const lanes = Array.from({ length: 4096 }, (_, vni) => sampleLane(vni));
  const text = await createMetrics({ snapshot: () => snapshot({ report: sampleReport(lanes) }) }).render();
  const samples = text
    .split('\n')
    .filter((line) => line.startsWith('mirrortap_lane_') && !line.includes('_silent'));
  expect(new Set(samples.map((line) => line.slice(0, line.lastIndexOf(' ')))).size).toBe(samples.length);
  expect(samples.length).toBe(4096 * 22);
});

test.skipIf(!requires(PROMTOOL))('promtool finds nothing wrong', async () => {
  const metrics = createMetrics({ snapshot: () => snapshot() });
  const { status, stdout, stderr } = spawnSync(PROMTOOL, ['check', 'metrics'], {
    input: await metrics.render(),
    encoding: 'utf8',
  });
  expect([status, stdout, stderr]).toEqual([0, '', '']);
  expect(metrics.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
});

test('docs/metrics.md is what `config metrics` prints, and tells every label', async () => {
  const reference = metricsReference();
  expect(readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8')).toBe(reference);
  for (const key of (await scrape()).keys()) {
    if (!key.startsWith('mirrortap_')) continue;
    const [name = '', labels = ''] = key.split('{');
    expect(reference).toContain(`| \`${name}\` |`);
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) expect(reference).toContain(`| \`${label}\` |`);
  }
});
