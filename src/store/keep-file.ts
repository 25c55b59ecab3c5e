import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import type { KeptFile } from './capture-index.ts';
import { FILE_MODE, type FileSystem, removeFile, syncFolder, writeAll } from './file-system.ts';
import { compressionSuffixes, type FileCompression, PART_SUFFIX } from './live-names.ts';
import { hashFile } from './read-capture.ts';

/**
 * A file is compressed in pieces of this size, each a Zstandard frame (RFC 8878, section 3) or a gzip member (RFC 1952,
 * section 2.2) of its own, which all tools join. A piece is compressed by one call on this thread; Node's streams would do it on
 * libuv's four threads, which write the packets.
 */
const PIECE_BYTES = 4 * 1024 * 1024;
/** Used for one file after the other: memory of its own for each of thousands of small ones would pile up. */
let pieceBlock: Buffer | undefined;
const ZSTD_LEVEL = 3;
const GZIP_LEVEL = 6;

const compressors: Readonly<Record<Exclude<FileCompression, 'none'>, (piece: Buffer) => Buffer>> = {
  zstd: (piece) =>
    zstdCompressSync(piece, {
      params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
    }),
  gzip: (piece) => gzipSync(piece, { level: GZIP_LEVEL }),
};

/**
 * Does with a finished file what is to be done once: compresses it, and hashes it as it is stored.
 *
 * The compressed file is on the disk before it gets its name, and has its name before the other one goes: whenever this is
 * broken off, one of them is whole, and doing it again leaves one. Throws Node's errors, `ENOENT` where the file is gone.
 *
 * @param path relative to the folder
 */
export function keepFile(
  files: FileSystem,
  directory: string,
  path: string,
  wanted: FileCompression,
): KeptFile {
  const half = halfDone(files, join(directory, path));
  const compression = half === 'none' ? wanted : half;
  const source = files.openSync(join(directory, path), 'r');
  try {
    if (compression === 'none') return { path, compression, ...hashFile(files, source) };
    const target = path + compressionSuffixes[compression];
    const stored = compress(files, source, join(directory, target), compression);
    removeFile(files, join(directory, path));
    return { path: target, compression, ...stored };
  } finally {
    files.closeSync(source);
  }
}

/**
 * The compression that an earlier run was just done with when it ended, whatever is wanted now: it is done again, or there
 * would be two files.
 */
function halfDone(files: FileSystem, path: string): FileCompression {
  if (files.existsSync(path + compressionSuffixes.zstd)) return 'zstd';
  return files.existsSync(path + compressionSuffixes.gzip) ? 'gzip' : 'none';
}

function compress(
  files: FileSystem,
  source: number,
  target: string,
  compression: Exclude<FileCompression, 'none'>,
): { bytes: number; sha256: string } {
  const part = target + PART_SUFFIX;
  try {
    const out = files.openSync(part, 'w', FILE_MODE);
    let stored: { bytes: number; sha256: string };
    try {
      stored = compressPieces(files, source, out, compressors[compression]);
      files.fdatasyncSync(out);
    } finally {
      files.closeSync(out);
    }
    const { atime, mtime } = files.fstatSync(source);
    files.utimesSync(part, atime, mtime);
    files.renameSync(part, target);
    syncFolder(files, dirname(target));
    return stored;
  } catch (error) {
    // it would only take room: what it was made from is there
    removeFile(files, part);
    throw error;
  }
}

function compressPieces(
  files: FileSystem,
  source: number,
  out: number,
  compressor: (piece: Buffer) => Buffer,
): { bytes: number; sha256: string } {
  const hash = createHash('sha256');
  const block = (pieceBlock ??= Buffer.allocUnsafeSlow(PIECE_BYTES));
  let bytes = 0;
  for (let position = 0; ; ) {
    const count = fill(files, source, block, position);
    // an empty file is compressed to an empty piece, not to nothing
    if (count === 0 && position > 0) return { bytes, sha256: hash.digest('hex') };
    const piece = compressor(block.subarray(0, count));
    writeAll(files, out, piece, bytes);
    hash.update(piece);
    bytes += piece.length;
    position += count;
    if (count < block.length) return { bytes, sha256: hash.digest('hex') };
  }
}

/** Reads until the block is full or the file ends; a read may give less than it was asked for. */
function fill(files: FileSystem, source: number, block: Buffer, position: number): number {
  let filled = 0;
  while (filled < block.length) {
    const count = files.readSync(source, block, filled, block.length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}
