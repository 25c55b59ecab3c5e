import { expect, test } from 'vitest';

import type { LogFields } from '../../../../../src/observe/log.ts';
import { kafkajsLogger } from '../../../../../src/sinks/kafka/clients/kafkajs-logger.ts';

test('facts that may hold secrets are left out, and errors are not told twice', () => {
  const lines: [string, LogFields, string][] = [];
  const write = (level: string) => (fields: LogFields, message: string) =>
    void lines.push([level, fields, message]);
  const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const logger = kafkajsLogger(log).namespace('Connection');
  logger.debug('Response SaslAuthenticate', {
    broker: 'b:1',
    size: 10,
    data: { authBytes: 'secret' },
    payload: 'secret',
  });
  logger.error('Connection error', { broker: 'b:1', error: 'refused', stack: 'Error: …' });
  logger.warn('Response without match', { correlationId: 5 });
  logger.info('hello');
  expect(lines).toEqual([
    ['debug', { broker: 'b:1', size: 10 }, 'kafkajs: Response SaslAuthenticate'],
    ['debug', { broker: 'b:1', error: 'refused' }, 'kafkajs: Connection error'],
    ['warn', { correlationId: 5 }, 'kafkajs: Response without match'],
    ['debug', {}, 'kafkajs: hello'],
  ]);
});
