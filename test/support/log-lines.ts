import type { Log, LogFields } from '../../src/observe/log.ts';

/** One line as it was logged. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

/** A log that keeps its lines. */
export class LogLines implements Log {
  readonly lines: LogLine[] = [];

  debug(fields: LogFields, message: string): void {
    this.lines.push({ level: 'debug', message, fields });
  }
  info(fields: LogFields, message: string): void {
    this.lines.push({ level: 'info', message, fields });
  }
  warn(fields: LogFields, message: string): void {
    this.lines.push({ level: 'warn', message, fields });
  }
  error(fields: LogFields, message: string): void {
    this.lines.push({ level: 'error', message, fields });
  }

  /** The lines since the last call, without what is not of interest: level, message and some fields. */
  take(...fields: readonly string[]): string[] {
    return this.lines.splice(0).map((line) => {
      const shown = fields
        .filter((name) => name in line.fields)
        .map((name) => `${name}=${String(line.fields[name])}`);
      return [`${line.level}:`, line.message, ...shown].join(' ');
    });
  }
}
