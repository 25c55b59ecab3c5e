import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFERENCES = ['ip.check_checksum:TRUE', 'udp.check_checksum:TRUE', 'tcp.check_checksum:TRUE'];

/**
 * What tshark reads from packets: one record a packet, a field to its values, outermost first, as text. A field
 * that a packet does not have has no values.
 *
 * @param linkType LINKTYPE_ value: 1 Ethernet, 101 raw IP
 */
export function tsharkFields(
  packets: readonly Uint8Array[],
  linkType: number,
  fields: readonly string[],
): Record<string, string[]>[] {
  const folder = mkdtempSync(join(tmpdir(), 'mirrortap-tshark-'));
  try {
    const file = join(folder, 'packets.pcap');
    writeFileSync(file, pcap(packets, linkType));
    const options = [
      ...PREFERENCES.flatMap((preference) => ['-o', preference]),
      ...fields.flatMap((field) => ['-e', field]),
    ];
    const text = execFileSync(
      'tshark',
      ['-n', '-r', file, '--enable-protocol', 'communityid', '-T', 'json', ...options],
      { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const records: { _source: { layers: Record<string, string[]> } }[] = JSON.parse(text);
    return records.map(({ _source }) =>
      Object.fromEntries(fields.map((field) => [field, _source.layers[field] ?? []])),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A little-endian pcap, written here by hand so that tests of the wire need no other room. */
function pcap(packets: readonly Uint8Array[], linkType: number): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262_144, 16);
  header.writeUInt32LE(linkType, 20);
  const records = packets.flatMap((packet, index) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(index, 0);
    record.writeUInt32LE(packet.length, 8);
    record.writeUInt32LE(packet.length, 12);
    return [record, packet];
  });
  return Buffer.concat([header, ...records]);
}
