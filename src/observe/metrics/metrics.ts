import { collectDefaultMetrics, Registry } from 'prom-client';
import { metricGroups } from './groups.ts';
import type { MetricsSnapshot, MetricsSource } from './snapshot.ts';

export interface Metrics {
  /** Everything as Prometheus text. Scrapes at the same time share one answer. */
  render(): Promise<string>;
  readonly contentType: string;
}

const LOOP_DELAY_MS = 500;

/** The metrics of the process and of what `source` counts. */
export function createMetrics(source: MetricsSource): Metrics {
  const registry = new Registry();
  // it looks at the event loop's delay so often: its default is a hundred times a second
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_DELAY_MS });
  removeMisnamed(registry);

  let running: Promise<string> | undefined;
  const render = async (): Promise<string> => renderGroups(source.snapshot()) + (await registry.metrics());
  const shared = (): Promise<string> => {
    running ??= render().finally(() => {
      running = undefined;
    });
    return running;
  };
  return { contentType: registry.contentType, render: shared };
}

function renderGroups(snapshot: MetricsSnapshot): string {
  return metricGroups.map(({ render }) => render(snapshot)).join('');
}

/** Gauges that the library calls `…_total`, the ending that is kept for counters; they say the same by type. */
function removeMisnamed(registry: Registry): void {
  for (const { name } of registry.getMetricsAsArray()) {
    if (name.startsWith('nodejs_active_') && name.endsWith('_total')) registry.removeSingleMetric(name);
  }
}
