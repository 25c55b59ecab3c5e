import type { Condition, Step, Test } from './condition.ts';

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
  return { blocks, entry };
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
