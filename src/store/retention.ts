import type { OldFile } from './indexed-file.ts';

/** What is kept of a folder; 0: no limit. */
export interface KeepLimits {
  /** Bytes of all finished files, as they are stored. */
  readonly keepBytes: number;
  /** Age of a file's last packet. */
  readonly keepSeconds: number;
  /** Part of the disk that stays free. */
  readonly keepFreePercent: number;
}

/** How full folder and disk are. */
export interface Fullness {
  /** Bytes of all finished files. */
  readonly bytes: number;
  readonly freeBytes: number;
  readonly diskBytes: number;
}

/** Why a file is deleted. */
export const deletionReasons = ['age', 'bytes', 'space'] as const;
export type DeletionReason = (typeof deletionReasons)[number];

export interface Deletion {
  readonly path: string;
  readonly bytes: number;
  readonly reason: DeletionReason;
}

/** Bytes of the disk that must become free. */
export function missingBytes({ freeBytes, diskBytes }: Fullness, keepFreePercent: number): number {
  const missing = Math.ceil((diskBytes * keepFreePercent) / 100 - freeBytes);
  return Math.max(freeBytes > 0 ? 0 : 1, missing);
}

/**
 * Which files go, the oldest first: as long as the oldest one is too old, all of them are too many, or too little of the
 * disk is free. Files come ordered by their last packet, and none is passed over: what is left is always the newest.
 */
export function filesToDelete(
  oldest: readonly OldFile[],
  limits: KeepLimits,
  fullness: Fullness,
  nowSeconds: number,
): Deletion[] {
  const { keepBytes, keepSeconds, keepFreePercent } = limits;
  const deletions: Deletion[] = [];
  let { bytes } = fullness;
  let missing = keepFreePercent === 0 ? 0 : missingBytes(fullness, keepFreePercent);
  for (const { path, bytes: fileBytes, lastSeconds } of oldest) {
    const reason =
      keepSeconds > 0 && lastSeconds + keepSeconds < nowSeconds
        ? 'age'
        : keepBytes > 0 && bytes > keepBytes
          ? 'bytes'
          : 'space';
    if (reason === 'space' && missing <= 0) break;
    deletions.push({ path, bytes: fileBytes, reason });
    bytes -= fileBytes;
    missing -= fileBytes;
  }
  return deletions;
}
