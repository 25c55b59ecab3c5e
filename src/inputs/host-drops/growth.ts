/**
 * How much counters of the system grew since they were first seen, added up by place. Sums never become less: a
 * counter that was set back goes on from where it is, and one that is gone leaves what it had.
 */
export class Growth {
  readonly #sums = new Map<string, number>();
  /** Last values, by place and owner; owners that are gone are forgotten. */
  #last = new Map<string, number>();
  #seen = new Map<string, number>();

  /** By place; a place is there from the first counter that was seen for it. */
  get sums(): ReadonlyMap<string, number> {
    return this.#sums;
  }

  /**
   * The value of a counter now.
   *
   * @param where the place it belongs to
   * @param owner whose counter it is, as in a network interface; one counter a place and owner
   */
  see(where: string, owner: string, value: number): void {
    const key = `${where} ${owner}`;
    const last = this.#last.get(key) ?? value;
    this.#sums.set(where, (this.#sums.get(where) ?? 0) + Math.max(0, value - last));
    this.#seen.set(key, value);
  }

  /** All counters that there are now were seen. */
  endRound(): void {
    this.#last = this.#seen;
    this.#seen = new Map();
  }
}
