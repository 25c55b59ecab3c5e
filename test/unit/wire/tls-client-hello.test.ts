import { describe, expect, test } from 'vitest';
import {
  ClientHello,
  HelloState,
  isGrease,
  messageLen,
  readClientHello,
} from '../../../src/wire/tls-client-hello.ts';
import {
  applicationProtocols,
  clientHello,
  prefixed,
  serverName,
  signatureAlgorithms,
  supportedVersions,
} from '../../support/client-hello.ts';
import { hex } from '../../support/hex.ts';
import { quicCryptoFrame } from '../../vectors/quic-initial.ts';

const found = new ClientHello();

function text(bytes: Uint8Array, at: number, end: number): string | undefined {
  return at < 0 ? undefined : Buffer.from(bytes).toString('latin1', at, end);
}

test('the hello of RFC 9001 appendix A.2', () => {
  const bytes = hex(quicCryptoFrame).subarray(4);
  expect(messageLen(bytes, 0)).toBe(bytes.length);
  expect(readClientHello(bytes, 0, bytes.length, found)).toBe(HelloState.whole);
  expect(text(bytes, found.serverNameAt, found.serverNameEnd)).toBe('example.com');
  expect(text(bytes, found.protocolAt, found.protocolEnd)).toBe('alpn');
  expect(found.version).toBe(0x0303);
  expect(found.ciphersEnd - found.ciphersAt).toBe(4);
  expect(found.versionsEnd - found.versionsAt).toBe(2);
  expect(found.signaturesEnd - found.signaturesAt).toBe(14);
  expect(found.extensionsEnd).toBe(bytes.length);
});

const message = clientHello({
  extensions: [
    serverName('example.org'),
    applicationProtocols(Buffer.from('h2'), Buffer.from('http/1.1')),
    supportedVersions(0x0304),
    signatureAlgorithms(0x0403, 0x0804),
  ],
});

test('a cut hello gives what is whole in it, and nothing of what is cut', () => {
  expect(readClientHello(message, 0, message.length, found)).toBe(HelloState.whole);
  const { serverNameEnd, protocolEnd, ciphersEnd } = found;
  for (let end = 0; end < message.length; end++) {
    // what lies behind the cut is another packet's
    const bytes = Buffer.concat([message.subarray(0, end), Buffer.alloc(200, 0x61)]);
    expect(readClientHello(bytes, 0, end, found)).toBe(HelloState.cut);
    expect(text(bytes, found.serverNameAt, found.serverNameEnd)).toBe(
      end >= serverNameEnd ? 'example.org' : undefined,
    );
    const listEnd = protocolEnd + 1 + 'http/1.1'.length;
    expect(text(bytes, found.protocolAt, found.protocolEnd)).toBe(end >= listEnd ? 'h2' : undefined);
    expect(found.ciphersAt >= 0).toBe(end > ciphersEnd);
  }
});

test('bytes after the message are not its own', () => {
  const bytes = Buffer.concat([message, serverName('other.example')[1]]);
  expect(readClientHello(bytes, 0, bytes.length, found)).toBe(HelloState.whole);
  expect(found.extensionsEnd).toBe(message.length);
});

test('a hello may end before its extensions', () => {
  const bytes = clientHello({ version: 0x0301, ciphers: [0x002f, 0x0035] });
  expect(readClientHello(bytes, 0, bytes.length, found)).toBe(HelloState.whole);
  expect(found.version).toBe(0x0301);
  expect(found.extensionsAt).toBe(-1);
  expect(readClientHello(bytes, 0, bytes.length - 1, found)).toBe(HelloState.cut);
});

test('what an earlier hello said is forgotten', () => {
  readClientHello(message, 0, message.length, found);
  readClientHello(Buffer.alloc(4, 2), 0, 4, found);
  expect(found).toEqual(new ClientHello());
});

describe('contradictions', () => {
  function patched(at: number, ...bytes: number[]): Buffer {
    const copy = Buffer.from(message);
    copy.set(bytes, at);
    return copy;
  }
  readClientHello(message, 0, message.length, found);
  const { ciphersAt, extensionsAt } = found;

  test.each([
    ['another message', patched(0, 2)],
    ['a session id of 33 bytes', clientHello({ sessionId: Buffer.alloc(33), extensions: [] })],
    ['half a cipher suite', patched(ciphersAt - 2, 0, 3)],
    ['cipher suites past the end of the message', patched(ciphersAt - 2, 0xff, 0xfe)],
    ['extensions that end before the message', patched(extensionsAt - 1, 1)],
    ['extensions that end after the message', patched(extensionsAt - 2, 0xff)],
    ['an extension past the end of the message', patched(extensionsAt + 2, 0xff)],
    ['a message that ends in its random', patched(1, 0, 0, 20)],
    ['a message that ends in its session id', patched(1, 0, 0, 50)],
    ['a message that ends in its compression methods', patched(1, 0, 0, ciphersAt + 2 - 4)],
    ['a message that ends in the length of its extensions', patched(1, 0, 0, extensionsAt - 1 - 4)],
  ])('%s', (_, bytes) => {
    expect(readClientHello(bytes, 0, bytes.length, found)).toBe(HelloState.bad);
  });

  test('an extension header past the end of the message', () => {
    const bytes = clientHello({ extensions: [[0x1234, Buffer.alloc(2)]] });
    bytes.writeUInt16BE(0, bytes.length - 4);
    expect(readClientHello(bytes, 0, bytes.length, found)).toBe(HelloState.bad);
  });

  test.each([
    ['no length of the list', [0, Buffer.alloc(1)]],
    ['a name past the list', [0, hex('0004 00 0009 61')]],
    ['a list past the extension', [0, hex('0040 00 0040 61')]],
    ['half a header of a name', [0, hex('0002 00 00')]],
    ['no protocol', [16, hex('0000')]],
    ['a protocol past the extension', [16, hex('0003 05 6832')]],
    ['versions past the extension', [43, hex('04 0304')]],
    ['half a version', [43, hex('03 030403')]],
    ['no versions', [43, hex('')]],
    ['no algorithms', [13, hex('00')]],
    ['algorithms past the extension', [13, hex('0004 0403')]],
    ['half an algorithm', [13, hex('0003 040308')]],
  ] as const)('in an extension: %s', (_, extension) => {
    const bytes = clientHello({ extensions: [extension] });
    expect(readClientHello(bytes, 0, bytes.length, found)).toBe(HelloState.whole);
    expect(found.serverNameAt).toBe(-1);
    expect(found.protocolAt).toBe(-1);
    expect(found.versionsAt).toBe(-1);
    expect(found.signaturesAt).toBe(-1);
    expect(found.hasServerName).toBe(extension[0] === 0 ? 1 : 0);
  });
});

test('a name that is no host name is passed over', () => {
  const list = Buffer.concat([Buffer.from([7]), prefixed(Buffer.from('other'), 2), hex('00 0001 62')]);
  const bytes = clientHello({ extensions: [[0, prefixed(list, 2)]] });
  expect(readClientHello(bytes, 0, bytes.length, found)).toBe(HelloState.whole);
  expect(text(bytes, found.serverNameAt, found.serverNameEnd)).toBe('b');
});

test('of two extensions of one type the first counts', () => {
  const bytes = clientHello({
    extensions: [
      serverName('a.example'),
      serverName('b.example'),
      supportedVersions(1),
      supportedVersions(2, 3),
    ],
  });
  expect(readClientHello(bytes, 0, bytes.length, found)).toBe(HelloState.whole);
  expect(text(bytes, found.serverNameAt, found.serverNameEnd)).toBe('a.example');
  expect(found.versionsEnd - found.versionsAt).toBe(2);
});

test('GREASE is the sixteen numbers of RFC 8701', () => {
  const numbers = Array.from({ length: 0x1_0000 }, (_, value) => value).filter(isGrease);
  expect(numbers).toEqual(Array.from({ length: 16 }, (_, i) => 0x0a0a + i * 0x1010));
});
