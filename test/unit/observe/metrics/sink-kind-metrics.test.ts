import { expect, test } from 'vitest';
import type { MetricsSnapshot } from '../../../../src/observe/metrics/snapshot.ts';
import {
  kindMetricBy,
  kindMetrics,
  sinkKindGroups,
} from '../../../../src/observe/metrics/sink-kind-metrics.ts';
import { reportText } from '../../../../src/observe/report-text.ts';
import { sampleReport } from '../../../support/sample-report.ts';

const [files] = sampleReport().sinks;
if (files === undefined) throw new Error('the sample has a sink');
const tap = { ...files, name: 'tap', kind: 'inject', counters: { padded: 5, shortened: 2, passed: 0 } };
const report = { ...sampleReport(), sinks: [files, tap, { ...tap, name: 'other' }] };
const snapshot: MetricsSnapshot = {
  report,
  version: '1.0.0',
  ready: true,
  workers: [],
  receiveBuffers: [],
  hostDrops: new Map(),
  expected: [],
  sinks: [],
  stores: [],
  dropReasons: new Map(),
};

test('a kind has samples of its own sinks alone', () => {
  const { render } = kindMetrics('inject', [['tap_padded_total', 'Padded.', 'padded']]);
  expect(render(snapshot)).toBe(
    '# HELP mirrortap_tap_padded_total Padded.\n# TYPE mirrortap_tap_padded_total counter\n' +
      'mirrortap_tap_padded_total{sink="tap"} 5\nmirrortap_tap_padded_total{sink="other"} 5\n',
  );
});

test('counters as values of one label', () => {
  const group = kindMetricBy('inject', ['tap_cut_total', 'Cut.'], 'action', {
    pad: 'padded',
    pass: 'passed',
  });
  expect(group.metrics[0]?.labels).toEqual(['sink', 'action']);
  expect(group.render(snapshot).split('\n').slice(2, 4)).toEqual([
    'mirrortap_tap_cut_total{sink="tap",action="pad"} 5',
    'mirrortap_tap_cut_total{sink="tap",action="pass"} 0',
  ]);
});

test('what inject counts of cut packets is a metric', () => {
  const text = sinkKindGroups.map(({ render }) => render(snapshot)).join('');
  expect(text).toContain('mirrortap_inject_cut_packets_total{sink="tap",action="pad"} 5\n');
  expect(text).toContain('mirrortap_inject_cut_packets_total{sink="tap",action="shorten"} 2\n');
});

test('the text of the report tells what is not 0, under the table of sinks', () => {
  expect(reportText(report)).toContain('\n  tap: 5 padded, 2 shortened\n');
  expect(reportText({ ...report, sinks: [files] })).not.toContain('padded');
});
