import { type FlowName, NameKind } from '../packet/flow-record.ts';
import { parseAddress } from '../wire/address.ts';
import { piece, putPiece, putText } from './json-bytes.ts';

/** Most names of a record that are written, and most UTF-16 units of each. */
export const NAMES_MAX = 16;
export const NAME_CHARS_MAX = 255;

const COMMA = 0x2c;
const CLOSE_LIST = 0x5d;
const CLOSE = 0x7d;

const PROTOCOL = piece(',"protocol":');
const DOMAIN = piece(',"domain":');
const DNS = piece(',"dns":{');
const QUESTION = piece('"question":{"name":');
const ANSWERS = piece('"answers":[');
const DATA = piece('{"data":');
const RESOLVED = piece('"resolved_ip":[');
const SERVER_NAME = piece(',"tls":{"client":{"server_name":');
const METHOD = piece(',"http":{"request":{"method":');
const URL_DOMAIN = piece(',"url":{"domain":');
const OUR_QUESTIONS = piece(',"dns":{"questions":[');
const OUR_TLS = piece(',"tls":{');
const ALPN = piece('"alpn":');
const JA4 = piece('"ja4":');
const CLOSE_LIST_AND_GROUP = piece(']}');
const CLOSE_TWO = piece('}}');

/** After a name, an IPv4 address, or an IPv6 address in brackets. */
const PORT = /(?<=[^:]):\d*$/;

type Names = readonly FlowName[];

/** `network.protocol`, where one was recognised. */
export function putRecognised(out: Buffer, at: number, names: Names): number {
  return putFirst(out, at, PROTOCOL, find(names, NameKind.protocol));
}

/** `destination.domain`: how the client calls the server. */
export function putDomain(out: Buffer, at: number, names: Names): number {
  const name = find(names, NameKind.tlsServerName) ?? hostWithoutPort(names);
  return putFirst(out, at, DOMAIN, name);
}

/** `dns`, `tls`, `http` and `url`. */
export function putNameGroups(out: Buffer, at: number, names: Names): number {
  let next = putDns(out, at, names);
  const serverName = find(names, NameKind.tlsServerName);
  if (serverName !== undefined) next = putPiece(out, putName(out, next, SERVER_NAME, serverName), CLOSE_TWO);
  const method = find(names, NameKind.httpMethod);
  if (method !== undefined) next = putPiece(out, putName(out, next, METHOD, method), CLOSE_TWO);
  const host = hostWithoutPort(names);
  if (host === undefined) return next;
  next = putName(out, next, URL_DOMAIN, host);
  out[next++] = CLOSE;
  return next;
}

/** What the Elastic Common Schema has no place for, under `mirrortap`: further DNS questions, ALPN and JA4. */
export function putOwnNames(out: Buffer, at: number, names: Names): number {
  let next = at;
  if (count(names, NameKind.dnsQuestion) > 1) {
    next = putAll(out, putPiece(out, next, OUR_QUESTIONS), names, NameKind.dnsQuestion);
    next = putPiece(out, next, CLOSE_LIST_AND_GROUP);
  }
  const alpn = find(names, NameKind.tlsAlpn);
  const ja4 = find(names, NameKind.ja4);
  if (alpn === undefined && ja4 === undefined) return next;
  next = putFirst(out, putPiece(out, next, OUR_TLS), ALPN, alpn);
  if (alpn !== undefined && ja4 !== undefined) out[next++] = COMMA;
  next = putFirst(out, next, JA4, ja4);
  out[next++] = CLOSE;
  return next;
}

/** The Host header may name the port as well (RFC 9110 section 7.2), which a domain does not. */
function hostWithoutPort(names: Names): string | undefined {
  return find(names, NameKind.httpHost)?.replace(PORT, '');
}

/** The first question, every answer, and of the answers those that are addresses. */
function putDns(out: Buffer, at: number, names: Names): number {
  const question = find(names, NameKind.dnsQuestion);
  const answers = count(names, NameKind.dnsAnswer);
  if (question === undefined && answers === 0) return at;
  let next = putPiece(out, at, DNS);
  if (question !== undefined) {
    next = putName(out, next, QUESTION, question);
    out[next++] = CLOSE;
  }
  if (answers > 0) {
    if (question !== undefined) out[next++] = COMMA;
    next = putAnswers(out, next, names);
    next = putResolved(out, next, names);
  }
  out[next++] = CLOSE;
  return next;
}

function putAnswers(out: Buffer, at: number, names: Names): number {
  let next = putPiece(out, at, ANSWERS);
  let written = 0;
  for (let i = 0; i < considered(names); i++) {
    const { kind, text } = names[i]!;
    if (kind !== NameKind.dnsAnswer) continue;
    if (written++ > 0) out[next++] = COMMA;
    next = putText(out, putPiece(out, next, DATA), text, NAME_CHARS_MAX);
    out[next++] = CLOSE;
  }
  out[next++] = CLOSE_LIST;
  return next;
}

/** A database that keeps addresses as such refuses a record in which one is none. */
function putResolved(out: Buffer, at: number, names: Names): number {
  let next = at;
  let written = 0;
  for (let i = 0; i < considered(names); i++) {
    const { kind, text } = names[i]!;
    if (kind !== NameKind.dnsAnswer || parseAddress(text) === undefined) continue;
    out[next++] = COMMA;
    if (written++ === 0) next = putPiece(out, next, RESOLVED);
    next = putText(out, next, text, NAME_CHARS_MAX);
  }
  if (written > 0) out[next++] = CLOSE_LIST;
  return next;
}

/** All names of a kind, with commas between them. */
function putAll(out: Buffer, at: number, names: Names, wanted: NameKind): number {
  let next = at;
  let written = 0;
  for (let i = 0; i < considered(names); i++) {
    const { kind, text } = names[i]!;
    if (kind !== wanted) continue;
    if (written++ > 0) out[next++] = COMMA;
    next = putText(out, next, text, NAME_CHARS_MAX);
  }
  return next;
}

function putFirst(out: Buffer, at: number, key: Uint8Array, text: string | undefined): number {
  return text === undefined ? at : putName(out, at, key, text);
}

function putName(out: Buffer, at: number, key: Uint8Array, text: string): number {
  return putText(out, putPiece(out, at, key), text, NAME_CHARS_MAX);
}

function find(names: Names, wanted: NameKind): string | undefined {
  for (let i = 0; i < considered(names); i++) if (names[i]!.kind === wanted) return names[i]!.text;
  return undefined;
}

function count(names: Names, wanted: NameKind): number {
  let found = 0;
  for (let i = 0; i < considered(names); i++) if (names[i]!.kind === wanted) found++;
  return found;
}

function considered(names: Names): number {
  return Math.min(names.length, NAMES_MAX);
}
