import { parseAddress } from '../../wire/address.ts';
import { FilterError } from './filter-error.ts';

export type TokenKind = 'word' | 'escaped' | 'number' | 'ipv4' | 'ipv6' | 'mac' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As it stands in the expression; of `escaped` without its backslash. */
  readonly text: string;
  /** Offset of its first character in the expression. */
  readonly at: number;
}

/** In the order they are tried. Every pattern takes as much as it can. */
const patterns: readonly (readonly [TokenKind, RegExp])[] = [
  ['mac', /(?:[\da-f]{1,2}:){5}[\da-f]{1,2}(?![\da-f:])/iy],
  ['mac', /(?:[\da-f]{2}-){5}[\da-f]{2}(?![\w-])/iy],
  ['mac', /(?:[\da-f]{4}\.){2}[\da-f]{4}(?![\w.])/iy],
  ['ipv6', /[\da-f]*:[\da-f]*:[\da-f:.]*/iy],
  ['ipv4', /\d+(?:\.\d+){1,3}(?![\w.])/y],
  ['number', /(?:0x[\da-f]+|\d+)(?![\w.])/iy],
  ['escaped', /\\[a-z]\w*(?:-[a-z]\w*)*/iy],
  ['word', /[a-z][\w.]*(?:-[a-z][\w.]*)*/iy],
  ['symbol', /&&|\|\||!=|==|<=|>=|<<|>>|[!=<>()[\]:+\-*/%&|^]/y],
];
const SPACE = /\s*/y;
/** What is shown of something that no pattern takes. */
const UNKNOWN = /[^\s()]+|./suy;

/**
 * Cuts an expression into its tokens, the last of kind `end`.
 *
 * @throws FilterError at the first character that belongs to none
 */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = take(SPACE, text, 0).length;
  while (at < text.length) {
    const token = tokenAt(text, at);
    check(token);
    tokens.push(token);
    at += token.text.length + (token.kind === 'escaped' ? 1 : 0);
    at += take(SPACE, text, at).length;
  }
  tokens.push({ kind: 'end', text: '', at: text.length });
  return tokens;
}

function tokenAt(text: string, at: number): Token {
  for (const [kind, pattern] of patterns) {
    const found = take(pattern, text, at);
    if (found !== '') return { kind, text: kind === 'escaped' ? found.slice(1) : found, at };
  }
  const found = take(UNKNOWN, text, at);
  const expected = 'a word, a number, an address or an operator';
  throw new FilterError(at, found, expected, `${JSON.stringify(found)} is no part of a filter expression`);
}

function check({ kind, text, at }: Token): void {
  if ((kind === 'ipv4' || kind === 'ipv6') && !isAddress(kind, text)) {
    const expected =
      kind === 'ipv4' ? 'an IPv4 address such as 10.0.0.5' : 'an IPv6 address such as 2001:db8::5';
    throw new FilterError(at, text, expected, `${text} is no ${kind === 'ipv4' ? 'IPv4' : 'IPv6'} address`);
  }
  if (kind === 'number' && !(numberOf(text) <= 0xffff_ffff)) {
    throw new FilterError(at, text, 'a number up to 4294967295', `${text} is no number of 32 bits`);
  }
}

/** IPv4 addresses may be shortened to their first one to three numbers, for networks. */
function isAddress(kind: 'ipv4' | 'ipv6', text: string): boolean {
  if (kind === 'ipv4')
    return text.split('.').every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  return parseAddress(text)?.version === 6;
}

/** Value of a number: decimal, with 0x before it hexadecimal, with 0 before it octal. NaN for `08`. */
export function numberOf(text: string): number {
  if (/^0\d/.test(text)) return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
  return Number(text);
}

function take(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}
