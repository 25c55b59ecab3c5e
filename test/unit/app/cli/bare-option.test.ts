import { expect, test } from 'vitest';
import { spellOut } from '../../../../src/app/cli/bare-option.ts';

test.each([
  ['before a file', '--repair a.pcap --out d', '--repair=partial a.pcap --out d'],
  ['before an option', 'a.pcap --repair --out d', 'a.pcap --repair=partial --out d'],
  ['at the end', 'a.pcap --repair', 'a.pcap --repair=partial'],
  ['with a value', '--repair all a.pcap', '--repair all a.pcap'],
  ['with its own default', '--repair partial a.pcap', '--repair partial a.pcap'],
  ['with a value behind =', '--repair=all a.pcap', '--repair=all a.pcap'],
  ['where it is a file', '-- --repair a.pcap', '-- --repair a.pcap'],
])('an option whose value may be left out, %s', (_name, typed, meant) => {
  expect(spellOut(typed.split(' '), '--repair', ['partial', 'all'])).toEqual(meant.split(' '));
});
