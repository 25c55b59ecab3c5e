import { expect, test } from 'vitest';
import { HttpRequest, isResponse, readRequest, RequestState } from '../../../src/wire/http-request.ts';

const { whole, cut, none } = RequestState;
const found = new HttpRequest();

/** What is read of a text between bytes of other packets. */
function read(text: string) {
  const bytes = Buffer.from(`GET ${text}Host: wrong.example\r\n\r\n`, 'latin1');
  const state = readRequest(bytes, 4, 4 + text.length, found);
  const method = found.methodEnd < 0 ? undefined : bytes.toString('latin1', 4, found.methodEnd);
  const host = found.hostAt < 0 ? undefined : bytes.toString('latin1', found.hostAt, found.hostEnd);
  return { state, method, host };
}

test.each([
  ['GET / HTTP/1.1\r\nHost: example.com\r\n\r\n', whole, 'GET', 'example.com'],
  ['GET / HTTP/1.1\r\nAccept: */*\r\nhOST:\t example.com:8080 \t\r\n', whole, 'GET', 'example.com:8080'],
  ['POST /a b HTTP/1.0\r\nHost:example.com\r\n', whole, 'POST', 'example.com'],
  ['PROPFIND /x HTTP/1.1\nHost: lf.example\n\n', whole, 'PROPFIND', 'lf.example'],
  ['M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n', whole, 'M-SEARCH', '239.255.255.250:1900'],
  ['GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', whole, 'GET', 'a'],
  ['GET / HTTP/1.1\r\nHost:\r\n\r\n', whole, 'GET', ''],
  ['GET / HTTP/1.0\r\n\r\nHost: body.example\r\n', whole, 'GET', undefined],
  ['GET / HTTP/1.1\r\nX-Host: no\r\nHosts: no\r\nHost \r\nHost', cut, 'GET', undefined],
  ['GET / HTTP/1.1\r\nHost: example.co', cut, 'GET', undefined],
  ['GET / HTTP/1.1\r\n', cut, 'GET', undefined],
  ['GET /long?query', cut, 'GET', undefined],
  ['CONNECT example', cut, 'CONNECT', undefined],
  ['PROPFIND /lo', none, undefined, undefined],
  ['GET / HTTP/2.0\r\n\r\n', none, undefined, undefined],
  ['GET HTTP/1.1\r\n\r\n', none, undefined, undefined],
  ['GET / HTTP/1.x\r\n\r\n', none, undefined, undefined],
  ['GET /\r\nHost: example.com\r\n', none, undefined, undefined],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', none, undefined, undefined],
  ['OPTIONS sip:a@example.com SIP/2.0\r\n', none, undefined, undefined],
  ['EHLO mail.example\r\n', none, undefined, undefined],
  ['get / HTTP/1.1\r\n\r\n', none, undefined, undefined],
  [' / HTTP/1.1\r\n\r\n', none, undefined, undefined],
  ['GET', none, undefined, undefined],
  ['AMETHODOFTWENTYONEABC / HTTP/1.1\r\n', none, undefined, undefined],
  ['', none, undefined, undefined],
])('%j', (text, state, method, host) => {
  expect(read(text)).toEqual({ state, method, host });
});

test('a byte that is no colon but would be one with a bit set ends no name', () => {
  expect(read('GET / HTTP/1.1\r\nHost\x1a example.com\r\n\r\n').host).toBeUndefined();
});

test('a head without end is read to 16 KiB', () => {
  const head = `GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(4000)}`;
  expect(read(`${head}Host: far.example\r\n`)).toEqual({ state: cut, method: 'GET', host: undefined });
});

test('an answer begins with the version', () => {
  const answers = (text: string) => isResponse(Buffer.from(` ${text}`), 1, 1 + text.length);
  expect(answers('HTTP/1.1 200 OK')).toBe(true);
  expect(answers('HTTP/1.')).toBe(true);
  expect(answers('HTTP/1')).toBe(false);
  expect(answers('HTTP/2 200')).toBe(false);
  expect(answers('XTTP/1.1 200')).toBe(false);
});
