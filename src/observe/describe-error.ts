import { MirrorError, type ErrorContext } from './error.ts';

/** Longest chain of causes that is told; deeper ones are cut off, so that a chain in a circle ends too. */
const CAUSES_MAX = 8;

/** An error as fields of a log line. */
export interface ErrorFields {
  readonly message: string;
  /** Code of a `MirrorError`, or the name the system gives, as in `ENOSPC`. */
  readonly code?: string;
  readonly context?: ErrorContext;
  /** Only where it helps: for errors that nobody expected. */
  readonly stack?: string;
  readonly cause?: ErrorFields;
}

/** What was thrown, with code, context and causes; anything may be thrown. */
export function errorFields(thrown: unknown, depth = 0): ErrorFields {
  if (!(thrown instanceof Error)) return { message: String(thrown) };
  const code = codeOf(thrown);
  return {
    message: thrown.message,
    ...(code !== undefined && { code }),
    ...(thrown instanceof MirrorError && { context: thrown.context }),
    ...(code === undefined && thrown.stack !== undefined && { stack: thrown.stack }),
    ...(thrown.cause !== undefined && depth < CAUSES_MAX && { cause: errorFields(thrown.cause, depth + 1) }),
  };
}

/**
 * What the command line prints for an error: message and code, then a line for each fact of the context and
 * each cause. An error without a code is our mistake, and its stack is printed. No newline at the end.
 */
export function describeError(thrown: unknown): string {
  const { message, code, context, stack, cause } = errorFields(thrown);
  const lines = [code === undefined ? `error: ${message}` : `error: ${message} [${code}]`];
  for (const [name, value] of Object.entries(context ?? {})) lines.push(`  ${name}: ${value}`);
  for (let next = cause; next !== undefined; next = next.cause) lines.push(`  cause: ${causeText(next)}`);
  if (stack !== undefined) lines.push(...stackLines(stack));
  return lines.map(printable).join('\n');
}

/** Control characters as escapes: names of files and sinks may hold what would move the cursor or set colours. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function causeText({ message, code }: ErrorFields): string {
  return code === undefined || message.includes(code) ? message : `${message} [${code}]`;
}

/** The stack without the message that V8 repeats before it. */
function stackLines(stack: string): string[] {
  return stack.split('\n').filter((line) => line.startsWith('    at '));
}

function codeOf(error: Error): string | undefined {
  if (error instanceof MirrorError) return error.code;
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
