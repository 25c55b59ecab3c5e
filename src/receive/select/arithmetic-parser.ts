import { fieldNames, isProtocolName, type ProtocolName, protocolNames } from './filter-names.ts';
import type { Arithmetic, ArithmeticOperator, Primitive, RelationOperator } from './filter-syntax.ts';
import { numberOf, type Token } from './filter-tokens.ts';
import type { TokenReader } from './token-reader.ts';

/** Operators that bind alike, those that bind least first. */
const LEVELS: readonly (readonly ArithmeticOperator[])[] = [
  ['|'],
  ['&'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/'],
];
/** tcpdump gives these no rank, and reads them as nobody would beside another operator: there they need brackets. */
const UNRANKED: readonly string[] = ['%', '^'];
const operators: readonly string[] = [...LEVELS.flat(), ...UNRANKED];
const relations: readonly string[] = ['=', '==', '!=', '<', '<=', '>', '>='];
const SHIFT_MAX = 31;

/** Says whether an expression that compares numbers begins at the next token. */
export function isRelation(reader: TokenReader): boolean {
  const { kind } = reader.peek();
  if (reader.is(0, '-', 'len')) return true;
  if (kind === 'word') return fieldNames.has(reader.peek().text) || (isHeader(reader) && reader.is(1, '['));
  if (kind === 'number') return isOperator(reader, 1) && !isRange(reader);
  if (!reader.is(0, '(')) return false;
  const closing = reader.closing();
  return closing !== undefined && isOperator(reader, closing + 1);
}

function isHeader(reader: TokenReader): boolean {
  return isProtocolName(reader.peek().text);
}

/** `80-90`, which looks like a difference. */
function isRange(reader: TokenReader): boolean {
  return reader.is(1, '-') && reader.peek(2).kind === 'number' && !isOperator(reader, 3);
}

function isOperator(reader: TokenReader, ahead: number): boolean {
  return reader.is(ahead, ...operators, ...relations);
}

/** Reads `left operator right`. */
export function parseRelation(reader: TokenReader): Primitive {
  const left = parseArithmetic(reader);
  const operator = reader.takeIf(...relations) ?? reader.refuse(`a comparison (${relations.join(' ')})`);
  const right = parseArithmetic(reader);
  const spelt = operator.text === '==' ? '=' : operator.text;
  return { kind: 'relation', operator: spelt as RelationOperator, left, right };
}

/** A list of operands with operators between them, put together by what binds more. */
function parseArithmetic(reader: TokenReader): Arithmetic {
  const operands = [reader.nested(() => parseOperand(reader))];
  const found: Token[] = [];
  for (let token = reader.takeIf(...operators); token !== undefined; token = reader.takeIf(...operators)) {
    found.push(token);
    const right = reader.nested(() => parseOperand(reader));
    checkConstant(reader, token, right);
    operands.push(right);
  }
  const unranked = found.find(({ text }) => UNRANKED.includes(text));
  if (unranked !== undefined && found.length > 1)
    reader.refuseToken(unranked, `brackets around the two operands of ${unranked.text}`);
  return join(operands, found);
}

/** Splits at the last of the operators that bind least: operators that bind alike are read from the left. */
function join(operands: readonly Arithmetic[], found: readonly Token[]): Arithmetic {
  const [only] = operands;
  if (only !== undefined && found.length === 0) return only;
  const levels = found.map(({ text }) => LEVELS.findIndex((level) => level.some((one) => one === text)));
  const last = levels.lastIndexOf(Math.min(...levels));
  return {
    kind: 'binary',
    operator: found[last]?.text as ArithmeticOperator,
    left: join(operands.slice(0, last + 1), found.slice(0, last)),
    right: join(operands.slice(last + 1), found.slice(last + 1)),
  };
}

function checkConstant(reader: TokenReader, operator: Token, right: Arithmetic): void {
  if (right.kind !== 'number') return;
  const { text } = operator;
  if ((text === '/' || text === '%') && right.value === 0) reader.refuseToken(operator, 'no division by 0');
  if ((text === '<<' || text === '>>') && right.value > SHIFT_MAX)
    reader.refuseToken(operator, `a shift by at most ${SHIFT_MAX} bits`);
}

function parseOperand(reader: TokenReader): Arithmetic {
  const token = reader.take();
  const { kind, text } = token;
  if (kind === 'number') return { kind: 'number', value: numberOf(text) };
  if (kind === 'symbol' && text === '-') {
    const right = reader.nested(() => parseOperand(reader));
    return { kind: 'binary', operator: '-', left: { kind: 'number', value: 0 }, right };
  }
  if (kind === 'symbol' && text === '(') {
    const inside = parseArithmetic(reader);
    reader.expect(')', 'to close the bracket');
    return inside;
  }
  if (kind === 'word') {
    if (text === 'len') return { kind: 'length' };
    const value = fieldNames.get(text);
    if (value !== undefined) return { kind: 'number', value };
    if (isProtocolName(text)) return parseBytes(reader, text);
  }
  return reader.refuseToken(token, 'a number, len, or bytes of a header such as tcp[13]', {
    candidates: [...protocolNames, ...fieldNames.keys()],
  });
}

/** `tcp[index]`, `tcp[index:size]`, after the name. */
function parseBytes(reader: TokenReader, header: ProtocolName): Arithmetic {
  reader.expect('[', `after ${header}`);
  const index = parseArithmetic(reader);
  let size = 1;
  if (reader.takeIf(':') !== undefined) {
    const token = reader.peek();
    size = reader.expectNumber('1, 2 or 4 bytes');
    if (![1, 2, 4].includes(size)) reader.refuseToken(token, '1, 2 or 4 bytes');
  }
  reader.expect(']', 'to close the index');
  return { kind: 'bytes', header, index, size: size as 1 | 2 | 4 };
}
