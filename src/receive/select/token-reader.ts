import { FilterError } from './filter-error.ts';
import { numberOf, type Token, tokensOf } from './filter-tokens.ts';

/** Deeper than anybody writes, and far from the end of the stack. */
const DEPTH_MAX = 100;

/** What else is said of a token that does not fit. */
interface RefusalDetails {
  /** A sentence that says more than what was expected and found. */
  readonly message?: string;
  /** Words that fit; the nearest to what was found is suggested. */
  readonly candidates?: readonly string[];
}

/** Goes through the tokens of an expression. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  readonly #last: Token;
  #next = 0;
  #depth = 0;

  /** @throws FilterError */
  constructor(text: string) {
    const tokens = tokensOf(text);
    this.#tokens = tokens;
    this.#last = tokens.at(-1) ?? { kind: 'end', text: '', at: 0 };
  }

  /** The token `ahead` of the next one. */
  peek(ahead = 0): Token {
    return this.#tokens[this.#next + ahead] ?? this.#last;
  }

  /** Takes the next token. */
  take(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.#next++;
    return token;
  }

  /** Takes the next token where it is one of these words or symbols. */
  takeIf(...texts: readonly string[]): Token | undefined {
    return this.is(0, ...texts) ? this.take() : undefined;
  }

  /** Says whether the token `ahead` is one of these words or symbols. */
  is(ahead: number, ...texts: readonly string[]): boolean {
    const { kind, text } = this.peek(ahead);
    return (kind === 'word' || kind === 'symbol') && texts.includes(text);
  }

  isEnd(): boolean {
    return this.peek().kind === 'end';
  }

  /** Takes a token that must be there. */
  expect(text: string, why: string): Token {
    return this.takeIf(text) ?? this.refuse(`"${text}" ${why}`);
  }

  /** Takes a number that must be there. */
  expectNumber(what: string, max = 0xffff_ffff): number {
    const token = this.peek();
    if (token.kind !== 'number') return this.refuse(what);
    const value = numberOf(token.text);
    if (value > max) return this.refuse(`${what}, at most ${max}`);
    this.take();
    return value;
  }

  /** Where the bracket that the next token opens is closed, counted from the next token; undefined: nowhere. */
  closing(): number | undefined {
    let open = 0;
    for (let ahead = 0; this.peek(ahead).kind !== 'end'; ahead++) {
      if (this.is(ahead, '(')) open++;
      else if (this.is(ahead, ')') && --open === 0) return ahead;
    }
    return undefined;
  }

  /** Calls `read` one level deeper. */
  nested<Result>(read: () => Result): Result {
    if (++this.#depth > DEPTH_MAX) this.refuse(`at most ${DEPTH_MAX} levels of brackets and operators`);
    const result = read();
    this.#depth--;
    return result;
  }

  /** @throws FilterError always: something else was expected at the next token */
  refuse(expected: string, more: RefusalDetails = {}): never {
    return this.refuseToken(this.peek(), expected, more);
  }

  refuseToken({ at, text, kind }: Token, expected: string, more: RefusalDetails = {}): never {
    const found = kind === 'end' ? 'the end' : text;
    const shown = kind === 'end' ? found : JSON.stringify(text);
    const message = more.message ?? `expected ${expected}, found ${shown}`;
    throw new FilterError(at, found, expected, message, more.candidates);
  }
}
