import { vniRange } from '../../wire/vni-range.ts';
import { type CompiledFilter, compileFilter } from './compile-filter.ts';

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

/** What a sink is to be given. */
export interface Selection {
  readonly vnis: readonly (readonly [first: number, last: number])[];
  readonly filter: CompiledFilter | undefined;
  readonly snapLength: number;
  readonly sampleFlows: number;
}

/**
 * Checked settings as what they ask for; undefined where that is everything.
 *
 * @throws FilterError, RangeError: the settings were not checked
 */
export function selectionOf({
  vnis,
  filter,
  snapLength,
  sampleFlows,
}: SelectionTexts): Selection | undefined {
  const selection = { vnis: vnis.map(vniRange), filter: compileFilter(filter), snapLength, sampleFlows };
  const isAll = selection.filter === undefined && vnis.length === 0 && snapLength === 0 && sampleFlows <= 1;
  return isAll ? undefined : selection;
}
