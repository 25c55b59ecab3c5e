/**
 * The three GENEVE options of AWS Gateway Load Balancer, option class 0x0108, in the order in which it sends them:
 *
 *   type 1  endpoint id, 8 bytes: the Gateway Load Balancer endpoint that the packet came through
 *   type 2  attachment id, 8 bytes
 *   type 3  flow cookie, 4 bytes: the same for all packets of a flow
 *
 * Each 64-bit id is two numbers here, its high and its low 32 bits. Source: AWS, Gateway Load Balancer user
 * guide, "GENEVE encapsulation"; AWS sample aws-gateway-load-balancer-tunnel-handler.
 */
import { putU16, putU32 } from './bytes.ts';

/** Option class of Amazon.com, IANA "Geneve Option Class". */
export const CLASS = 0x0108;

/** Type of the endpoint id. */
export const ENDPOINT = 1;
/** Type of the attachment id. */
export const ATTACHMENT = 2;
/** Type of the flow cookie. */
export const FLOW_COOKIE = 3;

export const ENDPOINT_ID_LEN = 8;
export const ATTACHMENT_ID_LEN = 8;
export const FLOW_COOKIE_LEN = 4;

/** Bytes of all three options with their headers. */
export const OPTIONS_LEN = 32;

const OPTION_HEADER_LEN = 4;

/** Says whether class and type (without the critical bit) name one of the three options. */
export function isKnown(optionClass: number, type: number): boolean {
  return optionClass === CLASS && type >= ENDPOINT && type <= FLOW_COOKIE;
}

/** Writes all three options at `at`, none critical, and returns the offset just past them. */
export function emit(
  bytes: Uint8Array,
  at: number,
  endpointHigh: number,
  endpointLow: number,
  attachmentHigh: number,
  attachmentLow: number,
  flowCookie: number,
): number {
  const endpointAt = emitHeader(bytes, at, ENDPOINT, ENDPOINT_ID_LEN);
  putU32(bytes, endpointAt, endpointHigh);
  putU32(bytes, endpointAt + 4, endpointLow);

  const attachmentAt = emitHeader(bytes, endpointAt + ENDPOINT_ID_LEN, ATTACHMENT, ATTACHMENT_ID_LEN);
  putU32(bytes, attachmentAt, attachmentHigh);
  putU32(bytes, attachmentAt + 4, attachmentLow);

  const cookieAt = emitHeader(bytes, attachmentAt + ATTACHMENT_ID_LEN, FLOW_COOKIE, FLOW_COOKIE_LEN);
  putU32(bytes, cookieAt, flowCookie);
  return cookieAt + FLOW_COOKIE_LEN;
}

/** Writes one option's header and returns the offset of its data. */
function emitHeader(bytes: Uint8Array, at: number, type: number, dataLen: number): number {
  putU16(bytes, at, CLASS);
  bytes[at + 2] = type;
  bytes[at + 3] = dataLen >>> 2;
  return at + OPTION_HEADER_LEN;
}
