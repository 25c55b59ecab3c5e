import { expect, test } from 'vitest';
import {
  family,
  port,
  SOCKET_ADDRESS_MAX_LEN,
  setPort,
  socketAddressOf,
} from '../../../src/inputs/socket-address.ts';
import { parseAddress } from '../../../src/wire/address.ts';
import { blockOf } from '../../../src/wire/block.ts';
import { hex } from '../../support/hex.ts';

// linux/in.h, linux/in6.h; field by field
const vectors = [
  { text: '192.0.2.1', scope: 0, bytes: '0200 12b5 c0000201 0000000000000000' },
  { text: '0.0.0.0', scope: 0, bytes: '0200 12b5 00000000 0000000000000000' },
  { text: '::', scope: 0, bytes: '0a00 12b5 00000000 00000000000000000000000000000000 00000000' },
  { text: '2001:db8::7', scope: 0, bytes: '0a00 12b5 00000000 20010db8000000000000000000000007 00000000' },
  { text: 'fe80::1', scope: 258, bytes: '0a00 12b5 00000000 fe800000000000000000000000000001 02010000' },
];

test.each(vectors)('$text, port 4789', ({ text, scope, bytes }) => {
  const name = socketAddressOf(parseAddress(text)!, 4789, scope);
  expect(name).toEqual(Buffer.from(hex(bytes)));
  expect(name.length).toBeLessThanOrEqual(SOCKET_ADDRESS_MAX_LEN);
  const { view } = blockOf(name);
  expect([family(view, 0), port(view, 0)]).toEqual([bytes.startsWith('02') ? 2 : 10, 4789]);
  setPort(view, 0, 65_535);
  expect(port(view, 0)).toBe(65_535);
});
