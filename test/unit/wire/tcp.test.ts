import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import * as tcp from '../../../src/wire/tcp.ts';
import { emission } from '../../support/emission.ts';
import { hex } from '../../support/hex.ts';
import { tcpIncomplete, tcpVectors } from '../../vectors/tcp.ts';

test.each(tcpVectors)('$name', (row) => {
  const bytes = hex(row.bytes);
  expect(tcp.complete(bytes, 0, bytes.length)).toBe(true);
  expect(tcp.sourcePort(bytes, 0)).toBe(row.sourcePort);
  expect(tcp.destinationPort(bytes, 0)).toBe(row.destinationPort);
  expect(tcp.sequence(bytes, 0)).toBe(row.sequence);
  expect(tcp.acknowledgement(bytes, 0)).toBe(row.acknowledgement);
  expect(tcp.headerLen(bytes, 0)).toBe(row.headerLen);
  expect(tcp.flags(bytes, 0)).toBe(row.flags);
  expect(tcp.window(bytes, 0)).toBe(row.window);
  expect(tcp.checksum(bytes, 0)).toBe(row.checksum);
  expect(tcp.urgent(bytes, 0)).toBe(row.urgent);
});

test.each(tcpVectors)('$name: options by kind', (row) => {
  const bytes = hex(`aabb ${row.bytes}`);
  const options: Readonly<Record<string, number>> = row.options;
  for (const [kind, at] of Object.entries(options)) {
    expect(tcp.findOption(bytes, 2, Number(kind))).toBe(at < 0 ? -1 : 2 + at);
  }
});

test.each(tcpIncomplete)('not a whole header: $name', (row) => {
  const bytes = hex(row.bytes);
  expect(tcp.complete(bytes, 0, bytes.length)).toBe(false);
});

test('the flags stand in the order of RFC 9293, lowest first', () => {
  const order = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr'];
  expect(Object.entries(tcp.Flag)).toEqual(order.map((name, bit) => [name, 2 ** bit]));
});

test('emit writes what is read, at any offset, and touches nothing else', () => {
  const u16 = fc.nat(0xffff);
  const u32 = fc.nat(0xffff_ffff);
  const fields = fc.record({
    source: u16,
    destination: u16,
    sequence: u32,
    acknowledgement: u32,
    window: u16,
  });
  const flags = fc.subarray(Object.values(tcp.Flag)).map((bits) => bits.reduce((all, bit) => all | bit, 0));
  const words = fc.nat(10);
  fc.assert(
    fc.property(fields, flags, u16, words, fc.nat(64), (f, flagBits, checksum, optionWords, at) => {
      const written = emission(tcp.HEADER_LEN, at, (bytes, offset) =>
        tcp.emit(
          bytes,
          offset,
          f.source,
          f.destination,
          f.sequence,
          f.acknowledgement,
          flagBits,
          f.window,
          checksum,
          optionWords * 4,
        ),
      );
      expect(tcp.sourcePort(written, 0)).toBe(f.source);
      expect(tcp.destinationPort(written, 0)).toBe(f.destination);
      expect(tcp.sequence(written, 0)).toBe(f.sequence);
      expect(tcp.acknowledgement(written, 0)).toBe(f.acknowledgement);
      expect(tcp.headerLen(written, 0)).toBe(tcp.HEADER_LEN + optionWords * 4);
      expect(tcp.flags(written, 0)).toBe(flagBits);
      expect(tcp.window(written, 0)).toBe(f.window);
      expect(tcp.checksum(written, 0)).toBe(checksum);
      expect(tcp.urgent(written, 0)).toBe(0);
    }),
  );
});

test('emit without checksum and options leaves both out', () => {
  const written = emission(tcp.HEADER_LEN, 3, (bytes, at) =>
    tcp.emit(bytes, at, 1, 2, 3, 4, tcp.Flag.syn, 5),
  );
  expect(tcp.checksum(written, 0)).toBe(0);
  expect(tcp.complete(written, 0, written.length)).toBe(true);
});
