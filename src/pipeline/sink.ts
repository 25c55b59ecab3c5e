import type { Log } from '../observe/log.ts';
import type { FrameCompleter } from '../packet/frame-completer.ts';
import type { LaneReader } from '../packet/lane.ts';
import type { PacketBatch } from '../packet/batch.ts';
import type { ChannelMemory } from './channel/channel-memory.ts';
import type { FinishedFile } from './finished-file.ts';
import type { SinkCounters } from './sink-counters.ts';

/** Where packets go: a file, a topic, a socket. One instance serves one configured sink in one worker. */
export interface Sink {
  /** Opens files and connections. Called once, before the first `write`. Rejects with a `MirrorError`. */
  open(): Promise<void>;

  /**
   * Takes one batch. The batch and its bytes belong to the sink until the promise settles, and are reused
   * after that: copy what must live longer. A rejection means that none of the batch was taken: the caller
   * counts it as dropped. Otherwise the sink counts each delivered packet itself, sooner or later, exactly
   * once: written, filtered or dropped with a reason. Never called again before the last promise settled.
   */
  write(batch: PacketBatch): Promise<void>;

  /**
   * Told of a batch that never reaches `write` because the queue before the sink was full, so that what was missed
   * can be said where it is missing. The batch is the caller's again when this returns; it is counted already.
   */
  missed?(batch: PacketBatch): void;

  /** Makes everything accepted so far durable, as far as this kind of sink can. */
  flush(): Promise<void>;

  /** Flushes and frees everything. Called once, also after a failed `open`. */
  close(): Promise<void>;
}

/** What a sink is given when it is made. */
export interface SinkContext {
  /** The user's name for this sink. */
  readonly name: string;
  /** 0 .. workers - 1; part of the names of live files. */
  readonly worker: number;
  readonly lanes: LaneReader;
  readonly counters: SinkCounters;
  readonly log: Log;
  /** Milliseconds since the epoch; a test hands in its own. */
  readonly now: () => number;
  /** Told of each file that a sink has finished. */
  readonly onFile?: (file: FinishedFile) => void;
  /** How many files the sink may have open at a time; as many as it likes where nothing is said. */
  readonly openFiles?: number;
  /** The way to the thread that does the rest, for a kind that has one. */
  readonly channel?: ChannelMemory;
  /** Packets of a TCP stream come in the order of their sequence numbers, not as they arrived: files say so. */
  readonly ordered?: boolean;
  /** It takes the place of one that was open once: what is away now may come back, and is no reason not to begin. */
  readonly restarted?: boolean;
  /** For a kind that makes whole packets of those that were cut; each sink has its own. */
  readonly completer?: FrameCompleter;
  /** Has old files of the sink deleted as its settings ask for; settles when that is done, or nothing is left. */
  readonly makeRoom?: () => Promise<void>;
}

/** How much may wait between a worker and the thread that does the rest. */
export interface ChannelSize {
  readonly bytes: number;
  readonly records: number;
}

/** What a kind of sink may have that needs a thread of its own beside each worker, or more than one thing to take. */
export interface SinkKindTraits {
  /** It writes to another machine: a failure would be every instance's at once. */
  readonly remote?: boolean;
  /** Whether a sink with these settings takes what this entry of the registry is for; it does where nothing is said. */
  readonly isWanted?: (settings: Readonly<Record<string, unknown>>) => boolean;
  /** The worker's half only fills a channel of this size; another thread empties it. */
  readonly channel?: (settings: Readonly<Record<string, unknown>>) => ChannelSize;
}

/**
 * One kind of sink, as the registry lists it: its name and how to make one. Its settings are listed apart: who receives
 * has no need of the schema library, which is most of what a thread would load.
 */
export interface SinkKind extends SinkKindTraits {
  readonly kind: string;
  /** Names of the reasons for which this kind drops packets, besides those every sink has. */
  readonly dropReasons: readonly string[];
  /** Names of what this kind counts besides its ledger, in `SinkCounters`; the report tells them as they are. */
  readonly counters?: readonly string[];
  /** @param settings checked against the schema of the kind, and filled */
  create(settings: Readonly<Record<string, unknown>>, context: SinkContext): Sink;
}
