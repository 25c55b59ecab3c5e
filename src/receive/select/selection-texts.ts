/** The settings under `select` of a sink, as text and numbers. */
export interface SelectionTexts {
  /** A VNI, or an inclusive range such as `100-199`; empty: all. */
  readonly vnis: readonly (number | string)[];
  /** In the language of tcpdump; empty: all. */
  readonly filter: string;
  /** Most bytes of each frame; 0: as many as arrived. */
  readonly snapLength: number;
  /** One flow in so many; 0 and 1: all. */
  readonly sampleFlows: number;
}

export const everything: SelectionTexts = { vnis: [], filter: '', snapLength: 0, sampleFlows: 1 };

/** Says whether nothing is left out and nothing cut. */
export function asksForAll({ vnis, filter, snapLength, sampleFlows }: SelectionTexts): boolean {
  return vnis.length === 0 && filter.trim() === '' && snapLength === 0 && sampleFlows <= 1;
}
