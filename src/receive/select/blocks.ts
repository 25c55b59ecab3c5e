import { Compare, type Condition, Load, type Step, type Test } from './condition.ts';

/** Ends of a program, in place of a block's number. */
export const ACCEPT = -1;
export const REJECT = -2;

/** One thing to do, and the blocks to go on with. A step goes on with `onTrue`. */
export interface Block {
  readonly what: Test | Step;
  readonly onTrue: number;
  readonly onFalse: number;
}

export interface Blocks {
  /** Every block goes on with blocks of smaller numbers: programs end. */
  readonly blocks: readonly Block[];
  /** The block to begin with, or an end. */
  readonly entry: number;
}

/** Brings a condition into a row of tests, each of which says where to go on. */
export function blocksOf(condition: Condition): Blocks {
  const blocks: Block[] = [];
  const entry = append(condition, ACCEPT, REJECT, blocks);
  return withoutKnown({ blocks, entry });
}

/** Appends what decides between two blocks that are there, and returns its number. */
function append(condition: Condition, onTrue: number, onFalse: number, blocks: Block[]): number {
  switch (condition.kind) {
    case 'always':
      return onTrue;
    case 'never':
      return onFalse;
    case 'not':
      return append(condition.of, onFalse, onTrue, blocks);
    case 'and':
      return append(condition.left, append(condition.right, onTrue, onFalse, blocks), onFalse, blocks);
    case 'or':
      return append(condition.left, onTrue, append(condition.right, onTrue, onFalse, blocks), blocks);
    case 'reckoned': {
      let next = blocks.push({ what: condition.test, onTrue, onFalse }) - 1;
      for (const step of condition.steps.toReversed())
        next = blocks.push({ what: step, onTrue: next, onFalse: REJECT }) - 1;
      return next;
    }
    default:
      return blocks.push({ what: condition, onTrue, onFalse }) - 1;
  }
}

/** What earlier tests have shown, whichever way led here. */
interface Facts {
  readonly is: ReadonlyMap<string, number>;
  /** Number and value. */
  readonly isNot: ReadonlySet<string>;
}

const nothing: Facts = { is: new Map(), isNot: new Set() };

/**
 * Leaves out tests whose outcome is known where they would be reached: nearly every condition asks for the EtherType first.
 * What was loaded once is there, so it changes nothing for frames that are cut.
 */
function withoutKnown({ blocks, entry }: Blocks): Blocks {
  const facts = new Map<number, Facts>();
  const kept = new Map<number, Block>();
  if (entry >= 0) facts.set(entry, nothing);
  for (let number = entry; number >= 0; number--) {
    const block = blocks[number];
    const known = facts.get(number);
    if (block === undefined || known === undefined) continue;
    const follow = (target: number, outcome: boolean): number => {
      const after = learn(known, block.what, outcome);
      const next = skip(blocks, target, after);
      if (next >= 0) facts.set(next, common(facts.get(next), after));
      return next;
    };
    kept.set(number, {
      what: block.what,
      onTrue: follow(block.onTrue, true),
      onFalse: block.what.kind === 'step' ? REJECT : follow(block.onFalse, false),
    });
  }
  return renumbered(kept, entry);
}

/** The first block from `target` on whose outcome is not known. */
function skip(blocks: readonly Block[], target: number, facts: Facts): number {
  let next = target;
  for (let block = blocks[next]; block !== undefined; block = blocks[next]) {
    const outcome = outcomeOf(block.what, facts);
    if (outcome === undefined) break;
    next = outcome ? block.onTrue : block.onFalse;
  }
  return next;
}

/** What names the number that a test is about; undefined where others may change it. */
function numberOf(what: Test | Step): string | undefined {
  if (what.kind === 'step' || what.load === Load.register || what.compare !== Compare.equal) return undefined;
  return `${what.load} ${what.offset} ${what.base} ${what.mask}`;
}

function outcomeOf(what: Test | Step, { is, isNot }: Facts): boolean | undefined {
  const number = numberOf(what);
  if (what.kind === 'step' || number === undefined) return undefined;
  const value = is.get(number);
  if (value !== undefined) return value === what.value;
  return isNot.has(`${number} ${what.value}`) ? false : undefined;
}

function learn(facts: Facts, what: Test | Step, outcome: boolean): Facts {
  const number = numberOf(what);
  if (what.kind === 'step' || number === undefined) return facts;
  return outcome
    ? { is: new Map(facts.is).set(number, what.value), isNot: facts.isNot }
    : { is: facts.is, isNot: new Set(facts.isNot).add(`${number} ${what.value}`) };
}

/** What holds on both of two ways. */
function common(one: Facts | undefined, other: Facts): Facts {
  if (one === undefined) return other;
  return {
    is: new Map([...one.is].filter(([number, value]) => other.is.get(number) === value)),
    isNot: new Set([...one.isNot].filter((known) => other.isNot.has(known))),
  };
}

/** The blocks that are left, without those that reject whatever they find. */
function renumbered(kept: ReadonlyMap<number, Block>, entry: number): Blocks {
  const blocks: Block[] = [];
  const numbers = new Map<number, number>();
  const numberOfBlock = (old: number): number => numbers.get(old) ?? old;
  for (const [old, { what, onTrue, onFalse }] of [...kept].toSorted(([a], [b]) => a - b)) {
    const block = { what, onTrue: numberOfBlock(onTrue), onFalse: numberOfBlock(onFalse) };
    const isHopeless = block.onTrue === REJECT && block.onFalse === REJECT;
    numbers.set(old, isHopeless ? REJECT : blocks.push(block) - 1);
  }
  return { blocks, entry: numberOfBlock(entry) };
}
