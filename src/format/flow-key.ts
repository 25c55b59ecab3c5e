/**
 * Keys of Kafka records: `<lane name>/<lower inner address>/<higher inner address>` in ASCII. All packets of a flow, in both
 * directions, and its flow records have one key, so that they meet in one partition.
 */
import type { FlowRecord } from '../packet/flow-record.ts';
import { ADDRESS_BYTES_MAX, putAddress } from './json-bytes.ts';

/** `geneve-16777215-0123456789abcdef-ip`: what the longest name of a lane takes. */
const LANE_NAME_BYTES_MAX = 35;
/** Most bytes of a key. */
export const FLOW_KEY_MAX_BYTES: number = LANE_NAME_BYTES_MAX + 2 * (1 + ADDRESS_BYTES_MAX);

const SLASH = 0x2f;
const IPV4_BYTES = 4;
const IPV6_BYTES = 16;

/**
 * Writes the key of a flow record at `at` and returns the offset just past it.
 *
 * @param target room for FLOW_KEY_MAX_BYTES at `at`
 */
export function writeFlowKey(record: FlowRecord, target: Buffer, at: number): number {
  const { lane, ipVersion, source, destination } = record;
  return writeAddressKey(lane.name, ipVersion, source.address, destination.address, target, at);
}

/**
 * Writes the key of packets between two addresses, whichever is told first.
 *
 * @param one    4 bytes or 16, by `ipVersion`; what is behind them is not looked at
 * @param target room for FLOW_KEY_MAX_BYTES at `at`
 */
export function writeAddressKey(
  laneName: string,
  ipVersion: number,
  one: Uint8Array,
  other: Uint8Array,
  target: Buffer,
  at: number,
): number {
  const inOrder = compare(one, other, ipVersion === 4 ? IPV4_BYTES : IPV6_BYTES) <= 0;
  let next = at;
  const { length } = laneName;
  for (let i = 0; i < length && i < LANE_NAME_BYTES_MAX; i++) target[next++] = laneName.charCodeAt(i);
  target[next++] = SLASH;
  next = putAddress(target, next, inOrder ? one : other, ipVersion);
  target[next++] = SLASH;
  return putAddress(target, next, inOrder ? other : one, ipVersion);
}

/** Difference of the first bytes that differ; 0 for equal addresses. */
function compare(one: Uint8Array, other: Uint8Array, length: number): number {
  for (let i = 0; i < length; i++) {
    const difference = one[i]! - other[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
