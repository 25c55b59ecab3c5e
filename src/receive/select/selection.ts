import { vniRange } from '../../wire/vni-range.ts';
import { type CompiledFilter, compileFilter } from './compile-filter.ts';
import { asksForAll, type SelectionTexts } from './selection-texts.ts';

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
export function selectionOf(texts: SelectionTexts): Selection | undefined {
  const { vnis, filter, snapLength, sampleFlows } = texts;
  if (asksForAll(texts)) return undefined;
  return { vnis: vnis.map(vniRange), filter: compileFilter(filter), snapLength, sampleFlows };
}
