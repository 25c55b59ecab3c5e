import { NameKind } from '../../packet/flow-record.ts';
import { HttpRequest, isResponse, readRequest, RequestState } from '../../wire/http-request.ts';
import { Found, type NameWriter } from './name-writer.ts';

const request = new HttpRequest();

/**
 * Keeps method and Host of the request at `at`. An answer says that HTTP is spoken, and nothing more: its request may
 * have come by another way, or come later.
 */
export function findHttpNames(bytes: Uint8Array, at: number, end: number, names: NameWriter): Found {
  if (isResponse(bytes, at, end)) {
    names.keepProtocol('http');
    return Found.nothing;
  }
  const state = readRequest(bytes, at, end, request);
  if (state === RequestState.none) return Found.nothing;
  names.keepProtocol('http');
  names.keepBytes(NameKind.httpMethod, bytes, at, request.methodEnd);
  names.keepBytes(NameKind.httpHost, bytes, request.hostAt, request.hostEnd);
  return state === RequestState.whole ? Found.all : Found.more;
}
