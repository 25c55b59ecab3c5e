import { type Disk, type FreeSpace, nodeDisk } from '../../src/sinks/files/disk.ts';

/** The real file system, until a test breaks it. */
export class FaultyDisk implements Disk {
  /** What writes fail with: an errno like `ENOSPC`. */
  failWrites: string | undefined;
  /** Before a write fails it stores so many bytes, as a disk that fills up does. */
  bytesBeforeFailure = 0;
  /** What making a file whose path contains a text fails with. */
  failOpens: { readonly path: string; readonly errno: string } | undefined;
  /** What the file system says of its room; undefined: plenty. */
  space: FreeSpace | undefined;
  /** Writes wait until this settles. */
  gate: Promise<void> = Promise.resolve();
  writes = 0;
  synced = 0;
  /** Probes left out. */
  readonly removed: string[] = [];
  readonly openFiles = new Set<number>();
  mostOpenFiles = 0;

  async open(path: string, flags: string): Promise<number> {
    if (this.failOpens !== undefined && path.includes(this.failOpens.path))
      throw failure(this.failOpens.errno);
    const file = await nodeDisk.open(path, flags);
    this.openFiles.add(file);
    this.mostOpenFiles = Math.max(this.mostOpenFiles, this.openFiles.size);
    return file;
  }

  async write(
    file: number,
    bytes: Buffer,
    at: number,
    length: number,
    position: number | null,
  ): Promise<number> {
    await this.gate;
    this.writes++;
    if (this.failWrites === undefined) return nodeDisk.write(file, bytes, at, length, position);
    const left = Math.min(this.bytesBeforeFailure, length);
    if (left === 0) throw failure(this.failWrites);
    this.bytesBeforeFailure -= left;
    return nodeDisk.write(file, bytes, at, left, position);
  }

  async close(file: number): Promise<void> {
    this.openFiles.delete(file);
    await nodeDisk.close(file);
  }

  async sync(file: number): Promise<void> {
    this.synced++;
    await nodeDisk.sync(file);
  }

  async remove(path: string): Promise<void> {
    if (!path.includes('/.probe-')) this.removed.push(path);
    await nodeDisk.remove(path);
  }

  async freeSpace(): Promise<FreeSpace> {
    return this.space ?? { freeBytes: 90, totalBytes: 100 };
  }

  truncate = nodeDisk.truncate;
  rename = nodeDisk.rename;
  exists = nodeDisk.exists;
  look = nodeDisk.look;
  makeFolder = nodeDisk.makeFolder;
  list = nodeDisk.list;
}

function failure(errno: string): Error {
  return Object.assign(new Error(errno), { code: errno });
}
