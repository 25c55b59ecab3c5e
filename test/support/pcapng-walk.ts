/** What a strict reader finds in a pcapng: it throws at anything that is not a whole, well-formed block. */
export interface WalkedFile {
  /** `if_name` by interface number. */
  readonly names: string[];
  /** First four bytes of each frame as a number, with its interface, in file order. */
  readonly packets: { readonly interface: number; readonly number: number }[];
  /** Received and dropped packets by interface number, where the file has statistics; NaN: it does not say. */
  readonly statistics: Map<number, { readonly received: number; readonly dropped: number }>;
}

const SECTION_HEADER = 0x0a0d_0d0a;
const INTERFACE = 1;
const STATISTICS = 5;
const PACKET = 6;

/** Reads a little-endian pcapng of one section, independently of the project's own decoder. */
export function walkPcapng(bytes: Buffer): WalkedFile {
  const file: WalkedFile = { names: [], packets: [], statistics: new Map() };
  for (let at = 0; at < bytes.length; ) {
    const type = bytes.readUInt32LE(at);
    const length = bytes.readUInt32LE(at + 4);
    if (length % 4 !== 0 || length < 12) throw new Error(`Block at ${at} says it has ${length} bytes.`);
    if (bytes.readUInt32LE(at + length - 4) !== length) throw new Error(`Block at ${at} ends otherwise.`);
    if ((at === 0) !== (type === SECTION_HEADER)) throw new Error(`Block of type ${type} at ${at}.`);
    if (type === INTERFACE) file.names.push(option(bytes, at + 16, 2)?.toString() ?? '');
    if (type === PACKET) {
      const id = interfaceAt(file, bytes, at);
      const captured = bytes.readUInt32LE(at + 20);
      if (28 + captured + 4 > length) throw new Error(`Packet at ${at} leaves its block.`);
      file.packets.push({ interface: id, number: captured < 4 ? -1 : bytes.readUInt32BE(at + 28) });
    }
    if (type === STATISTICS) {
      const received = count(option(bytes, at + 20, 4));
      const dropped = count(option(bytes, at + 20, 5));
      file.statistics.set(interfaceAt(file, bytes, at), { received, dropped });
    }
    at += length;
  }
  return file;
}

function interfaceAt(file: WalkedFile, bytes: Buffer, at: number): number {
  const id = bytes.readUInt32LE(at + 8);
  if (id >= file.names.length) throw new Error(`Interface ${id} at ${at} is not described.`);
  return id;
}

function count(value: Buffer | undefined): number {
  return value === undefined ? Number.NaN : Number(value.readBigUInt64LE());
}

/** The value of an option of a block whose options begin at `at`, if it is there. */
function option(bytes: Buffer, at: number, code: number): Buffer | undefined {
  for (let next = at; bytes.readUInt16LE(next) !== 0; next += 4 + ((bytes.readUInt16LE(next + 2) + 3) & ~3)) {
    if (bytes.readUInt16LE(next) !== code) continue;
    return bytes.subarray(next + 4, next + 4 + bytes.readUInt16LE(next + 2));
  }
  return undefined;
}
