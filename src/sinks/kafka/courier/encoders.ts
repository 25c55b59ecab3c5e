import { MirrorError } from '../../../observe/error.ts';
import type { Log } from '../../../observe/log.ts';
import type { RecordEncoder } from '../records/record-encoder.ts';
import { Backoff } from './backoff.ts';
import type { Connection } from './connection.ts';
import type { EncoderMaker } from './make-encoder.ts';

/** The same is said again after so long. */
const SAY_INTERVAL_MS = 60_000;

export interface EncodersOptions {
  readonly connection: Pick<Connection, 'batchBytes'>;
  readonly makeEncoder: EncoderMaker;
  readonly retryMaxMs: number;
  /** The user's name for the sink. */
  readonly sink: string;
  readonly log: Log;
  readonly now: () => number;
}

/** The encoder of a line, made anew where topics take smaller batches; what it needs (a schema registry) is waited for. */
export class Encoders {
  readonly #options: EncodersOptions;
  readonly #backoff: Backoff;
  readonly #ending = new AbortController();
  #encoder: RecordEncoder | undefined;
  #batchBytes = 0;
  #tries = 0;
  #saidMs = -Infinity;
  #saidText = '';

  constructor(options: EncodersOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.retryMaxMs);
  }

  /** An encoder whose batches all of these topics take; undefined where `end` came before there was one. */
  async encoder(topics: Iterable<string>): Promise<RecordEncoder | undefined> {
    const { connection, makeEncoder } = this.#options;
    const { signal } = this.#ending;
    const batchBytes = connection.batchBytes(topics);
    while (this.#encoder === undefined || batchBytes < this.#batchBytes) {
      if (signal.aborted) return undefined;
      try {
        this.#encoder = await makeEncoder(batchBytes, signal);
        this.#batchBytes = batchBytes;
        this.#works();
      } catch (error) {
        if (!(error instanceof MirrorError)) throw error;
        if (!signal.aborted) this.#failed(error);
        await this.#backoff.wait();
      }
    }
    return this.#encoder;
  }

  /** Ends all waiting. */
  end(): void {
    this.#ending.abort();
    this.#backoff.end();
  }

  #failed(error: MirrorError): void {
    const { sink, log, now } = this.#options;
    this.#tries++;
    const nowMs = now();
    if (error.message === this.#saidText && nowMs - this.#saidMs < SAY_INTERVAL_MS) return;
    this.#saidMs = nowMs;
    this.#saidText = error.message;
    log.error({ sink, times: this.#tries, error }, 'Flow records cannot be encoded; they wait.');
  }

  #works(): void {
    if (this.#tries === 0) return;
    const { sink, log } = this.#options;
    log.info({ sink, times: this.#tries }, 'Flow records can be encoded again.');
    this.#tries = 0;
    this.#saidMs = -Infinity;
  }
}
