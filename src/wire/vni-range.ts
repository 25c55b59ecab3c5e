/** Largest VXLAN and GENEVE network identifier: 24 bits. */
export const VNI_MAX = 0xff_ffff;

/** An inclusive range of VNIs from text such as `100-199`; `undefined` if it is not one or runs backwards. */
export function parseVniRange(text: string): readonly [first: number, last: number] | undefined {
  const match = /^(\d{1,8})-(\d{1,8})$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2]);
  return first <= last && last <= VNI_MAX ? [first, last] : undefined;
}

/**
 * A VNI, or an inclusive range such as `100-199`, as a range.
 *
 * @throws RangeError for a text that is no range: the settings were not checked
 */
export function vniRange(vni: number | string): readonly [first: number, last: number] {
  const range = typeof vni === 'number' ? ([vni, vni] as const) : parseVniRange(vni);
  if (range === undefined) throw new RangeError(`Not a range of VNIs: ${vni}`);
  return range;
}
