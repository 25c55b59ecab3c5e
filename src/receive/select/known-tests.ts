import { type Block, type Blocks, REJECT } from './blocks.ts';
import { Compare, Load } from './condition.ts';

/** What a block compares for equality. Numbers stand for what is compared, and for the comparison. */
interface Question {
  readonly number: number;
  readonly test: number;
  readonly value: number;
  /** Asked by another block too: only then it is of use to know that the answer was no. */
  isRepeated: boolean;
}

/** What earlier tests have shown, whichever way led here. */
interface Facts {
  /** Value by number. */
  readonly is: ReadonlyMap<number, number>;
  /** Tests that failed. */
  readonly isNot: ReadonlySet<number>;
}

/** What more is found not to be is forgotten: long lists would make it much. */
const FACTS_MAX = 64;
const nothing: Facts = { is: new Map(), isNot: new Set() };

/**
 * Leaves out tests whose outcome is known where they would be reached: nearly every condition asks for the EtherType first.
 * What was loaded once is there, so it changes nothing for frames that are cut.
 */
export function withoutKnownTests({ blocks, entry }: Blocks): Blocks {
  const questions = questionsOf(blocks);
  const facts = new Map<number, Facts>();
  const kept = new Map<number, Block>();
  if (entry >= 0) facts.set(entry, nothing);
  for (let number = entry; number >= 0; number--) {
    const block = blocks[number];
    const known = facts.get(number);
    if (block === undefined || known === undefined) continue;
    const follow = (target: number, outcome: boolean): number => {
      const after = learn(known, questions[number], outcome);
      const next = skip(blocks, questions, target, after);
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

/** Undefined for blocks that ask something else, or what other blocks may change. */
function questionsOf(blocks: readonly Block[]): (Question | undefined)[] {
  const numbers = new Map<string, number>();
  const first = new Map<string, Question>();
  return blocks.map(({ what }, test) => {
    if (what.kind === 'step' || what.load === Load.register || what.compare !== Compare.equal)
      return undefined;
    const name = `${what.load} ${what.offset} ${what.base} ${what.mask}`;
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    const seen = first.get(`${name} ${what.value}`);
    if (seen !== undefined) {
      seen.isRepeated = true;
      return seen;
    }
    const question = { number, test, value: what.value, isRepeated: false };
    first.set(`${name} ${what.value}`, question);
    return question;
  });
}

/** The first block from `target` on whose outcome is not known. */
function skip(
  blocks: readonly Block[],
  questions: readonly (Question | undefined)[],
  target: number,
  { is, isNot }: Facts,
): number {
  let next = target;
  for (let block = blocks[next]; block !== undefined; block = blocks[next]) {
    const question = questions[next];
    if (question === undefined) break;
    const value = is.get(question.number);
    if (value === question.value) next = block.onTrue;
    else if (value !== undefined || isNot.has(question.test)) next = block.onFalse;
    else break;
  }
  return next;
}

function learn(facts: Facts, question: Question | undefined, outcome: boolean): Facts {
  if (question === undefined) return facts;
  const { is, isNot } = facts;
  if (outcome) return { is: new Map(is).set(question.number, question.value), isNot };
  if (!question.isRepeated || isNot.size >= FACTS_MAX) return facts;
  return { is, isNot: new Set(isNot).add(question.test) };
}

/** What holds on both of two ways. */
function common(one: Facts | undefined, other: Facts): Facts {
  if (one === undefined) return other;
  return {
    is: new Map([...one.is].filter(([number, value]) => other.is.get(number) === value)),
    isNot: new Set([...one.isNot].filter((test) => other.isNot.has(test))),
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
