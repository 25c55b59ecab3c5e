const PLACEHOLDER = '{vni}';

/** Most topics that one pattern makes: who sends to VNIs at random shall not fill a cluster with topics. */
export const TOPICS_MAX = 1000;

/** Names of topics: one, or one a VNI where the pattern has `{vni}` in it. */
export class TopicNames {
  /** The name, where it is the same for all. */
  readonly fixed: string | undefined;
  readonly #pattern: string;
  readonly #byVni = new Map<number, string>();

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.fixed = pattern.includes(PLACEHOLDER) ? undefined : pattern;
  }

  /** undefined for a VNI past the limit. */
  of(vni: number): string | undefined {
    if (this.fixed !== undefined) return this.fixed;
    const known = this.#byVni.get(vni);
    if (known !== undefined || this.#byVni.size === TOPICS_MAX) return known;
    const name = this.#pattern.replaceAll(PLACEHOLDER, String(vni));
    this.#byVni.set(vni, name);
    return name;
  }
}
