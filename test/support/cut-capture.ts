/**
 * A mirrored capture as it would be with another packet length: inner frames cut, outer lengths saying so.
 *
 * Source: AWS, Traffic Mirroring, `PacketLength` of a session: bytes after the VXLAN header.
 */

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const ETHERNET = 14;
const IPV4 = 20;
const UDP = 8;
const VXLAN = 8;
const OUTER = ETHERNET + IPV4 + UDP + VXLAN;

/**
 * @param capture a little-endian pcap of whole Ethernet frames with VXLAN over IPv4 without options
 * @param packetLength most bytes of a mirrored frame
 */
export function cutCapture(capture: Buffer, packetLength: number): Buffer {
  const parts = [capture.subarray(0, FILE_HEADER)];
  for (let at = FILE_HEADER; at < capture.length; ) {
    const length = capture.readUInt32LE(at + 8);
    const record = Buffer.from(capture.subarray(at, at + RECORD_HEADER + length));
    parts.push(cutRecord(record, packetLength));
    at += RECORD_HEADER + length;
  }
  return Buffer.concat(parts);
}

function cutRecord(record: Buffer, packetLength: number): Buffer {
  const kept = Math.min(record.length - RECORD_HEADER, OUTER + packetLength);
  const cut = record.subarray(0, RECORD_HEADER + kept);
  cut.writeUInt32LE(kept, 8);
  cut.writeUInt32LE(kept, 12);
  const ip = RECORD_HEADER + ETHERNET;
  cut.writeUInt16BE(kept - ETHERNET, ip + 2);
  cut.writeUInt16BE(0, ip + 10);
  cut.writeUInt16BE(headerChecksum(cut.subarray(ip, ip + IPV4)), ip + 10);
  cut.writeUInt16BE(kept - ETHERNET - IPV4, ip + IPV4 + 4);
  return cut;
}

function headerChecksum(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
