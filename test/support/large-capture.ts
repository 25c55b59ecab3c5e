import { closeSync, openSync, writeSync } from 'node:fs';
import { frame4, host, udpDatagram } from '../../samples/make/packets.ts';
import { vxlan } from './tunnels.ts';

/** pcap file header: microseconds, little-endian, Ethernet (draft-ietf-opsawg-pcap section 4). */
const FILE_HEADER_LEN = 24;
const RECORD_HEADER_LEN = 16;
const SNAP_LEN = 262_144;
const ETHERNET = 1;
const START_SECONDS = 1_795_233_600;
/** Records of a block; the block is written again and again. */
const BLOCK_PACKETS = 4_096;
/** Inner data bytes: the sizes that internet traffic is made of. */
const SIZES = [18, 64, 512, 1400] as const;

/** What a large capture holds. */
export interface LargeCapture {
  readonly packets: number;
  readonly bytes: number;
  /** Packets by VNI. */
  readonly byVni: ReadonlyMap<number, number>;
}

/**
 * Writes a pcap file of about `bytes` bytes: VXLAN packets on `vnis` VNIs from 1 on, mixed.
 *
 * @param sizes bytes of inner UDP data, in turn
 */
export function writeLargeCapture(
  path: string,
  bytes: number,
  vnis: number,
  sizes: readonly number[] = SIZES,
): LargeCapture {
  const block = makeBlock(vnis, sizes);
  const blocks = Math.max(1, Math.round(bytes / block.length));
  const file = openSync(path, 'w');
  try {
    writeSync(file, fileHeader());
    for (let count = 0; count < blocks; count++) writeWhole(file, block);
  } finally {
    closeSync(file);
  }
  const byVni = new Map<number, number>();
  for (let packet = 0; packet < BLOCK_PACKETS; packet++) {
    const vni = vniOf(packet, vnis);
    byVni.set(vni, (byVni.get(vni) ?? 0) + blocks);
  }
  return { packets: blocks * BLOCK_PACKETS, bytes: FILE_HEADER_LEN + blocks * block.length, byVni };
}

function vniOf(packet: number, vnis: number): number {
  return 1 + ((packet * 7) % vnis);
}

function fileHeader(): Buffer {
  const header = Buffer.alloc(FILE_HEADER_LEN);
  header.writeUInt32LE(0xa1b2_c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(SNAP_LEN, 16);
  header.writeUInt32LE(ETHERNET, 20);
  return header;
}

function makeBlock(vnis: number, sizes: readonly number[]): Buffer {
  const [client, server] = [host(1, '10.0.1.10', '2001:db8::1'), host(2, '10.0.9.9', '2001:db8::2')];
  const records: Buffer[] = [];
  for (let packet = 0; packet < BLOCK_PACKETS; packet++) {
    const data = Buffer.alloc(sizes[packet % sizes.length] ?? 0, packet);
    const inner = frame4(client, server, udpDatagram(1024 + packet, 53, data));
    const vni = vniOf(packet, vnis).toString(16).padStart(6, '0');
    const payload = vxlan(inner, `08 000000 ${vni} 00`);
    const outer = frame4(client, server, udpDatagram(49_152 + (packet % 1000), 4789, payload));
    const header = Buffer.alloc(RECORD_HEADER_LEN);
    header.writeUInt32LE(START_SECONDS, 0);
    header.writeUInt32LE(packet, 4);
    header.writeUInt32LE(outer.length, 8);
    header.writeUInt32LE(outer.length, 12);
    records.push(header, outer);
  }
  return Buffer.concat(records);
}

function writeWhole(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}
