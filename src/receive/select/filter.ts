import { type Blocks, ACCEPT, REJECT, blocksOf } from './blocks.ts';
import { Compare, Load, Reckon } from './condition.ts';
import type { Expression } from './filter-syntax.ts';
import { FrameLayout } from './frame-layout.ts';
import { withoutKnownTests } from './known-tests.ts';
import { conditionOf } from './primitives.ts';

/**
 * Words of one block in a program:
 *
 *   0  what to do: a `Load` to test, or REGISTERS and a `Reckon`
 *   1  offset                      of `set` its value
 *   2  base
 *   3  mask                        of steps the register
 *   4  `Compare`                   of the step `load` its `Load`
 *   5  value to compare with
 *   6  block to go on with where it holds, times WORDS; below 0 an end
 *   7  block to go on with where it does not
 */
const WORDS_SHIFT = 3;
const REGISTERS = 16;

/** A filter expression, compiled for frames of one link type. Allocates nothing and throws nothing for a packet. */
export class Filter {
  readonly #code: Int32Array;
  readonly #entry: number;
  readonly #registers: Uint32Array;

  constructor(expression: Expression, isEthernet: boolean) {
    const { blocks, entry } = withoutKnownTests(
      blocksOf(conditionOf(expression, new FrameLayout(isEthernet))),
    );
    this.#code = encode(blocks);
    this.#entry = target(entry);
    this.#registers = new Uint32Array(registersOf(blocks));
  }

  /** It contradicts itself, or asks for what frames of this link type do not have. */
  get matchesNothing(): boolean {
    return this.#entry === REJECT;
  }

  /**
   * Says whether a frame matches. One that is cut before a byte that is asked for does not.
   *
   * @param view     the block that the frame lies in
   * @param wireLen  bytes of the frame before anything cut it
   */
  matches(view: DataView, frameAt: number, frameEnd: number, wireLen: number): boolean {
    const code = this.#code;
    let at = this.#entry;
    while (at >= 0) {
      const load = code[at]!;
      if (load >= REGISTERS) {
        at = this.#reckon(view, frameAt, frameEnd, wireLen, at) ? code[at + 6]! : REJECT;
        continue;
      }
      let value: number;
      if (load === Load.length) value = wireLen;
      else if (load === Load.register) value = this.#registers[0]!;
      else {
        let from = frameAt + code[at + 1]!;
        if (load >= Load.transportByte) {
          const headerAt = frameAt + code[at + 2]!;
          if (headerAt >= frameEnd) return false;
          from += code[at + 2]! + ((view.getUint8(headerAt) & 0xf) << 2);
        }
        if (from + widths[load]! > frameEnd) return false;
        value = loadFrom(view, load, from);
      }
      at = holds(value & code[at + 3]!, code[at + 4]!, code[at + 5]!) ? code[at + 6]! : code[at + 7]!;
    }
    return at === ACCEPT;
  }

  /** Does one step; false where a byte is not there or something is divided by 0. */
  #reckon(view: DataView, frameAt: number, frameEnd: number, wireLen: number, at: number): boolean {
    const code = this.#code;
    const registers = this.#registers;
    const register = code[at + 3]!;
    const reckon = code[at]! - REGISTERS;
    if (reckon === Reckon.set) registers[register] = code[at + 1]!;
    else if (reckon === Reckon.length) registers[register] = wireLen;
    else if (reckon === Reckon.load) {
      const load = code[at + 4]!;
      let index = registers[register]!;
      if (load >= Load.transportByte) {
        const headerAt = frameAt + code[at + 2]!;
        if (headerAt >= frameEnd) return false;
        index = (index + ((view.getUint8(headerAt) & 0xf) << 2)) >>> 0;
      }
      const from = frameAt + code[at + 1]! + (load >= Load.transportByte ? code[at + 2]! : 0) + index;
      if (from + widths[load]! > frameEnd) return false;
      registers[register] = loadFrom(view, load, from);
    } else {
      const right = registers[register + 1]!;
      if (right === 0 && (reckon === Reckon.divide || reckon === Reckon.remainder)) return false;
      registers[register] = operate(reckon, registers[register]!, right);
    }
    return true;
  }
}

const widths = Uint8Array.of(1, 2, 4, 1, 2, 4);

function loadFrom(view: DataView, load: number, at: number): number {
  if (load === Load.half || load === Load.transportHalf) return view.getUint16(at);
  if (load === Load.byte || load === Load.transportByte) return view.getUint8(at);
  return view.getInt32(at);
}

function holds(value: number, compare: number, other: number): boolean {
  if (compare === Compare.equal) return value === other;
  return compare === Compare.greater ? value >>> 0 > other >>> 0 : value >>> 0 >= other >>> 0;
}

/** Whole numbers of 32 bits; what is more is cut off when it is stored. */
function operate(reckon: number, left: number, right: number): number {
  switch (reckon) {
    case Reckon.add:
      return left + right;
    case Reckon.subtract:
      return left - right;
    case Reckon.multiply:
      return Math.imul(left, right);
    case Reckon.divide:
      return Math.trunc(left / right);
    case Reckon.remainder:
      return left % right;
    case Reckon.and:
      return left & right;
    case Reckon.or:
      return left | right;
    case Reckon.xor:
      return left ^ right;
    // by 32 and more nothing is left
    case Reckon.shiftLeft:
      return right > 31 ? 0 : left << right;
    case Reckon.shiftRight:
      return right > 31 ? 0 : left >>> right;
    case Reckon.equal:
      return left === right ? 1 : 0;
    case Reckon.greater:
      return left > right ? 1 : 0;
    default:
      return left >= right ? 1 : 0;
  }
}

/** A block's number, or an end, as a program has it. */
function target(block: number): number {
  return block < 0 ? block : block << WORDS_SHIFT;
}

function encode(blocks: Blocks['blocks']): Int32Array {
  return Int32Array.from(
    blocks.flatMap(({ what, onTrue, onFalse }) => {
      const next = [target(onTrue), target(onFalse)];
      if (what.kind === 'test')
        return [what.load, what.offset, what.base, what.mask, what.compare, what.value, ...next];
      const first = what.reckon === Reckon.set ? what.value : what.offset;
      return [REGISTERS + what.reckon, first, what.base, what.register, what.load, 0, ...next];
    }),
  );
}

function registersOf(blocks: Blocks['blocks']): number {
  return 2 + Math.max(0, ...blocks.map(({ what }) => (what.kind === 'step' ? what.register : 0)));
}
