import { NEXT, NO_ROW, PREVIOUS, ROW_WORDS } from './flow-layout.ts';

/** Seconds that the wheel reaches ahead: a power of two. What is due later is looked at before its time, and put back. */
export const WHEEL_SECONDS = 1024;
const MASK = WHEEL_SECONDS - 1;
/** The list of rows whose second has come, behind those of the seconds. */
const DUE = WHEEL_SECONDS;

/**
 * Rows by the second in which they are to be looked at: a list for each second, linked both ways through the rows.
 *
 * A packet moves no row. A row whose time has moved on meanwhile is put back when its old time comes.
 */
export class TimingWheel {
  readonly #words: Int32Array;
  /** First row of each list + 1; 0 for none. */
  readonly #heads = new Int32Array(WHEEL_SECONDS + 1);
  /** The second whose list was made due last. */
  #reached = 0;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** Puts a row that is in no list where it is found in second `due`, or as far ahead as the wheel reaches. */
  put(row: number, due: number, now: number): void {
    const second = due <= now ? now + 1 : due < now + WHEEL_SECONDS ? due : now + WHEEL_SECONDS - 1;
    const list = second & MASK;
    const words = this.#words;
    const next = this.#heads[list]!;
    const at = row * ROW_WORDS;
    words[at + NEXT] = next;
    words[at + PREVIOUS] = -(list + 1);
    if (next !== 0) words[(next - 1) * ROW_WORDS + PREVIOUS] = row + 1;
    this.#heads[list] = row + 1;
  }

  /** Takes a row out of its list. */
  take(row: number): void {
    const words = this.#words;
    const next = words[row * ROW_WORDS + NEXT]!;
    const previous = words[row * ROW_WORDS + PREVIOUS]!;
    if (next !== 0) words[(next - 1) * ROW_WORDS + PREVIOUS] = previous;
    if (previous > 0) words[(previous - 1) * ROW_WORDS + NEXT] = next;
    else this.#heads[-previous - 1] = next;
  }

  /** Takes out a row whose second has come by `now`; NO_ROW once there is none. However far `now` is, a row comes once. */
  next(now: number): number {
    if (this.#heads[DUE] === 0 && !this.#reach(now)) return NO_ROW;
    const row = this.#heads[DUE]! - 1;
    this.take(row);
    return row;
  }

  /** Makes the next list due that is not empty; false where there is none up to `now`. */
  #reach(now: number): boolean {
    const heads = this.#heads;
    if (now - this.#reached > WHEEL_SECONDS) this.#reached = now - WHEEL_SECONDS;
    while (this.#reached < now) {
      this.#reached += 1;
      const list = this.#reached & MASK;
      const first = heads[list]!;
      if (first === 0) continue;
      heads[DUE] = first;
      heads[list] = 0;
      this.#words[(first - 1) * ROW_WORDS + PREVIOUS] = -(DUE + 1);
      return true;
    }
    return false;
  }
}
