import { type ErrorCode, MirrorError } from '../../../observe/error.ts';
import type { Log } from '../../../observe/log.ts';
import type { KafkaFailure } from '../client.ts';

/** The same is said again after so long. */
const SAY_INTERVAL_MS = 60_000;

interface Said {
  readonly topic: string | undefined;
  readonly sinceMs: number;
  saidMs: number;
  times: number;
}

/** What the log says of brokers that fail or refuse: once when it begins, then now and then with how often it was. */
export class Complaints {
  readonly #log: Log;
  readonly #sink: string;
  readonly #now: () => number;
  readonly #said = new Map<string, Said>();

  constructor(log: Log, sink: string, now: () => number) {
    this.#log = log;
    this.#sink = sink;
    this.#now = now;
  }

  /** Brokers cannot be reached or cannot take records at present: nothing is lost, it is tried again. */
  failing(failure: KafkaFailure, topic: string | undefined): void {
    this.#say(
      'KAFKA_UNAVAILABLE',
      'Kafka does not take records at present; they wait.',
      failure,
      topic,
      'warn',
    );
  }

  /** Records were refused for good. */
  refused(failure: KafkaFailure, topic: string, records: number): void {
    this.#say('KAFKA_REFUSED', 'Kafka refused records; they are dropped.', failure, topic, 'error', records);
  }

  /** Brokers answer, and these topics take records. */
  works(topics: ReadonlySet<string>): void {
    if (this.#said.size === 0) return;
    let sinceMs = Infinity;
    for (const [key, said] of this.#said) {
      if (said.topic !== undefined && !topics.has(said.topic)) continue;
      sinceMs = Math.min(sinceMs, said.sinceMs);
      this.#said.delete(key);
    }
    if (sinceMs === Infinity) return;
    const seconds = Math.round((this.#now() - sinceMs) / 1000);
    this.#log.info({ sink: this.#sink, seconds }, 'Kafka takes records again.');
  }

  #say(
    code: ErrorCode,
    message: string,
    { reason, message: cause, broker }: KafkaFailure,
    topic: string | undefined,
    level: 'warn' | 'error',
    records = 0,
  ): void {
    const key = `${code} ${reason} ${topic ?? ''}`;
    const nowMs = this.#now();
    const said = this.#said.get(key) ?? { topic, sinceMs: nowMs, saidMs: -Infinity, times: 0 };
    this.#said.set(key, said);
    said.times++;
    if (nowMs - said.saidMs < SAY_INTERVAL_MS) return;
    said.saidMs = nowMs;
    const context = {
      ...(topic === undefined ? {} : { topic }),
      ...(broker === undefined ? {} : { broker }),
      reason,
    };
    const error = new MirrorError(code, message, context, { cause: withoutStack(cause) });
    const fields = { sink: this.#sink, times: said.times, ...(records === 0 ? {} : { records }), error };
    this.#log[level](fields, message);
  }
}

/** The broker's words: where in our code they were noted tells nobody anything. */
function withoutStack(message: string): Error {
  const error = new Error(message);
  Reflect.deleteProperty(error, 'stack');
  return error;
}
