import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encapsulate, headersLen } from '../../../src/mirror/encapsulate.ts';
import {
  makeSession,
  WHOLE_FRAME,
  type MirrorSession,
  type TargetType,
} from '../../../src/mirror/session.ts';
import { sourcePort } from '../../../src/mirror/source-port.ts';
import { parseAddress } from '../../../src/wire/address.ts';
import { emission } from '../../support/emission.ts';
import { hex, toHex } from '../../support/hex.ts';

function session(
  type: TargetType,
  source: string,
  destination: string,
  vni: number,
  more: { readonly vxlanPort?: number } = {},
): MirrorSession {
  const bytes = (text: string): Uint8Array => parseAddress(text)?.bytes ?? new Uint8Array();
  const ids = { endpointHigh: 0x0123_4567, endpointLow: 0x89ab_cdef };
  const target = { type, address: bytes(destination), ...ids, ...more };
  return makeSession({ address: bytes(source) }, target, vni, WHOLE_FRAME);
}

const HASH = 0xdead_beef;
const port = sourcePort(HASH).toString(16);
const OPTIONS = '01080102 0123456789abcdef 01080202 0000000000000000 01080301 deadbeef';

const cases = [
  {
    name: 'VXLAN (RFC 7348 section 5)',
    session: session('network-interface', '10.0.1.10', '10.0.9.9', 42),
    bytes: '08 000000 00002a 00  a1a2a3a4a5',
  },
  {
    name: 'VXLAN to a network load balancer, largest VNI',
    session: session('network-load-balancer', '2001:db8::1', '2001:db8::2', 0xff_ffff),
    bytes: '08 000000 ffffff 00  a1a2a3a4a5',
  },
  {
    // checksum by hand (RFC 791): 4500+0029+ff11+0a00+010a+0a00+0909 = 1624d, folded 624e, inverted 9db1
    name: 'GENEVE around IPv4, UDP and VXLAN',
    session: session('gateway-load-balancer-endpoint', '10.0.1.10', '10.0.9.9', 7),
    bytes: `08 00 0800 000000 00 ${OPTIONS}
            45 00 0029 0000 0000 ff 11 9db1 0a00010a 0a000909
            ${port} 12b5 0015 0000
            08 000000 000007 00  a1a2a3a4a5`,
  },
  {
    name: 'GENEVE around VXLAN on another port',
    session: session('gateway-load-balancer-endpoint', '10.0.1.10', '10.0.9.9', 7, { vxlanPort: 0x3a98 }),
    bytes: `08 00 0800 000000 00 ${OPTIONS}
            45 00 0029 0000 0000 ff 11 9db1 0a00010a 0a000909
            ${port} 3a98 0015 0000
            08 000000 000007 00  a1a2a3a4a5`,
  },
  {
    name: 'GENEVE around IPv6, UDP and VXLAN',
    session: session('gateway-load-balancer-endpoint', '2001:db8::1', '2001:db8::2', 7),
    bytes: `08 00 86dd 000000 00 ${OPTIONS}
            60000000 0015 11 ff 20010db8000000000000000000000001 20010db8000000000000000000000002
            ${port} 12b5 0015 0000
            08 000000 000007 00  a1a2a3a4a5`,
  },
];

test.each(cases)('$name', (row) => {
  const frame = hex('ffff a1a2a3a4a5 ffff');
  const expected = hex(row.bytes);
  expect(headersLen(row.session)).toBe(expected.length - 5);
  const written = emission(expected.length, 11, (target, at) =>
    encapsulate(row.session, frame, 2, 7, HASH, target, at),
  );
  expect(toHex(written)).toBe(toHex(expected));
});

test('the frame is the end of the datagram, whatever its length', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...cases),
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(0xffff_ffff),
      (row, frame, hash) => {
        const len = headersLen(row.session);
        const written = emission(len + frame.length, 3, (target, at) =>
          encapsulate(row.session, frame, 0, frame.length, hash, target, at),
        );
        expect(toHex(written.subarray(len))).toBe(toHex(frame));
      },
    ),
  );
});
