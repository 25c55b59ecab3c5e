import { analysisGroups } from './analysis-metrics.ts';
import type { MetricGroup } from './exposition.ts';
import { laneGroups } from './lane-metrics.ts';
import { ledgerGroups } from './ledger-metrics.ts';
import { processGroups } from './process-metrics.ts';
import { sinkGroups } from './sink-metrics.ts';
import { storeGroups } from './store-metrics.ts';

/**
 * All metrics of mirrortap, in the order in which they are scraped and printed as docs/metrics.md. A new one is one line in
 * the list of what it is counted for: the whole ledger, lanes, analysis, sinks, stores, the process.
 */
export const metricGroups: readonly MetricGroup[] = [
  ...ledgerGroups,
  ...laneGroups,
  ...analysisGroups,
  ...sinkGroups,
  ...storeGroups,
  ...processGroups,
];
