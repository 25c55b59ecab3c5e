import { WHOLE_FRAME } from './session.ts';

/**
 * Bytes of a frame that a session keeps.
 *
 * `PacketLength` counts the bytes after the VXLAN header, so the frame's own Ethernet header counts. It may be
 * shorter than that header: a frame of one byte is legal. The cut frame's headers keep their lengths and
 * checksums as they were; nothing is computed again.
 *
 * @param frameLen     bytes of the frame, 0 or more
 * @param packetLength bytes to keep, or `WHOLE_FRAME`
 *
 * Source: EC2 API, CreateTrafficMirrorSession, PacketLength.
 */
export function keptLen(frameLen: number, packetLength: number): number {
  return packetLength === WHOLE_FRAME || frameLen <= packetLength ? frameLen : packetLength;
}
