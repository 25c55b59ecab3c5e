/** Where the number of a test lies. */
export const Load = {
  /** At an offset from the frame's first byte: 1, 2 or 4 bytes. */
  byte: 0,
  half: 1,
  word: 2,
  /** The same at an offset from the end of the IPv4 header that begins at `base`. */
  transportByte: 3,
  transportHalf: 4,
  transportWord: 5,
  /** Bytes of the frame before anything cut it. */
  length: 6,
  /** Reckoned before: what register 0 holds. */
  register: 7,
} as const;
export type Load = (typeof Load)[keyof typeof Load];

/** How it is compared, without signs. */
export const Compare = { equal: 0, greater: 1, atLeast: 2 } as const;
export type Compare = (typeof Compare)[keyof typeof Compare];

/** A number in the frame, masked, compared with another. */
export interface Test {
  readonly kind: 'test';
  readonly load: Load;
  readonly offset: number;
  /** Of `transport…`: where the IPv4 header begins. */
  readonly base: number;
  readonly mask: number;
  readonly compare: Compare;
  readonly value: number;
}

/** An expression in terms of bytes of a frame. Where a byte that is asked for is not there, the frame does not match. */
export type Condition =
  | Test
  | { readonly kind: 'always' | 'never' }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  /** Reckons first, then tests what register 0 holds. */
  | { readonly kind: 'reckoned'; readonly steps: readonly Step[]; readonly test: Test };

/** What a step does with registers, which hold 32 bits without sign. */
export const Reckon = {
  /** register = value */
  set: 0,
  /** register = bytes of the frame before anything cut it */
  length: 1,
  /** register = the number at register + offset; see `Step.load` */
  load: 2,
  /** register = register OP the next register */
  add: 3,
  subtract: 4,
  multiply: 5,
  divide: 6,
  remainder: 7,
  and: 8,
  or: 9,
  xor: 10,
  shiftLeft: 11,
  shiftRight: 12,
  /** 1 or 0 */
  equal: 13,
  greater: 14,
  atLeast: 15,
} as const;
export type Reckon = (typeof Reckon)[keyof typeof Reckon];

export interface Step {
  readonly kind: 'step';
  readonly reckon: Reckon;
  readonly register: number;
  /** Of `set`. */
  readonly value: number;
  /** Of `load`: one of the six loads from the frame. */
  readonly load: Load;
  readonly offset: number;
  readonly base: number;
}

const ALL = 0xffff_ffff;
export const always: Condition = { kind: 'always' };
export const never: Condition = { kind: 'never' };

export function not(of: Condition): Condition {
  return { kind: 'not', of };
}

/** All of them, asked in this order. */
export function all(...conditions: readonly Condition[]): Condition {
  return conditions.reduce((left, right) => ({ kind: 'and', left, right }));
}

/** Any of them, asked in this order. */
export function any(...conditions: readonly Condition[]): Condition {
  return conditions.reduce((left, right) => ({ kind: 'or', left, right }));
}

/** A number at an offset from the frame's first byte. */
export function at(load: Load, offset: number, value: number, mask: number = ALL): Test {
  return { kind: 'test', load, offset, base: 0, mask, compare: Compare.equal, value };
}
