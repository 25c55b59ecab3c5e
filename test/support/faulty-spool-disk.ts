import { nodeSpoolDisk, type SpoolDisk } from '../../src/sinks/kafka/spool/spool-disk.ts';

/** What a test breaks of a disk: calls fail with an errno as long as they stand here. */
export interface SpoolFaults {
  /** Writes of blocks store so many bytes and fail then, or end early where there is no errno. */
  write?: { readonly stored: number; readonly errno?: string } | undefined;
  /** Writes of the position: the only ones of 32 bytes. */
  position?: string | undefined;
  truncate?: string | undefined;
  sync?: string | undefined;
  remove?: string | undefined;
  open?: string | undefined;
  /** Bytes of a file that cannot be read. */
  unreadable?: { readonly from: number; readonly to: number } | undefined;
}

export interface FaultySpoolDisk extends SpoolDisk {
  readonly faults: SpoolFaults;
  /** What was done: `write`, `sync`, `syncFolder`. */
  readonly calls: string[];
}

/** The real file system, until a test breaks it. */
export function faultySpoolDisk(): FaultySpoolDisk {
  const faults: SpoolFaults = {};
  const calls: string[] = [];
  const failing = async (errno: string | undefined) => {
    if (errno !== undefined) throw Object.assign(new Error(errno), { code: errno });
  };
  return {
    ...nodeSpoolDisk,
    faults,
    calls,
    writeMany: async (file, buffers, position) => {
      const bytes = Buffer.concat(buffers);
      if (bytes.length === 32) await failing(faults.position);
      calls.push('write');
      const { write } = faults;
      if (write === undefined) return nodeSpoolDisk.writeMany(file, buffers, position);
      const stored = Math.min(write.stored, bytes.length);
      if (stored > 0) await nodeSpoolDisk.write(file, bytes, 0, stored, position);
      if (stored === 0) await failing(write.errno);
      return stored;
    },
    write: async (file, bytes, at, length, position) => {
      await failing(faults.write?.errno);
      return nodeSpoolDisk.write(file, bytes, at, length, position);
    },
    read: async (file, target, at, length, position) => {
      const bad = faults.unreadable;
      if (bad !== undefined && position < bad.to && position + length > bad.from) await failing('EIO');
      return nodeSpoolDisk.read(file, target, at, length, position);
    },
    truncate: async (file, length) => {
      await failing(faults.truncate);
      await nodeSpoolDisk.truncate(file, length);
    },
    sync: async (file) => {
      calls.push('sync');
      await failing(faults.sync);
      await nodeSpoolDisk.sync(file);
    },
    syncFolder: async (path) => {
      calls.push('syncFolder');
      await nodeSpoolDisk.syncFolder(path);
    },
    remove: async (path) => {
      await failing(faults.remove);
      await nodeSpoolDisk.remove(path);
    },
    open: async (path, flags) => {
      await failing(faults.open);
      return nodeSpoolDisk.open(path, flags);
    },
  };
}
