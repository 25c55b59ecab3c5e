import type { CaptureDecoder, CaptureFormat } from './capture-decoder.ts';
import { PcapDecoder, PcapMagic } from './pcap-decoder.ts';
import { PcapngDecoder } from './pcapng-decoder.ts';

/** Bytes from the beginning of a stream that `detectFormat` and `detectCompression` look at. */
export const DETECT_BYTES = 4;

/** Compressions that inputs undo before a decoder sees the stream. */
export type Compression = 'gzip' | 'zstd';

const PCAPNG_SECTION = 0x0a0d_0d0a;
/** Gzip, RFC 1952 section 2.3: two bytes of identification; the third is the method, always deflate. */
const GZIP = 0x1f8b_0800;
const GZIP_MASK = 0xffff_ff00;
/** Zstandard, RFC 8878 section 3.1.1. */
const ZSTD = 0x28b5_2ffd;
/** Zstandard skippable frames, RFC 8878 section 3.1.2: 0x184d2a50 to 0x184d2a5f, low byte first. */
const ZSTD_SKIPPABLE = 0x502a_4d18;
const ZSTD_SKIPPABLE_MASK = 0xf0ff_ffff;

/** What files begin with that people take for captures, or that were captures once. */
const strangers: readonly { readonly magic: number; readonly mask: number; readonly name: string }[] = [
  { magic: 0xa1b2_cd34, mask: 0xffff_ffff, name: 'pcap as a patched libpcap wrote it (big-endian)' },
  { magic: 0x34cd_b2a1, mask: 0xffff_ffff, name: 'pcap as a patched libpcap wrote it (little-endian)' },
  { magic: 0xa1b2_34cd, mask: 0xffff_ffff, name: 'pcap as IXIA writes it (big-endian)' },
  { magic: 0xcd34_b2a1, mask: 0xffff_ffff, name: 'pcap as IXIA writes it (little-endian)' },
  {
    magic: 0x0a0d_0a00,
    mask: 0xffff_ff00,
    name: 'pcapng that was transferred as text and is damaged beyond repair',
  },
  {
    magic: 0x0a0a_0d0a,
    mask: 0xffff_ffff,
    name: 'pcapng that was transferred as text and is damaged beyond repair',
  },
  { magic: 0x736e_6f6f, mask: 0xffff_ffff, name: 'a snoop capture' },
  { magic: 0x7f45_4c46, mask: 0xffff_ffff, name: 'a program' },
  { magic: 0xfd37_7a58, mask: 0xffff_ffff, name: 'compressed with xz' },
  { magic: 0x425a_6800, mask: 0xffff_ff00, name: 'compressed with bzip2' },
  { magic: 0x0422_4d18, mask: 0xffff_ffff, name: 'compressed with lz4' },
  { magic: 0x504b_0304, mask: 0xffff_ffff, name: 'a ZIP archive' },
];

/** The compression of a stream that begins with `bytes[at .. end)`; `undefined` where it has none that is known. */
export function detectCompression(bytes: Buffer, at: number, end: number): Compression | undefined {
  if (end - at < DETECT_BYTES) return undefined;
  const magic = bytes.readUInt32BE(at);
  if (matches(magic, GZIP, GZIP_MASK)) return 'gzip';
  if (magic === ZSTD || matches(magic, ZSTD_SKIPPABLE, ZSTD_SKIPPABLE_MASK)) return 'zstd';
  return undefined;
}

/** The format of a stream that begins with `bytes[at .. end)`; `undefined` where it is none that is read. */
export function detectFormat(bytes: Buffer, at: number, end: number): CaptureFormat | undefined {
  if (end - at < DETECT_BYTES) return undefined;
  const magic = bytes.readUInt32BE(at);
  if (magic === PCAPNG_SECTION) return 'pcapng';
  return Object.values(PcapMagic).some((known) => known === magic) ? 'pcap' : undefined;
}

/** What a stream without a known format looks like, for people: "is empty", "looks like a ZIP archive". */
export function describeUnknown(bytes: Buffer, at: number, end: number): string {
  if (end === at) return 'is empty';
  if (end - at < DETECT_BYTES) return `has only ${end - at} byte${end - at === 1 ? '' : 's'}`;
  const magic = bytes.readUInt32BE(at);
  const stranger = strangers.find((known) => matches(magic, known.magic, known.mask));
  if (stranger !== undefined) return `looks like ${stranger.name}`;
  return `begins with ${bytes.toString('hex', at, at + DETECT_BYTES)}, which is neither pcap nor pcapng`;
}

/** A decoder for a stream of this format, to be given the stream from its first byte on. */
export function makeDecoder(format: CaptureFormat): CaptureDecoder {
  return format === 'pcap' ? new PcapDecoder() : new PcapngDecoder();
}

function matches(magic: number, known: number, mask: number): boolean {
  return ((magic ^ known) & mask) === 0;
}
