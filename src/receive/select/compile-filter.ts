import { FilterError } from './filter-error.ts';
import { Filter } from './filter.ts';
import { parseFilter } from './filter-parser.ts';

/** One expression, compiled for each link type that mirrored frames have. */
export interface CompiledFilter {
  readonly ethernet: Filter;
  /** For lanes whose frames begin with their IP header. What asks for Ethernet or VLAN headers does not match there. */
  readonly raw: Filter;
}

/**
 * Compiles an expression in the language of tcpdump; undefined for an empty one, which lets every packet through.
 *
 * @throws FilterError
 */
export function compileFilter(text: string): CompiledFilter | undefined {
  const expression = parseFilter(text);
  if (expression === undefined) return undefined;
  const compiled = { ethernet: new Filter(expression, true), raw: new Filter(expression, false) };
  if (compiled.ethernet.matchesNothing && compiled.raw.matchesNothing) {
    const expected = 'conditions that hold together';
    throw new FilterError(0, text.trim(), expected, 'no packet can match this expression');
  }
  return compiled;
}
