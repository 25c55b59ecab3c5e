import { expect, test } from 'vitest';
import { familyName, optionName } from '../../../src/native/names.ts';

test.each([
  { level: 1, option: 8, name: 'SO_RCVBUF' },
  { level: 263, option: 5, name: 'PACKET_RX_RING' },
  { level: 41, option: 26, name: 'IPV6_V6ONLY' },
  { level: 0, option: 8, name: 'IP_PKTINFO' },
  { level: 17, option: 104, name: 'UDP_GRO' },
  { level: 263, option: 999, name: 'level 263 option 999' },
  { level: 6, option: 1, name: 'level 6 option 1' },
])('option $option of level $level is $name', ({ level, option, name }) => {
  expect(optionName(level, option)).toBe(name);
});

test.each([
  { family: 17, name: 'AF_PACKET' },
  { family: 99, name: 'family 99' },
])('family $family is $name', ({ family, name }) => {
  expect(familyName(family)).toBe(name);
});
