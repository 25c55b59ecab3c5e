import { compileFilter } from '../receive/select/compile-filter.ts';
import { FilterError } from '../receive/select/filter-error.ts';
import type { Config } from './settings.ts';
import { suggest } from './suggest.ts';

/** A filter expression that is refused. */
export interface FilterProblem {
  readonly sink: string;
  readonly found: string;
  readonly expected: string;
  /** Without full stop; says at which character. */
  readonly text: string;
}

/** The filter expressions of packet sinks that mean nothing. */
export function filterProblems({ sinks }: Pick<Config, 'sinks'>): FilterProblem[] {
  return Object.entries(sinks).flatMap(([sink, { select }]) => {
    const filter = (select as { filter: string } | undefined)?.filter ?? '';
    const error = errorOf(filter);
    if (error === undefined) return [];
    const near = suggest(error.found, error.candidates);
    const hint = near === undefined || near === error.found ? '' : `; did you mean ${near}?`;
    const text = `sinks.${sink}.select.filter ${JSON.stringify(filter)}, character ${error.at + 1}: ${error.message}${hint}`;
    return [{ sink, found: error.found, expected: error.expected, text }];
  });
}

function errorOf(filter: string): FilterError | undefined {
  try {
    compileFilter(filter);
    return undefined;
  } catch (error) {
    if (error instanceof FilterError) return error;
    throw error;
  }
}
