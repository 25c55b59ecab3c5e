/**
 * The head of an HTTP/1 request, RFC 9112 sections 2 to 5: a request line (method, target and version with one space
 * between each), header lines, an empty line. Lines end with CR LF; a lone LF is taken for one (section 2.2).
 */

/** How much of a head was read. */
export const RequestState = {
  /** All that is wanted: the Host line, or the end of the head without one. */
  whole: 0,
  /** As far as it arrived. */
  cut: 1,
  /** These bytes are no request. */
  none: 2,
} as const;
export type RequestState = (typeof RequestState)[keyof typeof RequestState];

/** A request of another length is read no further than this, in bytes. */
const HEAD_LEN_MAX = 16_384;
const METHOD_LEN_MAX = 20;
const ABSENT = -1;

/** By these a request is known whose first line is not there to its end; RFC 9110 section 9.1, RFC 5789. */
const methods = ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'CONNECT', 'TRACE'];
const HOST = 'host';
const VERSION = ' HTTP/1.';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

/** Where the parts of a request lie. One instance serves all. */
export class HttpRequest {
  /** The method is from where the request begins to here. */
  methodEnd = ABSENT;
  /** Value of the first Host line, without blanks around it; ABSENT (-1) without. */
  hostAt = ABSENT;
  hostEnd = ABSENT;
}

/** Says whether bytes begin as the answer to a request does: `HTTP/1.` */
export function isResponse(bytes: Uint8Array, at: number, end: number): boolean {
  return startsWith(bytes, at, end, VERSION, 1);
}

/** Reads the head at `at`; `end` is one past what arrived. */
export function readRequest(bytes: Uint8Array, at: number, end: number, out: HttpRequest): RequestState {
  out.methodEnd = ABSENT;
  out.hostAt = ABSENT;
  out.hostEnd = ABSENT;
  const limit = Math.min(end, at + HEAD_LEN_MAX);
  const methodEnd = endOfMethod(bytes, at, limit);
  if (methodEnd === ABSENT) return RequestState.none;

  const lineEnd = lineFeed(bytes, methodEnd, limit);
  if (lineEnd === limit) {
    if (!isKnown(bytes, at, methodEnd)) return RequestState.none;
    out.methodEnd = methodEnd;
    return RequestState.cut;
  }
  if (!endsWithVersion(bytes, methodEnd, withoutReturn(bytes, lineEnd))) return RequestState.none;
  out.methodEnd = methodEnd;
  return findHost(bytes, lineEnd + 1, limit, out);
}

/** The space after a method of capital letters, hyphens and underscores; ABSENT for anything else. */
function endOfMethod(bytes: Uint8Array, at: number, end: number): number {
  const limit = Math.min(end, at + METHOD_LEN_MAX + 1);
  for (let i = at; i < limit; i++) {
    const byte = bytes[i]!;
    if (byte === SPACE) return i > at ? i : ABSENT;
    if ((byte < 0x41 || byte > 0x5a) && byte !== 0x2d && byte !== 0x5f) return ABSENT;
  }
  return ABSENT;
}

function isKnown(bytes: Uint8Array, at: number, methodEnd: number): boolean {
  for (let i = 0; i < methods.length; i++) {
    const method = methods[i]!;
    if (method.length === methodEnd - at && startsWith(bytes, at, methodEnd, method, 0)) return true;
  }
  return false;
}

/** The line that begins with a method ends with a space, `HTTP/1.` and a digit. */
function endsWithVersion(bytes: Uint8Array, methodEnd: number, lineEnd: number): boolean {
  const versionAt = lineEnd - VERSION.length - 1;
  if (versionAt <= methodEnd || !startsWith(bytes, versionAt, lineEnd, VERSION, 0)) return false;
  return bytes[lineEnd - 1]! >= 0x30 && bytes[lineEnd - 1]! <= 0x39;
}

function findHost(bytes: Uint8Array, at: number, end: number, out: HttpRequest): RequestState {
  let lineAt = at;
  while (lineAt < end) {
    const feed = lineFeed(bytes, lineAt, end);
    if (feed === end) return RequestState.cut;
    const lineEnd = withoutReturn(bytes, feed);
    if (lineEnd <= lineAt) return RequestState.whole;
    if (isHostLine(bytes, lineAt, lineEnd)) {
      trim(bytes, lineAt + HOST.length + 1, lineEnd, out);
      return RequestState.whole;
    }
    lineAt = feed + 1;
  }
  return RequestState.cut;
}

function trim(bytes: Uint8Array, at: number, end: number, out: HttpRequest): void {
  out.hostAt = at;
  out.hostEnd = end;
  while (out.hostAt < end && isBlank(bytes[out.hostAt]!)) out.hostAt++;
  while (out.hostEnd > out.hostAt && isBlank(bytes[out.hostEnd - 1]!)) out.hostEnd--;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

function isHostLine(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at <= HOST.length || bytes[at + HOST.length] !== COLON) return false;
  // this bit makes letters lower-case
  for (let i = 0; i < HOST.length; i++) if ((bytes[at + i]! | 0x20) !== HOST.charCodeAt(i)) return false;
  return true;
}

/** The next LF from `at` on, or `end`. */
function lineFeed(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i] !== LF) i++;
  return i;
}

/** The end of the line whose LF is here: before its CR where it has one. */
function withoutReturn(bytes: Uint8Array, feed: number): number {
  return bytes[feed - 1] === CR ? feed - 1 : feed;
}

/** Says whether the bytes at `at` are the text from its character `from` on. */
function startsWith(bytes: Uint8Array, at: number, end: number, text: string, from: number): boolean {
  if (end - at < text.length - from) return false;
  for (let i = from; i < text.length; i++) if (bytes[at + i - from] !== text.charCodeAt(i)) return false;
  return true;
}
