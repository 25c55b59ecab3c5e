import { EtherType } from '../../wire/ether-type.ts';
import { all, at, Compare, type Condition, Load, not, Reckon, type Step, type Test } from './condition.ts';
import { etherTypeNames, ipProtocolNames } from './filter-names.ts';
import type { Arithmetic, ArithmeticOperator, Primitive, RelationOperator } from './filter-syntax.ts';
import type { FrameLayout } from './frame-layout.ts';
import { firstFragment, IPV6_LEN, IPV6_NEXT_HEADER, ofProtocol } from './protocols.ts';
import { always, never } from './condition.ts';

type Relation = Extract<Primitive, { kind: 'relation' }>;
type Bytes = Extract<Arithmetic, { kind: 'bytes' }>;

/** Offsets of single tests; larger ones are reckoned. */
const OFFSET_MAX = 0xffff;
const REGISTER = 0;

const reckonOf: Readonly<Record<ArithmeticOperator, Reckon>> = {
  '+': Reckon.add,
  '-': Reckon.subtract,
  '*': Reckon.multiply,
  '/': Reckon.divide,
  '%': Reckon.remainder,
  '&': Reckon.and,
  '|': Reckon.or,
  '^': Reckon.xor,
  '<<': Reckon.shiftLeft,
  '>>': Reckon.shiftRight,
};

/** Each comparison as one of the three that there are, or as what it is not. */
const compareOf: Readonly<Record<RelationOperator, { compare: Compare; reckon: Reckon; negated: boolean }>> =
  {
    '=': { compare: Compare.equal, reckon: Reckon.equal, negated: false },
    '!=': { compare: Compare.equal, reckon: Reckon.equal, negated: true },
    '>': { compare: Compare.greater, reckon: Reckon.greater, negated: false },
    '<=': { compare: Compare.greater, reckon: Reckon.greater, negated: true },
    '>=': { compare: Compare.atLeast, reckon: Reckon.atLeast, negated: false },
    '<': { compare: Compare.atLeast, reckon: Reckon.atLeast, negated: true },
  };

/** Two numbers compared: first that the headers they are taken from are there, then the numbers. */
export function ofRelation({ operator, left, right }: Relation, layout: FrameLayout): Condition {
  const { compare, reckon, negated } = compareOf[operator];
  const test = plainTest(left, right, compare, layout) ?? reckoned(left, right, compare, reckon, layout);
  return all(...headerChecks(left, layout), ...headerChecks(right, layout), negated ? not(test) : test);
}

/** The headers whose bytes are asked for, each of which the frame must have: also the second one of a sum, unlike tcpdump. */
function headerChecks(arithmetic: Arithmetic, layout: FrameLayout): Condition[] {
  switch (arithmetic.kind) {
    case 'binary':
      return [...headerChecks(arithmetic.left, layout), ...headerChecks(arithmetic.right, layout)];
    case 'bytes':
      return [...headerChecks(arithmetic.index, layout), headerCheck(arithmetic.header, layout)];
    default:
      return [];
  }
}

function headerCheck(header: Bytes['header'], layout: FrameLayout): Condition {
  if (header === 'ether') return layout.isEthernet ? always : never;
  const etherType = etherTypeNames.get(header);
  if (etherType !== undefined) return layout.etherType(etherType);
  const number = ipProtocolNames.get(header) ?? 0;
  // extension headers are not walked
  if (header === 'icmp6')
    return all(layout.etherType(EtherType.ipv6), at(Load.byte, layout.network + IPV6_NEXT_HEADER, number));
  return all(ofProtocol({ version: 4, number }, layout), firstFragment(layout));
}

/** Where bytes of a header are loaded from, besides their index. */
function placeOf({ header, size }: Bytes, layout: FrameLayout): Pick<Step, 'load' | 'offset' | 'base'> {
  const load = size === 1 ? Load.byte : size === 2 ? Load.half : Load.word;
  if (header === 'ether') return { load, offset: 0, base: 0 };
  if (etherTypeNames.has(header)) return { load, offset: layout.network, base: 0 };
  if (header === 'icmp6') return { load, offset: layout.network + IPV6_LEN, base: 0 };
  const behind = size === 1 ? Load.transportByte : size === 2 ? Load.transportHalf : Load.transportWord;
  return { load: behind, offset: 0, base: layout.network };
}

/** A comparison that needs no register: of `len` or bytes at a fixed index, masked or not, with a fixed number. */
function plainTest(
  left: Arithmetic,
  right: Arithmetic,
  compare: Compare,
  layout: FrameLayout,
): Test | undefined {
  if (right.kind !== 'number') return undefined;
  const { value } = right;
  if (left.kind === 'binary' && left.operator === '&' && left.right.kind === 'number') {
    const test = plainTest(left.left, right, compare, layout);
    return test === undefined ? undefined : { ...test, mask: (test.mask & left.right.value) >>> 0 };
  }
  if (left.kind === 'length') return { ...at(Load.length, 0, value), compare };
  if (left.kind !== 'bytes' || left.index.kind !== 'number' || left.index.value > OFFSET_MAX)
    return undefined;
  const { load, offset, base } = placeOf(left, layout);
  return { ...at(load, offset + left.index.value, value), base, compare };
}

function reckoned(
  left: Arithmetic,
  right: Arithmetic,
  compare: Compare,
  reckon: Reckon,
  layout: FrameLayout,
): Condition {
  const steps = stepsOf(left, REGISTER, layout);
  if (right.kind === 'number')
    return { kind: 'reckoned', steps, test: { ...at(Load.register, 0, right.value), compare } };
  steps.push(...stepsOf(right, REGISTER + 1, layout), step(reckon, REGISTER));
  return { kind: 'reckoned', steps, test: at(Load.register, 0, 1) };
}

/** Steps after which a register holds the number; registers behind it are used on the way. */
function stepsOf(arithmetic: Arithmetic, register: number, layout: FrameLayout): Step[] {
  switch (arithmetic.kind) {
    case 'number':
      return [{ ...step(Reckon.set, register), value: arithmetic.value }];
    case 'length':
      return [step(Reckon.length, register)];
    case 'bytes':
      return [
        ...stepsOf(arithmetic.index, register, layout),
        { ...step(Reckon.load, register), ...placeOf(arithmetic, layout) },
      ];
    default:
      return [
        ...stepsOf(arithmetic.left, register, layout),
        ...stepsOf(arithmetic.right, register + 1, layout),
        step(reckonOf[arithmetic.operator], register),
      ];
  }
}

function step(reckon: Reckon, register: number): Step {
  return { kind: 'step', reckon, register, value: 0, load: Load.byte, offset: 0, base: 0 };
}
