import { type ErrorContext, MirrorError } from '../observe/error.ts';

/** One thing that is wrong with the settings. */
export interface Problem {
  readonly code: 'CONFIG_INVALID' | 'NOT_IN_THIS_VERSION';
  /** Where it was given: `mirrortap.yaml:12:3`, `environment MIRRORTAP_…`, `--set …`. */
  readonly source: string;
  /** Path of the setting, such as `listen.vxlanPorts[0]`; empty for the whole. */
  readonly setting: string;
  readonly found: string;
  readonly expected: string;
  /** The sentence without its place and full stop. */
  readonly text: string;
}

/** Everything wrong is reported, up to this many. */
const LINES_MAX = 20;

export function wrongValue(source: string, setting: string, found: string, expected: string): Problem {
  const text = `${setting === '' ? 'this' : setting} is ${found}; expected ${expected}`;
  return { code: 'CONFIG_INVALID', source, setting, found, expected, text };
}

export function unknownSetting(source: string, setting: string, nearest: string | undefined): Problem {
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  const expected = nearest ?? 'a known setting';
  const text = `${setting} is not a known setting${hint}`;
  return { code: 'CONFIG_INVALID', source, setting, found: setting, expected, text };
}

export function notInThisVersion(source: string, setting: string, found: string, expected: string): Problem {
  const text = `${setting} ${found} is not in this version; it takes ${expected}`;
  return { code: 'NOT_IN_THIS_VERSION', source, setting, found, expected, text };
}

/** A text that is not well-formed, or two settings that contradict each other. */
export function contradiction(
  source: string,
  setting: string,
  text: string,
  found = '',
  expected = '',
): Problem {
  return { code: 'CONFIG_INVALID', source, setting, found, expected, text };
}

/** @throws MirrorError for all problems together, if there are any */
export function throwProblems(problems: readonly Problem[]): void {
  const [first, ...others] = problems;
  if (first !== undefined) throw configError([first, ...others]);
}

/**
 * One error for all problems. Its context describes the first of them; a code other than `CONFIG_INVALID` is
 * left only where all problems share it.
 */
function configError(problems: readonly [Problem, ...Problem[]]): MirrorError {
  const [first] = problems;
  const lines = problems.slice(0, LINES_MAX).map(line);
  const more = problems.length - lines.length;
  if (more > 0) lines.push(`and ${more} more.`);
  const message =
    problems.length === 1
      ? line(first)
      : `${problems.length} settings are wrong:\n${lines.map((text) => `  ${text}`).join('\n')}`;
  const { source, setting, found, expected } = first;
  const known = Object.entries({ source, setting, found, expected }).filter(([, text]) => text !== '');
  const context: ErrorContext = {
    ...Object.fromEntries(known),
    ...(problems.length > 1 ? { problems: problems.length } : {}),
  };
  const same = problems.every((problem) => problem.code === first.code);
  return new MirrorError(same ? first.code : 'CONFIG_INVALID', message, context);
}

function line(problem: Problem): string {
  const end = /[.?]$/.test(problem.text) ? '' : '.';
  return `${problem.source}: ${problem.text}${end}`;
}
