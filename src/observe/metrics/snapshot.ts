import type { SinkState } from '../health.ts';
import type { Report } from '../report.ts';

/** Everything that a scrape shows, read at one moment. Most of it is the report. */
export interface MetricsSnapshot {
  readonly report: Report;
  /** Version of mirrortap, as in package.json. */
  readonly version: string;
  /** True where `/readyz` says 200. */
  readonly ready: boolean;
  readonly workers: readonly WorkerState[];
  readonly receiveBuffers: readonly ReceiveBuffer[];
  /** Packets lost before any socket or ring, by place; a place that cannot be read is not there. */
  readonly hostDrops: ReadonlyMap<string, number>;
  /** Entries of `admission.expect`. */
  readonly expected: readonly ExpectedVni[];
  /** What a sample of connections said last; left out where nobody takes one. */
  readonly symmetry?: SymmetryState;
  /** As readiness gets them: a sink may be there once a worker. */
  readonly sinks: readonly SinkState[];
  /** One for each sink whose files are kept. */
  readonly stores: readonly StoreState[];
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

/** What is kept of the files of a sink, captures or flow records. Counts are since the start of the process, except `files` and `bytes`. */
export interface StoreState {
  readonly sink: string;
  /** Finished files in the folder, and their bytes as stored. */
  readonly files: number;
  readonly bytes: number;
  /** Finished captures that the index does not list yet; flow files that wait to be compressed. */
  readonly waitingFiles: number;
  /** Finished files that found no place among those, and are found by a scan later. */
  readonly overlookedFiles: number;
  readonly compressedFiles: number;
  /** Bytes of those before and after. */
  readonly compressedInputBytes: number;
  readonly compressedOutputBytes: number;
  /** Files of a crash that were finished. */
  readonly recoveredFiles: number;
  readonly deleted: readonly DeletedFiles[];
}

/** Files deleted for one reason. */
export interface DeletedFiles {
  readonly reason: string;
  readonly files: number;
  readonly bytes: number;
}

/** A minute's sample of inner connections. */
export interface SymmetryState {
  /** Connections in the sample, TCP and UDP. */
  readonly sampled: number;
  /** Those of which more than one worker has packets. */
  readonly split: number;
  /** TCP connections in the sample. */
  readonly tcp: number;
  /** Those of which packets of one direction only came. */
  readonly oneSided: number;
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
