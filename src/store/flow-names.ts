/**
 * Names of live flow files: `<start>-<sequence>-w<worker>.ndjson`, then `.zst` or `.gz` once compressed, then `.part` while
 * it grows. What is called otherwise belongs to somebody else: it is never deleted, renamed or compressed.
 */
import { type FileCompression, type LiveName, PART_SUFFIX } from './live-names.ts';

/** What the name of a flow file ends in, without its compression. */
export const FLOW_EXTENSION = 'ndjson';

/** What the name of a flow file says. */
export type FlowFileName = Omit<LiveName, 'format'>;

const FLOW_NAME = /^(\d{8}T\d{6}Z)-(\d{6,})-w(\d+)\.ndjson(?:\.(zst|gz))?(\.part)?$/;
const COMPRESSIONS: Readonly<Record<string, FileCompression>> = { zst: 'zstd', gz: 'gzip' };

/** What a file's name says; `undefined` where it is not one of ours. */
export function parseFlowName(name: string): FlowFileName | undefined {
  const match = FLOW_NAME.exec(name);
  if (match === null) return undefined;
  const [, start = '', sequence, worker, ending = '', part] = match;
  const compression = COMPRESSIONS[ending] ?? 'none';
  return {
    start,
    sequence: Number(sequence),
    worker: Number(worker),
    compression,
    part: part === PART_SUFFIX,
  };
}

/** Whether records are being written to a file of this name, or were when its worker ended. */
export function isGrowing(name: string): boolean {
  const parsed = parseFlowName(name);
  return parsed !== undefined && parsed.part && parsed.compression === 'none';
}
