import { type Cidr, parseCidr } from '../wire/address.ts';
import { vniRange } from '../wire/vni-range.ts';
import type { AdmissionRules } from './admission.ts';

/** The settings under `admission` that say who is admitted, as text and numbers. */
export interface AdmissionTexts {
  readonly sources: readonly string[];
  readonly mirrorSources: readonly string[];
  /** A VNI, or an inclusive range such as `100-199`. */
  readonly vnis: readonly (number | string)[];
}

/**
 * Checked settings as rules.
 *
 * @throws RangeError for a text that is neither an address block nor a range of VNIs: the settings were not checked
 */
export function admissionRules(texts: AdmissionTexts): AdmissionRules {
  return {
    sources: texts.sources.map(addressBlock),
    mirrorSources: texts.mirrorSources.map(addressBlock),
    vnis: texts.vnis.map(vniRange),
  };
}

function addressBlock(text: string): Cidr {
  const block = parseCidr(text);
  if (block === undefined) throw new RangeError(`Not an address block: ${text}`);
  return block;
}
