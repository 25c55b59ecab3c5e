import type { FlowName, NameKind } from '../../packet/flow-record.ts';
import type { NameText } from '../../wire/name-text.ts';
import { AnalysisTally } from '../analysis-tally.ts';

/** Instead of a cell: there is none. The first cell of the memory is never used. */
export const NO_HEAD = 0;
/** Most names that are kept of one flow. */
export const NAMES_MAX = 12;

/** Bytes of a cell. */
const CELL_LEN = 64;
const CELL_WORDS = CELL_LEN / 4;
/** A cell begins with the number of the next one. */
const LINK_LEN = 4;
// The first cell of a flow goes on with what follows, a byte each but the first.
/** Bytes of names in the flow's cells, 2 bytes. */
const USED = 4;
const COUNT = 6;
const STATE = 7;
const ASSEMBLY = 8;
/** Cells of the flow. */
const CELLS = 9;
const HEAD_LEN = 10;
/** Bytes of a name before its text: kind and length. */
const NAME_HEADER_LEN = 2;

/**
 * Names of all flows of a worker in memory of one size: cells of 64 bytes, those of a flow chained.
 *
 * A flow is known by the number of its first cell, which also holds what the finder remembers of it. Names lie one
 * after the other (kind, length, text) over the cells. The memory is asked for at once; the system gives its pages when
 * they are first used. Allocates nothing but in `names`.
 */
export class NameArena {
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #cells: number;
  readonly #tally: Float64Array;
  /** Cells that were given back, chained. */
  #free = NO_HEAD;
  #freeCells = 0;
  /** Cells from here on were never used. */
  #fresh = 1;
  /** Byte of a chain that is read or written next. */
  #cursor = 0;

  /**
   * @param nameBytes bytes of memory, of which a cell is lost
   * @param tally     the worker's row of `AnalysisTally`
   */
  constructor(nameBytes: number, tally: Float64Array) {
    this.#cells = Math.max(1, Math.floor(nameBytes / CELL_LEN));
    const memory = new ArrayBuffer(this.#cells * CELL_LEN);
    this.#bytes = new Uint8Array(memory);
    this.#words = new Uint32Array(memory);
    this.#tally = tally;
  }

  /** What the finder remembers of a flow, 8 bits; 0 at first. */
  state(head: number): number {
    return this.#bytes[head * CELL_LEN + STATE]!;
  }

  setState(head: number, state: number): void {
    this.#bytes[head * CELL_LEN + STATE] = state;
  }

  /** Number of the assembly in which the flow has bytes, 8 bits; 0 at first. */
  assembly(head: number): number {
    return this.#bytes[head * CELL_LEN + ASSEMBLY]!;
  }

  setAssembly(head: number, number: number): void {
    this.#bytes[head * CELL_LEN + ASSEMBLY] = number;
  }

  /**
   * Adds a name unless the flow has it, and returns the flow's head: a new one where it was NO_HEAD and there is room.
   * A name that finds no place, is longer than NAME_TEXT_MAX, or one more than NAMES_MAX, is counted as dropped.
   */
  add(head: number, kind: NameKind, text: NameText): number {
    if (text.overflowed) return this.#drop(head);
    const needed = NAME_HEADER_LEN + text.length;
    if (head === NO_HEAD) {
      const first = this.#open(needed);
      if (first === NO_HEAD) return this.#drop(head);
      this.#append(first, kind, text);
      return first;
    }
    if (this.#holds(head, kind, text)) return head;
    const at = head * CELL_LEN;
    if (this.#bytes[at + COUNT] === NAMES_MAX || !this.#extend(head, this.#used(at) + needed)) {
      return this.#drop(head);
    }
    this.#append(head, kind, text);
    return head;
  }

  /** Names of a flow in the order in which they were added. */
  names(head: number): FlowName[] {
    const names: FlowName[] = [];
    if (head === NO_HEAD) return names;
    this.#cursor = head * CELL_LEN + HEAD_LEN;
    for (let left = this.#bytes[head * CELL_LEN + COUNT]!; left > 0; left--) {
      const kind = this.#take() as NameKind;
      let text = '';
      for (let length = this.#take(); length > 0; length--) text += String.fromCharCode(this.#take());
      names.push({ kind, text });
    }
    return names;
  }

  /** Gives back all cells of a flow. */
  free(head: number): void {
    if (head === NO_HEAD) return;
    const cells = this.#bytes[head * CELL_LEN + CELLS]!;
    let last = head;
    for (let i = 1; i < cells; i++) last = this.#next(last);
    this.#words[last * CELL_WORDS] = this.#free;
    this.#free = head;
    this.#freeCells += cells;
    this.#measure();
  }

  /** The first cell of a new flow, and as many as so many bytes of names need. */
  #open(needed: number): number {
    if (!this.#hasRoom(cellsFor(needed))) return NO_HEAD;
    const head = this.#takeCell();
    this.#bytes.fill(0, head * CELL_LEN, head * CELL_LEN + HEAD_LEN);
    this.#bytes[head * CELL_LEN + CELLS] = 1;
    this.#extend(head, needed);
    return head;
  }

  /** Makes room for so many bytes of names in all; false, and nothing done, where there is none. */
  #extend(head: number, needed: number): boolean {
    const at = head * CELL_LEN;
    const cells = this.#bytes[at + CELLS]!;
    const more = cellsFor(needed) - cells;
    if (!this.#hasRoom(more)) return false;
    let last = head;
    for (let i = 1; i < cells; i++) last = this.#next(last);
    for (let i = 0; i < more; i++) {
      const cell = this.#takeCell();
      this.#words[last * CELL_WORDS] = cell;
      last = cell;
    }
    this.#bytes[at + CELLS] = cells + more;
    this.#measure();
    return true;
  }

  #hasRoom(cells: number): boolean {
    return cells <= this.#freeCells + this.#cells - this.#fresh;
  }

  #takeCell(): number {
    if (this.#free === NO_HEAD) return this.#fresh++;
    const cell = this.#free;
    this.#free = this.#next(cell);
    this.#freeCells--;
    return cell;
  }

  /** Writes a name behind the others; there is room for it. */
  #append(head: number, kind: NameKind, text: NameText): void {
    const at = head * CELL_LEN;
    const used = this.#used(at);
    this.#cursor = at + HEAD_LEN;
    this.#skip(used);
    this.#put(kind);
    this.#put(text.length);
    for (let i = 0; i < text.length; i++) this.#put(text.bytes[i]!);
    const total = used + NAME_HEADER_LEN + text.length;
    this.#bytes[at + USED] = total;
    this.#bytes[at + USED + 1] = total >>> 8;
    this.#bytes[at + COUNT]! += 1;
  }

  #holds(head: number, kind: NameKind, text: NameText): boolean {
    this.#cursor = head * CELL_LEN + HEAD_LEN;
    for (let left = this.#bytes[head * CELL_LEN + COUNT]!; left > 0; left--) {
      const sameKind = this.#take() === kind;
      const length = this.#take();
      if (!sameKind || length !== text.length) {
        this.#skip(length);
        continue;
      }
      let same = 0;
      for (let i = 0; i < length; i++) if (this.#take() === text.bytes[i]) same++;
      if (same === length) return true;
    }
    return false;
  }

  #used(at: number): number {
    return this.#bytes[at + USED]! | (this.#bytes[at + USED + 1]! << 8);
  }

  #take(): number {
    this.#cross();
    return this.#bytes[this.#cursor++]!;
  }

  #put(byte: number): void {
    this.#cross();
    this.#bytes[this.#cursor++] = byte;
  }

  #skip(length: number): void {
    let left = length;
    while (left > 0) {
      this.#cross();
      const step = Math.min(left, CELL_LEN - (this.#cursor % CELL_LEN));
      this.#cursor += step;
      left -= step;
    }
  }

  /** Goes to the next cell of the chain where the cursor is past the end of one. */
  #cross(): void {
    if (this.#cursor % CELL_LEN !== 0) return;
    this.#cursor = this.#next(this.#cursor / CELL_LEN - 1) * CELL_LEN + LINK_LEN;
  }

  #next(cell: number): number {
    return this.#words[cell * CELL_WORDS]!;
  }

  #drop(head: number): number {
    this.#tally[AnalysisTally.namesDropped]! += 1;
    return head;
  }

  #measure(): void {
    this.#tally[AnalysisTally.nameBytes] = (this.#fresh - 1 - this.#freeCells) * CELL_LEN;
  }
}

/** Cells of a flow with so many bytes of names. */
function cellsFor(used: number): number {
  const others = used - (CELL_LEN - HEAD_LEN);
  return 1 + Math.max(0, Math.ceil(others / (CELL_LEN - LINK_LEN)));
}
