import { type Cidr, parseCidr } from '../wire/address.ts';
import type { AdmissionRules } from './admission.ts';

/** Largest VXLAN and GENEVE network identifier: 24 bits. */
const VNI_MAX = 0xff_ffff;

/** The settings under `admission` that say who is admitted, as text and numbers. */
export interface AdmissionTexts {
  readonly sources: readonly string[];
  readonly mirrorSources: readonly string[];
  /** A VNI, or an inclusive range such as `100-199`. */
  readonly vnis: readonly (number | string)[];
}

/** An inclusive range of VNIs from text such as `100-199`; `undefined` if it is not one or runs backwards. */
export function parseVniRange(text: string): readonly [first: number, last: number] | undefined {
  const match = /^(\d{1,8})-(\d{1,8})$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2]);
  return first <= last && last <= VNI_MAX ? [first, last] : undefined;
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

function vniRange(vni: number | string): readonly [first: number, last: number] {
  const range = typeof vni === 'number' ? ([vni, vni] as const) : parseVniRange(vni);
  if (range === undefined) throw new RangeError(`Not a range of VNIs: ${vni}`);
  return range;
}
