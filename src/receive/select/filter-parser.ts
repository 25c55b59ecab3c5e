import { isRelation, parseRelation } from './arithmetic-parser.ts';
import type { Expression } from './filter-syntax.ts';
import type { Token } from './filter-tokens.ts';
import { isOperand, parseOperand } from './operand-parser.ts';
import { parsePrimitive } from './primitive-parser.ts';
import type { Qualifiers } from './qualifiers.ts';
import { TokenReader } from './token-reader.ts';

/** An expression, and what an address or number after it would be taken for. */
interface Read {
  readonly expression: Expression;
  readonly qualifiers: Qualifiers | undefined;
}

/**
 * Reads an expression in the language of tcpdump (pcap-filter(7)); docs/filter.md says what of it, and what is different.
 *
 * `and` and `or` bind alike and are read from the left; `not` binds more. An address, port or number without qualifiers takes
 * over those before it: `tcp port 80 or 443`.
 *
 * @returns undefined for an empty expression: every packet
 * @throws FilterError
 */
export function parseFilter(text: string): Expression | undefined {
  const reader = new TokenReader(text);
  if (reader.isEnd()) return undefined;
  const { expression } = parseExpression(reader, undefined);
  if (reader.is(0, ')'))
    reader.refuse('"and" or "or"', { message: 'a bracket is closed that was not opened' });
  if (!reader.isEnd()) reader.refuse('"and" or "or"', { candidates: ['and', 'or'] });
  return expression;
}

function parseExpression(reader: TokenReader, inherited: Qualifiers | undefined): Read {
  let left = parseTerm(reader, inherited);
  for (;;) {
    const operator = reader.takeIf('and', '&&', 'or', '||');
    if (operator === undefined) return left;
    const right = parseTerm(reader, left.qualifiers);
    const kind = operator.text === 'and' || operator.text === '&&' ? 'and' : 'or';
    left = {
      expression: { kind, left: left.expression, right: right.expression },
      qualifiers: right.qualifiers,
    };
  }
}

function parseTerm(reader: TokenReader, inherited: Qualifiers | undefined): Read {
  return reader.nested(() => {
    if (reader.takeIf('not', '!') !== undefined) {
      const { expression, qualifiers } = parseTerm(reader, inherited);
      return { expression: { kind: 'not', of: expression }, qualifiers };
    }
    if (isRelation(reader)) return { expression: parseRelation(reader), qualifiers: undefined };
    const open = reader.takeIf('(');
    if (open !== undefined) return parseGroup(reader, inherited, open);
    if (!isOperand(reader)) return parsePrimitive(reader);
    if (inherited === undefined) refuseBare(reader);
    return { expression: parseOperand(reader, inherited), qualifiers: inherited };
  });
}

function parseGroup(reader: TokenReader, inherited: Qualifiers | undefined, open: Token): Read {
  const { expression } = parseExpression(reader, inherited);
  if (reader.isEnd()) reader.refuseToken(open, '")"', { message: 'this bracket is not closed' });
  reader.expect(')', 'to close the bracket, "and" or "or"');
  return { expression, qualifiers: inherited };
}

function refuseBare(reader: TokenReader): never {
  const { kind, text } = reader.peek();
  const word = kind === 'number' ? 'port' : kind === 'mac' ? 'ether host' : 'host';
  const expected = `"${word} ${text}"`;
  return reader.refuse(expected, { message: `"${text}" alone does not say what it is: write ${expected}` });
}
