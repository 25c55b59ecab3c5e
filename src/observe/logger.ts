import { isatty } from 'node:tty';
import { pino, stdTimeFunctions } from 'pino';
import { errorFields } from './describe-error.ts';
import { LineWriter } from './line-writer.ts';
import type { Log, LogFields } from './log.ts';
import { prettyLine } from './pretty-line.ts';

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export const logFormats = ['json', 'pretty'] as const;
export type LogFormat = (typeof logFormats)[number];

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Fields of every line, such as the number of a worker. */
  readonly fields?: LogFields;
  /** File descriptor that takes the lines; standard error if left out. */
  readonly fd?: number;
}

const STDERR = 2;

/**
 * A log that has written each line when the call returns. Every thread makes its own.
 *
 * JSON lines have `level` as a name, `time` in RFC 3339 and the sentence as `msg`. An error under any key
 * becomes its message, code, context and causes. Colour only on a terminal, and never where NO_COLOR is set.
 */
export function createLog(options: LogOptions): Log {
  const fd = options.fd ?? STDERR;
  const colour = isatty(fd) && (process.env['NO_COLOR'] ?? '') === '';
  const shown =
    options.format === 'pretty' ? (line: string) => prettyLine(line, colour) : (line: string) => line;
  const writer = new LineWriter(fd, (lines) => shown(lostLine(lines)));
  const logger = pino(
    {
      level: options.level,
      base: options.fields === undefined ? null : plain(options.fields),
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      // the library has its own form for this one name; ours is the same under every name
      serializers: { err: (value: unknown) => value },
    },
    { write: (line: string) => writer.write(shown(line)) },
  );
  return {
    debug: (fields, message) => logger.debug(plain(fields), message),
    info: (fields, message) => logger.info(plain(fields), message),
    warn: (fields, message) => logger.warn(plain(fields), message),
    error: (fields, message) => logger.error(plain(fields), message),
  };
}

/** Errors as plain fields, under whatever name they come. */
function plain(fields: LogFields): LogFields {
  const entries = Object.entries(fields);
  if (!entries.some(([, value]) => value instanceof Error)) return fields;
  return Object.fromEntries(
    entries.map(([key, value]) => [key, value instanceof Error ? errorFields(value) : value]),
  );
}

function lostLine(lines: number): string {
  const time = new Date().toISOString();
  return `${JSON.stringify({ level: 'warn', time, lines, msg: 'Log lines were lost: nobody took them.' })}\n`;
}
