import type { SinkState } from './health.ts';
import type { Report } from './report.ts';

/** Everything that a scrape shows, read at one moment. Most of it is the report. */
export interface MetricsSnapshot {
  readonly report: Report;
  /** Version of mirrortap, as in package.json. */
  readonly version: string;
  /** True where `/readyz` says 200. */
  readonly ready: boolean;
  readonly workers: readonly WorkerState[];
  readonly receiveBuffers: readonly ReceiveBuffer[];
  /** Entries of `admission.expect`. */
  readonly expected: readonly ExpectedVni[];
  /** As readiness gets them: a sink may be there once a worker. */
  readonly sinks: readonly SinkState[];
  /** By name of the sink, every reason that it may drop packets for (`SinkCounters.reasons`). */
  readonly dropReasons: ReadonlyMap<string, readonly string[]>;
}

export interface WorkerState {
  /** 0 .. workers - 1. */
  readonly worker: number;
  /** True while its input is open. */
  readonly up: boolean;
  readonly restarts: number;
}

/** What the kernel granted one socket. */
export interface ReceiveBuffer {
  readonly worker: number;
  /** UDP port that the socket is bound to. */
  readonly port: number;
  readonly bytes: number;
}

export interface ExpectedVni {
  readonly vni: number;
  /** True once nothing came for the seconds that the setting gives. */
  readonly silent: boolean;
}

/** What `app` implements by reading the counters. */
export interface MetricsSource {
  snapshot(): MetricsSnapshot;
}
