/**
 * Writes out the value of an option whose value may be left out, so that the parser does not take what stands behind it
 * for one: in `--repair-checksums a.pcap`, a file.
 *
 * @param values what may stand behind it as its value; the first one is meant where none does
 */
export function spellOut(
  args: readonly string[],
  option: string,
  values: readonly [string, ...string[]],
): string[] {
  const end = args.indexOf('--');
  return args.map((arg, index) => {
    const isBare = arg === option && (end < 0 || index < end);
    return isBare && !values.includes(args[index + 1] ?? '') ? `${option}=${values[0]}` : arg;
  });
}
