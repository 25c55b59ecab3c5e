/**
 * What the rest of the house knows of logging. Messages are sentences, facts are fields; what happens per
 * packet is counted, never logged.
 */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

export type LogFields = Readonly<Record<string, unknown>>;
