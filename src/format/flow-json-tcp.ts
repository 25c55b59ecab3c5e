import { type FlowRecord, type FlowSide, tcpStateNames } from '../packet/flow-record.ts';
import { piece, putCount, putPiece, putText } from './json-bytes.ts';

/** Most UTF-16 units of a history; what is longer is cut. */
const HISTORY_CHARS_MAX = 255;
const STATES = tcpStateNames.map((name) => piece(`,"tcp":{"state":"${name}"`));
const HISTORY = piece(',"history":');
const SERVER_RTT = piece(',"server_rtt_us":');
const CLIENT_RTT = piece(',"client_rtt_us":');
const ONE_SIDED = piece(',"one_sided":true');
const TCP_SOURCE = piece(',"source":{');
const TCP_DESTINATION = piece('},"destination":{');
const TCP_END = piece('}}');
/** In the order of their bits. */
const FLAG_NAMES = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr'];
/** `flags` by the flags seen. */
const FLAGS = Array.from({ length: 256 }, (_, bits) =>
  piece(`"flags":${JSON.stringify(FLAG_NAMES.filter((_name, bit) => ((bits >>> bit) & 1) === 1))}`),
);
const RETRANSMISSIONS = piece(',"retransmissions":');
const OUT_OF_ORDER = piece(',"out_of_order":');
const ZERO_WINDOWS = piece(',"zero_windows":');
const RESETS = piece(',"resets":');
const ACKED = piece(',"acked_bytes":');
const UNSEEN = piece(',"unseen_bytes":');

/** `mirrortap.tcp`, with the comma before it. */
export function putTcp(out: Buffer, at: number, record: FlowRecord): number {
  let next = putPiece(out, at, STATES[record.tcpState]!);
  if (record.history !== '') {
    next = putText(out, putPiece(out, next, HISTORY), record.history, HISTORY_CHARS_MAX);
  }
  if (record.serverRttUs >= 0) next = putCount(out, putPiece(out, next, SERVER_RTT), record.serverRttUs);
  if (record.clientRttUs >= 0) next = putCount(out, putPiece(out, next, CLIENT_RTT), record.clientRttUs);
  if (record.oneSided) next = putPiece(out, next, ONE_SIDED);
  next = putTcpSide(out, putPiece(out, next, TCP_SOURCE), record.source);
  next = putTcpSide(out, putPiece(out, next, TCP_DESTINATION), record.destination);
  return putPiece(out, next, TCP_END);
}

function putTcpSide(out: Buffer, at: number, side: FlowSide): number {
  let next = putPiece(out, at, FLAGS[side.tcpFlags & 0xff]!);
  next = putIfAny(out, next, RETRANSMISSIONS, side.retransmissions);
  next = putIfAny(out, next, OUT_OF_ORDER, side.outOfOrder);
  next = putIfAny(out, next, ZERO_WINDOWS, side.zeroWindows);
  next = putIfAny(out, next, RESETS, side.resets);
  next = putIfAny(out, next, ACKED, side.ackedBytes);
  return putIfAny(out, next, UNSEEN, side.unseenBytes);
}

function putIfAny(out: Buffer, at: number, name: Uint8Array, count: number): number {
  return count > 0 ? putCount(out, putPiece(out, at, name), count) : at;
}
