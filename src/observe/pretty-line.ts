import { printable } from './describe-error.ts';

const RESET = '\u001b[0m';
const DIM = '\u001b[2m';
const COLOURS: Readonly<Record<string, string>> = {
  debug: '\u001b[2m',
  info: '\u001b[32m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
};

/**
 * One log record for people: `2026-11-21T04:00:00.123Z WARN  Sentence. key=value other="two words"`. Fields of
 * fields are written with a dot; the lines of a stack follow, indented.
 *
 * @param json one line of JSON with `level`, `time` and `msg`
 */
export function prettyLine(json: string, colour: boolean): string {
  const record: unknown = JSON.parse(json);
  if (!isRecord(record)) return json;
  const { level, time, msg, ...fields } = record;

  const pairs: string[] = [];
  const stacks: string[] = [];
  collect(fields, '', pairs, stacks);

  const paint = (code: string, text: string): string => (colour ? code + text + RESET : text);
  const name = String(level);
  const head = [paint(DIM, String(time)), paint(COLOURS[name] ?? '', name.toUpperCase().padEnd(5))];
  const line = [...head, printable(String(msg)), ...pairs].join(' ');
  return [line, ...stacks].join('\n') + '\n';
}

function collect(
  fields: Readonly<Record<string, unknown>>,
  prefix: string,
  pairs: string[],
  stacks: string[],
): void {
  for (const [key, value] of Object.entries(fields)) {
    const name = prefix + key;
    if (isRecord(value)) collect(value, `${name}.`, pairs, stacks);
    else if (key === 'stack' && typeof value === 'string') stacks.push(...frames(value));
    else pairs.push(`${printable(name)}=${valueText(value)}`);
  }
}

function valueText(value: unknown): string {
  const bare = typeof value === 'string' && /^[^\s"=\p{Cc}]+$/u.test(value);
  return bare ? value : printable(JSON.stringify(value));
}

function frames(stack: string): string[] {
  return stack
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .map(printable);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
