/**
 * Names of live capture files: `<lane>/<start>-<sequence>-w<worker>.<format>`, then `.zst` or `.gz` once compressed, then
 * `.part` while it grows. What is called otherwise belongs to somebody else: it is never deleted, renamed or indexed.
 */

/** What the name of a growing file ends in, and that of a compressed one that is being made. */
export const PART_SUFFIX = '.part';
/** What the name of a file ends in that was set aside because nothing in it can be read. */
export const DAMAGED_SUFFIX = '.damaged';

export type CaptureFormat = 'pcapng' | 'pcap';
export type FileCompression = 'none' | 'zstd' | 'gzip';

/** What a compression adds to the name. */
export const compressionSuffixes: Readonly<Record<FileCompression, string>> = {
  none: '',
  zstd: '.zst',
  gzip: '.gz',
};

/** What the name of a live file says. */
export interface LiveName {
  /** `20261121T040000Z`: second of the first packet. */
  readonly start: string;
  readonly sequence: number;
  readonly worker: number;
  readonly format: CaptureFormat;
  readonly compression: FileCompression;
  /** The name ends in `.part`. */
  readonly part: boolean;
}

const LIVE_NAME = /^(\d{8}T\d{6}Z)-(\d{6,})-w(\d+)\.(pcapng|pcap)(?:\.(zst|gz))?(\.part)?$/;
/** Names of lanes and of the folder that all lanes share. */
const LANE_FOLDER = /^(?:all|overflow(?:-ip)?|(?:vni|geneve|gwlb)-\d{1,8}(?:-[0-9a-f]{16})?(?:-ip)?)$/;
const SEQUENCE_DIGITS = 6;

/** Whether a folder of this name holds live files. */
export function isLaneFolder(name: string): boolean {
  return LANE_FOLDER.test(name);
}

/** What a file's name, without its folder, says; `undefined` where it is not one of ours. */
export function parseLiveName(name: string): LiveName | undefined {
  const match = LIVE_NAME.exec(name);
  if (match === null) return undefined;
  const [, start = '', sequence, worker, format, ending, part] = match;
  return {
    start,
    sequence: Number(sequence),
    worker: Number(worker),
    format: format === 'pcap' ? 'pcap' : 'pcapng',
    compression: ending === 'zst' ? 'zstd' : ending === 'gz' ? 'gzip' : 'none',
    part: part !== undefined,
  };
}

/** `20261121T040000Z-000001-w0.pcapng` */
export function liveName(startSeconds: number, sequence: number, worker: number, format: string): string {
  const start = `${new Date(startSeconds * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  return `${start}-${String(sequence).padStart(SEQUENCE_DIGITS, '0')}-w${worker}.${format}`;
}

/** A file's name without what its compression added to it. */
export function plainName(name: string, compression: FileCompression): string {
  return name.slice(0, name.length - compressionSuffixes[compression].length);
}

/** Orders files by the second of their first packet, then by their number: texts that compare like that. */
export function ageKey({ start, sequence }: Pick<LiveName, 'start' | 'sequence'>): string {
  return `${start}-${String(sequence).padStart(16, '0')}`;
}
