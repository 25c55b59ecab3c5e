import type { KafkaSettings } from '../../src/sinks/kafka/settings.ts';
import type { Encoding } from './kafka-packets.ts';

/** What a contender of the Kafka bench is started with: the argument of its program, as JSON. */
export interface KafkaCase {
  readonly bootstrap: string;
  readonly topic: string;
  readonly client: KafkaSettings['client'];
  readonly compression: 'none' | 'zstd';
  readonly encoding: Encoding;
  readonly frameBytes: number;
}

/** What the bench tells a contender: measure for so long. */
export interface ToContender {
  readonly milliseconds: number;
}

/** One measurement, between two moments at which brokers had acknowledged something. */
export interface KafkaSample {
  /** Packets that were acknowledged meanwhile. */
  readonly packets: number;
  readonly seconds: number;
  /** Time on the processor of the thread that sends, and of all threads, microseconds. */
  readonly threadUs: number;
  readonly processUs: number;
  /** Packets that were acknowledged from the beginning of the run to its end, the time before and after included. */
  readonly allPackets: number;
}

export type FromContender =
  | { readonly type: 'ready' }
  | { readonly type: 'sample'; readonly sample: KafkaSample };

/** Does what the bench asks, one measurement after the other, until it hangs up. Called once, in the contender's process. */
export function serve(measure: (milliseconds: number) => Promise<KafkaSample>): void {
  const tell = (message: FromContender): void => void process.send?.(message);
  process.on('message', ({ milliseconds }: ToContender) => {
    measure(milliseconds).then(
      (sample) => tell({ type: 'sample', sample }),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  });
  process.once('disconnect', () => process.exit());
  tell({ type: 'ready' });
}

/** The argument of this process. */
export function caseOfProcess(): KafkaCase {
  return JSON.parse(process.argv[2] ?? '') as KafkaCase;
}

/** Settings that both the sink and the clients alone are given. */
export function settingsOf({
  bootstrap,
  topic,
  client,
  compression,
  encoding,
}: KafkaCase): Partial<KafkaSettings> {
  return {
    brokers: bootstrap.split(','),
    client,
    compression,
    packets: { topic, encoding },
    flows: null,
    // what finds no room is waited for: nothing goes to the disk
    onFull: 'drop',
  };
}
