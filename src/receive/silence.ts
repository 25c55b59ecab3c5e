/** A VNI that is expected to carry traffic, and how long it may be quiet. */
export interface Expectation {
  readonly vni: number;
  readonly silentSeconds: number;
}

/** One change: a VNI fell silent, or is heard again. */
export interface SilenceChange {
  readonly vni: number;
  readonly silent: boolean;
  /** Seconds since its last packet, or since watching began where none ever came. */
  readonly quietSeconds: number;
}

/**
 * Watches expected VNIs. Mirroring fails without an error at the source: that nothing comes any more is the
 * only sign there is.
 */
export class SilenceWatch {
  readonly #expectations: readonly Expectation[];
  readonly #silent: boolean[];
  readonly #sinceSeconds: number;

  constructor(expectations: readonly Expectation[], nowSeconds: number) {
    this.#expectations = expectations;
    this.#silent = expectations.map(() => false);
    this.#sinceSeconds = nowSeconds;
  }

  /**
   * @param lastSeconds when a VNI's last packet came, seconds since the epoch; 0 for never
   * @returns what changed since the last call
   */
  check(nowSeconds: number, lastSeconds: (vni: number) => number): SilenceChange[] {
    const changes: SilenceChange[] = [];
    for (const [index, { vni, silentSeconds }] of this.#expectations.entries()) {
      const quietSeconds = nowSeconds - Math.max(lastSeconds(vni), this.#sinceSeconds);
      const silent = quietSeconds >= silentSeconds;
      if (silent !== this.#silent[index]) changes.push({ vni, silent, quietSeconds });
      this.#silent[index] = silent;
    }
    return changes;
  }

  /** Every expected VNI and whether it is silent, as of the last check. */
  states(): { vni: number; silent: boolean }[] {
    return this.#expectations.map(({ vni }, index) => ({ vni, silent: this.#silent[index] === true }));
  }
}
