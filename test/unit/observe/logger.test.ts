import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MirrorError } from '../../../src/observe/error.ts';
import { createLog, type LogOptions } from '../../../src/observe/logger.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mirrortap-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What one call wrote, in a file that is no terminal. */
function logged(options: Omit<LogOptions, 'fd'>, use: (log: ReturnType<typeof createLog>) => void): string {
  const path = join(folder, 'log');
  const fd = openSync(path, 'w');
  use(createLog({ ...options, fd }));
  closeSync(fd);
  return readFileSync(path, 'utf8');
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test('a JSON line has level, time, fields of the log, fields of the call, sentence, and nothing else', () => {
  const text = logged({ level: 'info', format: 'json', fields: { worker: 1 } }, (log) =>
    log.info({ port: 4789 }, 'Listening.'),
  );
  const record = JSON.parse(text);
  expect(record).toEqual({
    level: 'info',
    time: expect.stringMatching(TIME),
    worker: 1,
    port: 4789,
    msg: 'Listening.',
  });
  expect(text.endsWith('}\n')).toBe(true);
});

test('an error under any name becomes its code, context and causes', () => {
  const cause = Object.assign(new Error('no room'), { code: 'ENOSPC' });
  const failure = new MirrorError('DISK_FULL', 'Full.', { free: 0 }, { cause });
  const expected = {
    message: 'Full.',
    code: 'DISK_FULL',
    context: { free: 0 },
    cause: { message: 'no room', code: 'ENOSPC' },
  };
  for (const name of ['error', 'err', 'failure']) {
    const text = logged({ level: 'info', format: 'json' }, (log) =>
      log.error({ [name]: failure }, 'Failed.'),
    );
    expect(JSON.parse(text)[name]).toEqual(expected);
  }
});

test('pretty lines to a file have no colour', () => {
  const text = logged({ level: 'debug', format: 'pretty', fields: { worker: 1 } }, (log) => {
    log.debug({}, 'One.');
    log.warn({ lane: 'vni 7' }, 'Two.');
  });
  const untimed = text.replaceAll(/^\S+ /gm, '');
  expect(untimed).toBe('DEBUG One. worker=1\nWARN  Two. worker=1 lane="vni 7"\n');
});

describe('the level decides what is written', () => {
  test.each([
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
    ['silent', []],
  ] as const)('%s', (level, expected) => {
    const text = logged({ level, format: 'json' }, (log) => {
      log.debug({}, '.');
      log.info({}, '.');
      log.warn({}, '.');
      log.error({}, '.');
    });
    const levels = text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).level);
    expect(levels).toEqual(expected);
  });
});

test('a worker thread that ends at once has written its lines to standard error', () => {
  const module = JSON.stringify(new URL('../../../src/observe/logger.ts', import.meta.url).href);
  const worker = `import { createLog } from ${module};
    createLog({ level: 'info', format: 'json', fields: { worker: 1 } }).info({}, 'From a worker.');
    process.exit();`;
  const main = `import { Worker } from 'node:worker_threads';
    import { createLog } from ${module};
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(worker)})));
    worker.on('exit', () => {
      createLog({ level: 'info', format: 'json' }).info({}, 'From the main thread.');
      process.exit();
    });`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', main], {
    encoding: 'utf8',
  });
  expect(
    stderr
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).msg),
  ).toEqual(['From a worker.', 'From the main thread.']);
  expect(stdout).toBe('');
});
