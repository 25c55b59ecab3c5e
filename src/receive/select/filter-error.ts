/** Why a filter expression is refused. Thrown when settings are read, never for a packet. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
  /** Offset in the expression of the first character that does not fit. */
  readonly at: number;
  /** What stands there. */
  readonly found: string;
  readonly expected: string;
  /** Words that fit; the caller may suggest the nearest to what was found. */
  readonly candidates: readonly string[];

  constructor(
    at: number,
    found: string,
    expected: string,
    message: string,
    candidates: readonly string[] = [],
  ) {
    super(message);
    this.at = at;
    this.found = found;
    this.expected = expected;
    this.candidates = candidates;
  }
}
