import {
  Direction,
  directionNames,
  FlowEndReason,
  flowEndReasonNames,
  type FlowRecord,
  type FlowSide,
  initiatorNames,
  TcpState,
} from '../packet/flow-record.ts';
import { Ports } from '../packet/innermost.ts';
import { encapsulationNames, type Lane } from '../packet/lane.ts';
import { putDomain, putNameGroups, putOwnNames, putRecognised } from './flow-json-names.ts';
import { isIcmp, putSeldom } from './flow-json-seldom.ts';
import { putTcp } from './flow-json-tcp.ts';
import { transportName } from './flow-transport.ts';
import {
  piece,
  putAddress,
  putCount,
  putHex8,
  putPiece,
  putText,
  putTimestamp,
  TIMESTAMP_BYTES,
} from './json-bytes.ts';

/** Most bytes of one record with its newline: the texts in it are cut so that this holds. */
export const FLOW_JSON_MAX_BYTES = 65_536;

/** Most UTF-16 units of the texts that others make; what is longer is cut. */
const OBSERVER_CHARS_MAX = 255;
const COMMUNITY_ID_CHARS_MAX = 64;
const LANE_NAME_CHARS_MAX = 255;

const CLOSE = 0x7d;

const TIMESTAMP = piece('{"@timestamp":"');
const DATE_END = piece('","end":"');
const DURATION = piece('","duration":');
const SOURCE_IP = piece('},"source":{"ip":"');
const DESTINATION_IP = piece('},"destination":{"ip":"');
const PORT = piece('","port":');
const PACKETS = piece(',"packets":');
const PACKETS_WITHOUT_PORT = piece('","packets":');
const BYTES = piece(',"bytes":');
const VLAN = piece(',"vlan":{"id":"');
const VLAN_END = piece('"}');
const COMMUNITY_ID = piece(',"community_id":');
const SEQUENCE = piece('","sequence":');
const TRUNCATED = piece('"},"truncated_packets":');
const SOURCE_CAPTURED = piece(',"source":{"captured_bytes":');
const DESTINATION_CAPTURED = piece('},"destination":{"captured_bytes":');
const RECORD_END = piece('}}\n');

/** `ecs` and `event` up to `start`: for a record that is the flow's first (1), its last (2), both or neither. */
const EVENTS = ['', ',"start"', ',"end"', ',"start","end"'].map((types) =>
  piece(
    `","ecs":{"version":"8.17"},"event":{"kind":"event","category":["network"],"type":["connection"${types}],"start":"`,
  ),
);

/** `final` to `flow_start`, by end reason and initiator. */
const ENDS = flowEndReasonNames.map((reason, number) =>
  initiatorNames.map((initiator) =>
    piece(
      `,"final":${number !== FlowEndReason.active},"end_reason":"${reason}","initiator":"${initiator}","flow_start":"`,
    ),
  ),
);

/**
 * Writes one flow record as a JSON object and a newline, as docs/flow-records.md and flow-record.schema.json say.
 *
 * @param observer name of this host
 * @param out      with room for FLOW_JSON_MAX_BYTES from `at` on
 * @returns the offset just past the newline
 */
export function encodeFlow(record: FlowRecord, observer: string, out: Buffer, at: number): number {
  let next = putEvent(out, at, record);
  next = putSide(out, putPiece(out, next, SOURCE_IP), record, record.source);
  next = putSide(out, putPiece(out, next, DESTINATION_IP), record, record.destination);
  next = putDomain(out, next, record.names);
  next = putNetwork(out, next, record);
  if (record.names.length > 0) next = putNameGroups(out, next, record.names);
  next = putPiece(out, next, observerBytes(observer));
  next = putOurs(out, next, record);
  return putPiece(out, next, RECORD_END);
}

/** `@timestamp`, `ecs` and `event`; `event` is left open. */
function putEvent(out: Buffer, at: number, record: FlowRecord): number {
  const { firstSeconds, firstNanoseconds, lastSeconds, lastNanoseconds } = record;
  const timestampAt = putPiece(out, at, TIMESTAMP);
  let next = putTimestamp(out, timestampAt, lastSeconds, lastNanoseconds);
  const types = (record.sequence === 0 ? 1 : 0) + (record.endReason === FlowEndReason.active ? 0 : 2);
  next = putPiece(out, next, EVENTS[types]!);
  next = putTimestamp(out, next, firstSeconds, firstNanoseconds);
  next = putPiece(out, next, DATE_END);
  out.copyWithin(next, timestampAt, timestampAt + TIMESTAMP_BYTES);
  next = putPiece(out, next + TIMESTAMP_BYTES, DURATION);
  return putDuration(out, next, lastSeconds - firstSeconds, lastNanoseconds - firstNanoseconds);
}

/** Nanoseconds, exact also where they are more than 2^53; 0 where the last packet came before the first. */
function putDuration(out: Buffer, at: number, seconds: number, nanoseconds: number): number {
  const borrow = nanoseconds < 0 ? 1 : 0;
  const whole = seconds - borrow;
  const rest = nanoseconds + borrow * 1_000_000_000;
  if (whole < 0) return putCount(out, at, 0);
  // 9,000,000 s and a fraction are below 2^53 ns
  if (whole < 9_000_000) return putCount(out, at, whole * 1_000_000_000 + rest);
  const next = putCount(out, at, whole);
  const end = putCount(out, next, 1_000_000_000 + rest);
  // nine digits, without the leading one
  out.copyWithin(next, next + 1, end);
  return end - 1;
}

/** One side up to its bytes; left open. Ports are written where the protocol has some: ICMP has a type and a code. */
function putSide(out: Buffer, at: number, record: FlowRecord, side: FlowSide): number {
  let next = putAddress(out, at, side.address, record.ipVersion);
  if (record.ports === Ports.known && !isIcmp(record)) {
    next = putCount(out, putPiece(out, next, PORT), side.port);
    next = putPiece(out, next, PACKETS);
  } else next = putPiece(out, next, PACKETS_WITHOUT_PORT);
  next = putCount(out, next, side.packets);
  return putCount(out, putPiece(out, next, BYTES), side.wireBytes);
}

/** Ends `destination` and writes `network`. */
function putNetwork(out: Buffer, at: number, record: FlowRecord): number {
  const { source, destination, vlanId, direction } = record;
  let next = putPiece(out, at, networkBytes(record.ipVersion, record.protocol, direction));
  next = putRecognised(out, next, record.names);
  if (vlanId >= 0) next = putPiece(out, putCount(out, putPiece(out, next, VLAN), vlanId), VLAN_END);
  next = putCount(out, putPiece(out, next, PACKETS), source.packets + destination.packets);
  next = putCount(out, putPiece(out, next, BYTES), source.wireBytes + destination.wireBytes);
  next = putText(out, putPiece(out, next, COMMUNITY_ID), record.communityId, COMMUNITY_ID_CHARS_MAX);
  out[next++] = CLOSE;
  return next;
}

/** What follows `"flow_id":"`. */
function putOurs(out: Buffer, at: number, record: FlowRecord): number {
  let next = putHex8(out, at, record.idHigh);
  next = putPiece(out, putHex8(out, next, record.idLow), SEQUENCE);
  next = putPiece(out, putCount(out, next, record.sequence), ENDS[record.endReason]![record.initiator]!);
  next = putTimestamp(out, next, record.startSeconds, record.startNanoseconds);
  next = putPiece(out, next, laneBytes(record.lane));
  next = putAddress(out, next, record.mirrorSource, record.mirrorSourceVersion);
  next = putCount(out, putPiece(out, next, TRUNCATED), record.truncatedPackets);
  next = putCount(out, putPiece(out, next, SOURCE_CAPTURED), record.source.capturedBytes);
  next = putCount(out, putPiece(out, next, DESTINATION_CAPTURED), record.destination.capturedBytes);
  out[next++] = CLOSE;
  next = putSeldom(out, next, record);
  if (record.tcpState !== TcpState.none) next = putTcp(out, next, record);
  if (record.names.length > 0) next = putOwnNames(out, next, record.names);
  return next;
}

/** What the same lane, protocol or host always has, made once. */
const ofProtocol: (Uint8Array | undefined)[] = new Array(3 * 16 * 256);
const ofLane = new WeakMap<Lane, Uint8Array>();
let ofObserver = { name: '', bytes: observerText('') };

/** The end of `destination`, and `network` as far as protocol and direction go. */
function networkBytes(ipVersion: number, protocol: number, direction: Direction): Uint8Array {
  const index = (direction * 16 + ipVersion) * 256 + protocol;
  const known = ofProtocol[index];
  if (known !== undefined) return known;
  const name = directionNames[direction];
  const bytes = piece(
    `},"network":{"type":"ipv${ipVersion}","iana_number":"${protocol}","transport":"${transportName(protocol)}"` +
      (direction === Direction.unknown ? '' : `,"direction":"${name}"`),
  );
  ofProtocol[index] = bytes;
  return bytes;
}

/** `lane` up to the address of the mirror source. */
function laneBytes(lane: Lane): Uint8Array {
  const known = ofLane.get(lane);
  if (known !== undefined) return known;
  const { encapsulation, vni, gwlbEndpointId } = lane;
  const name = lane.name.slice(0, LANE_NAME_CHARS_MAX);
  const endpoint = gwlbEndpointId === undefined ? '' : `"gwlb_endpoint_id":"${gwlbEndpointId}",`;
  const bytes = Buffer.from(
    `","lane":${JSON.stringify(name)},"vni":${vni},"encapsulation":"${encapsulationNames[encapsulation]}",${endpoint}"mirror_source":{"ip":"`,
  );
  ofLane.set(lane, bytes);
  return bytes;
}

function observerBytes(name: string): Uint8Array {
  if (ofObserver.name !== name) ofObserver = { name, bytes: observerText(name) };
  return ofObserver.bytes;
}

/** `observer`, and `mirrortap` up to its first value. */
function observerText(name: string): Uint8Array {
  const text = JSON.stringify(name.slice(0, OBSERVER_CHARS_MAX));
  return Buffer.from(`,"observer":{"name":${text}},"mirrortap":{"flow_id":"`);
}
