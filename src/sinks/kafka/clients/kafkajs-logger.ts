import type { Log } from '../../../observe/log.ts';
import type { KafkajsLogger } from './kafkajs-internals.ts';

/** What of the library's fields may be logged: it also logs whole answers, those of SASL among them. */
const allowed = ['broker', 'error', 'correlationId', 'size'] as const;

/**
 * Takes what kafkajs logs. Its errors are told a second time by what it throws, so they are of use only to those who look
 * into the library: debug.
 */
export function kafkajsLogger(log: Log): KafkajsLogger {
  const write =
    (level: 'debug' | 'warn') =>
    (message: string, fields: object = {}): void => {
      const facts: Readonly<Record<string, unknown>> = { ...fields };
      const kept = allowed.filter((name) => name in facts).map((name) => [name, facts[name]]);
      log[level](Object.fromEntries(kept) as Record<string, unknown>, `kafkajs: ${message}`);
    };
  const logger: KafkajsLogger = {
    namespace: () => logger,
    debug: write('debug'),
    info: write('debug'),
    warn: write('warn'),
    error: write('debug'),
  };
  return logger;
}
