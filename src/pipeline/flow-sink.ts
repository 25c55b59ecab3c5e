import type { FlowRecord } from '../packet/flow-record.ts';
import type { Log } from '../observe/log.ts';
import type { ChannelMemory } from './channel/channel-memory.ts';
import type { SinkKindTraits } from './sink.ts';
import type { SinkCounters } from './sink-counters.ts';

/** Where flow records go. One instance serves one configured sink in one worker. Its ledger counts records. */
export interface FlowSink {
  /** Called once, before the first record. Rejects with a `MirrorError`. */
  open(): Promise<void>;

  /**
   * Takes one record, which is the caller's again when this returns. Never throws: what it cannot keep it counts as
   * dropped. The caller has counted it as delivered.
   */
  record(record: FlowRecord): void;

  /** Settles once there is room again; at once where there is. Who can wait does, and loses nothing. Never rejects. */
  ready(): Promise<void>;

  /** Makes everything taken so far durable. Rejects with a `MirrorError` where the sink is one that must not fail. */
  flush(): Promise<void>;

  /** Flushes and frees everything. Called once, also after a failed `open`. */
  close(): Promise<void>;
}

/** What a flow sink is given when it is made. */
export interface FlowSinkContext {
  /** The user's name for this sink. */
  readonly name: string;
  /** 0 .. workers - 1; part of the names of files. */
  readonly worker: number;
  readonly counters: SinkCounters;
  readonly log: Log;
  /** Milliseconds since the epoch; a test hands in its own. */
  readonly now: () => number;
  /** `observer.name` of the records: this host. */
  readonly observer: string;
  /** The way to the thread that does the rest, for a kind that has one. */
  readonly channel?: ChannelMemory;
  /** Told of each file that came to be, or is gone. */
  readonly onFile?: (news: FlowFileNews) => void;
}

/** What became of a file of flow records. */
export interface FlowFileNews {
  /** `recovered`: it was left by a worker that has ended, and was finished; `deleted`: it was too old or too much. */
  readonly event: 'finished' | 'recovered' | 'deleted';
  /** Relative to the folder of its sink. */
  readonly path: string;
  readonly bytes: number;
  /** Which limit it was deleted for. */
  readonly reason?: string;
}

/** One kind of flow sink, as the registry lists it. */
export interface FlowSinkKind extends SinkKindTraits {
  readonly kind: string;
  /** Names of the reasons for which this kind drops records, besides those every sink has. */
  readonly dropReasons: readonly string[];
  /** Names of what this kind counts besides its ledger, in `SinkCounters`; the report tells them as they are. */
  readonly counters?: readonly string[];
  /** @param settings checked against the schema of the kind, and filled */
  create(settings: Readonly<Record<string, unknown>>, context: FlowSinkContext): FlowSink;
}
