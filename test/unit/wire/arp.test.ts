import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import * as arp from '../../../src/wire/arp.ts';
import { emission } from '../../support/emission.ts';
import { hex, toHex } from '../../support/hex.ts';
import { arpVectors } from '../../vectors/arp.ts';

test.each(arpVectors)('$name', (row) => {
  const bytes = hex(row.bytes);
  expect(arp.complete(bytes, 0, bytes.length)).toBe(row.complete);
  if (!row.complete) return;
  expect(arp.operation(bytes, 0)).toBe(row.operation);
  expect(toHex(bytes.subarray(arp.SENDER_HARDWARE, arp.TARGET_HARDWARE))).toBe(toHex(hex(row.sender)));
  expect(toHex(bytes.subarray(arp.TARGET_HARDWARE, arp.LEN))).toBe(toHex(hex(row.target)));
});

test('emit writes what is read, at any offset, and touches nothing else', () => {
  const hardware = fc.uint8Array({ minLength: 6, maxLength: 6 });
  const protocol = fc.uint8Array({ minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.constantFrom(arp.Operation.request, arp.Operation.reply),
      fc.tuple(hardware, protocol, hardware, protocol),
      fc.nat(64),
      (operation, addresses, at) => {
        const written = emission(arp.LEN, at, (bytes, offset) =>
          arp.emit(bytes, offset, operation, ...addresses),
        );
        expect(arp.complete(written, 0, written.length)).toBe(true);
        expect(arp.operation(written, 0)).toBe(operation);
        const [senderHardware, senderProtocol, targetHardware, targetProtocol] = addresses;
        expect(written.subarray(arp.SENDER_HARDWARE, arp.SENDER_PROTOCOL)).toEqual(senderHardware);
        expect(written.subarray(arp.SENDER_PROTOCOL, arp.TARGET_HARDWARE)).toEqual(senderProtocol);
        expect(written.subarray(arp.TARGET_HARDWARE, arp.TARGET_PROTOCOL)).toEqual(targetHardware);
        expect(written.subarray(arp.TARGET_PROTOCOL, arp.LEN)).toEqual(targetProtocol);
      },
    ),
  );
});
