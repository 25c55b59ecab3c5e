/**
 * Every error an operator can meet. Codes are stable and documented in docs/errors.md; a test compares the
 * two in both directions. Messages are for people and may change.
 */
export const errorCodes = [
  'USAGE',
  'CONFIG_INVALID',
  'CONFIG_UNREADABLE',
  'NOT_IN_THIS_VERSION',
  'CAPTURE_UNREADABLE',
  'CAPTURE_DAMAGED',
  'CAPTURE_FORMAT_UNKNOWN',
  'OUTPUT_EXISTS',
  'OUTPUT_UNWRITABLE',
  'CAPTURE_WRITE_FAILED',
  'FLOWS_WRITE_FAILED',
  'DISK_FULL',
  'UDP_BIND_FAILED',
  'INTERFACE_UNKNOWN',
  'INTERFACE_DOWN',
  'INTERFACE_UNFIT',
  'UDP_SEND_FAILED',
  'TARGET_UNKNOWN',
  'HTTP_BIND_FAILED',
  'WORKER_FAILED',
  'SYSTEM_CALL_FAILED',
  'NATIVE_UNAVAILABLE',
  'KAFKA_UNAVAILABLE',
  'KAFKA_REFUSED',
  'SECRET_UNREADABLE',
  'KAFKA_CLIENT_UNAVAILABLE',
  'SCHEMA_REGISTRY_FAILED',
  'SPOOL_UNUSABLE',
  'SPOOL_FAILED',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

export type ErrorContext = Readonly<Record<string, string | number | boolean>>;

/** The world is wrong: a port, a disk, a setting, a file. Carries a code, the numbers and the cause. */
export class MirrorError extends Error {
  readonly code: ErrorCode;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, message: string, context: ErrorContext = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MirrorError';
    this.code = code;
    this.context = context;
  }
}
