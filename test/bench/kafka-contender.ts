import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { FromContender, KafkaCase, KafkaSample, ToContender } from './kafka-messages.ts';
import { engineFlags } from './micro.ts';

const programs = { sink: 'kafka-sink-case.ts', library: 'kafka-library-case.ts' } as const;

/** A process that sends packets or records to a broker, run by run. */
export class KafkaContender {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when it can begin. Rejects where it ends before that. */
  static async start(
    program: keyof typeof programs,
    benchCase: KafkaCase,
    nodeOptions: readonly string[] = [],
  ): Promise<KafkaContender> {
    const child = fork(join(import.meta.dirname, programs[program]), [JSON.stringify(benchCase)], {
      // kafkajs sets timers in the past
      execArgv: [...engineFlags(), '--disable-warning=TimeoutNegativeWarning', ...nodeOptions],
    });
    const contender = new KafkaContender(child);
    await contender.#answer();
    return contender;
  }

  async measure(milliseconds: number): Promise<KafkaSample> {
    const answer = this.#answer();
    this.#child.send({ milliseconds } satisfies ToContender);
    const message = await answer;
    if (message.type !== 'sample') throw new Error('A contender answers with a sample.');
    return message.sample;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  async #answer(): Promise<FromContender> {
    return new Promise((resolve, reject) => {
      const failed = (code: number | null): void => reject(new Error(`A contender ended with ${code}.`));
      this.#child.once('exit', failed);
      this.#child.once('message', (message) => {
        this.#child.off('exit', failed);
        resolve(message as FromContender);
      });
    });
  }
}
