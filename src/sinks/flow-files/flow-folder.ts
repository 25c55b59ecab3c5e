import { join } from 'node:path';
import type { FlowSinkContext } from '../../pipeline/flow-sink.ts';
import { type FileSystem, nodeFileSystem } from '../../store/file-system.ts';
import { parseFlowName } from '../../store/flow-names.ts';
import { ageKey, plainName } from '../../store/live-names.ts';
import { joinOwners, ownerName, renew, RENEW_MS, thisProcess } from '../../store/owner.ts';
import { filesToDelete } from '../../store/retention.ts';
import { type Disk, errnoOf } from '../files/disk.ts';
import type { FlowFilesSettings } from '../settings.ts';
import type { Housekeeping } from './flow-files-sink.ts';
import { finishLeftovers, leaveOwners } from './leftover-flows.ts';

/** Age is looked at so often, and files of others that have ended are looked for. */
const SWEEP_MS = 60_000;

export interface FlowFolderOptions
  extends Pick<FlowSinkContext, 'name' | 'worker' | 'log' | 'now' | 'onFile'> {
  readonly settings: Pick<FlowFilesSettings, 'directory' | 'keepBytes' | 'keepSeconds' | 'keepFreePercent'>;
  readonly disk: Disk;
  readonly fileSystem?: FileSystem;
}

/** A finished file, as retention wants to know it. */
interface KeptFile {
  readonly path: string;
  readonly bytes: number;
  readonly lastSeconds: number;
  readonly key: string;
}

/**
 * The folder of a sink of flow records: finishes what ended workers left, deletes the oldest files as the settings ask.
 * Every worker has one for the same folder; each deletes what it finds too old or too much, and finds the same.
 */
export class FlowFolder implements Housekeeping {
  readonly #options: FlowFolderOptions;
  readonly #files: FileSystem;
  readonly #identity = thisProcess();
  /** Finished files by name: they do not change any more. */
  readonly #known = new Map<string, KeptFile>();
  /** When this process began with the folder; undefined where it could not say so. */
  #sinceMs: number | undefined;
  /** Such that could not be deleted. */
  readonly #refused = new Set<string>();
  #sweeping: Promise<void> | undefined;
  #sweepAgain = false;
  #renewing: Promise<void> = Promise.resolve();
  #sweptMs = -Infinity;
  #lookedMs = -Infinity;
  #renewedMs = -Infinity;

  constructor(options: FlowFolderOptions) {
    this.#options = options;
    this.#files = options.fileSystem ?? nodeFileSystem;
  }

  async begin(): Promise<void> {
    const { directory } = this.#options.settings;
    try {
      this.#sinceMs = joinOwners(this.#files, directory, this.#identity);
      this.#finishLeftovers(true);
    } catch (error) {
      this.#warn(error, 'Flow files that earlier workers left cannot be looked for.');
    }
  }

  tick(nowMs: number): void {
    const { directory } = this.#options.settings;
    if (this.#sinceMs !== undefined && nowMs - this.#renewedMs >= RENEW_MS) {
      this.#renewedMs = nowMs;
      this.#renewing = renew(directory, this.#identity, this.#sinceMs).catch(() => undefined);
    }
    if (nowMs - this.#lookedMs >= SWEEP_MS) {
      this.#lookedMs = nowMs;
      this.#finishLeftovers(false);
    }
    if (nowMs - this.#sweptMs >= SWEEP_MS) this.finished();
  }

  finished(): void {
    const { keepBytes, keepSeconds } = this.#options.settings;
    this.#sweptMs = this.#options.now();
    if (keepBytes > 0 || keepSeconds > 0) void this.sweep();
  }

  async settle(): Promise<void> {
    await this.#sweeping;
    await this.#renewing;
  }

  async end(): Promise<void> {
    await this.settle();
    try {
      leaveOwners(this.#files, this.#options.settings.directory, ownerName(this.#identity));
    } catch {
      // the next process finds out by itself that this one has ended
    }
  }

  /** Deletes the oldest finished files until the limits are kept. Never rejects. */
  sweep(): Promise<void> {
    this.#sweepAgain = true;
    this.#sweeping ??= this.#sweepWhileAsked()
      .catch((error: unknown) => this.#warn(error, 'Old flow files cannot be looked for.'))
      .finally(() => {
        this.#sweeping = undefined;
      });
    return this.#sweeping;
  }

  /** A file that was finished after a sweep had listed the folder is for the next one. */
  async #sweepWhileAsked(): Promise<void> {
    while (this.#sweepAgain) {
      this.#sweepAgain = false;
      await this.#sweep();
    }
  }

  async #sweep(): Promise<void> {
    const { settings, disk, log, name, now, onFile } = this.#options;
    const files = await this.#list();
    const { freeBytes, totalBytes } = await disk.freeSpace(settings.directory);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const fullness = { bytes, freeBytes, diskBytes: totalBytes };
    let deleted = 0;
    let deletedBytes = 0;
    for (const { path, bytes: fileBytes, reason } of filesToDelete(files, settings, fullness, now() / 1000)) {
      if (!(await this.#delete(path))) continue;
      deleted++;
      deletedBytes += fileBytes;
      onFile?.({ event: 'deleted', path, bytes: fileBytes, reason });
    }
    if (deleted === 0) return;
    log.info({ sink: name, files: deleted, bytes: deletedBytes }, 'Old flow files were deleted.');
  }

  /** Returns whether the file was there, and is not any more. One that cannot be deleted is not looked at again. */
  async #delete(path: string): Promise<boolean> {
    const { settings, disk } = this.#options;
    this.#known.delete(path);
    try {
      await disk.remove(join(settings.directory, path));
      return true;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') {
        // another worker may have been faster, or it is compressed by now: then it is another file
        this.#sweepAgain = true;
        return false;
      }
      this.#refused.add(path);
      this.#warn(error, 'An old flow file cannot be deleted.', path);
      return false;
    }
  }

  /** All finished files, the oldest first. */
  async #list(): Promise<KeptFile[]> {
    const { settings, disk } = this.#options;
    const names = new Set(await disk.list(settings.directory));
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
    for (const name of names) {
      const parsed = parseFlowName(name);
      if (parsed === undefined || parsed.part || this.#known.has(name) || this.#refused.has(name)) continue;
      // compressed a moment ago: what it was made from is about to go, and the two are one
      if (parsed.compression !== 'none' && names.has(plainName(name, parsed.compression))) continue;
      const facts = await disk.look(join(settings.directory, name));
      if (facts === undefined) continue;
      const { bytes, changedMs } = facts;
      this.#known.set(name, { path: name, bytes, lastSeconds: changedMs / 1000, key: ageKey(parsed) });
    }
    return [...this.#known.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  #finishLeftovers(isBegin: boolean): void {
    const { settings, worker, log, name, onFile } = this.#options;
    try {
      const { finished, removed } = finishLeftovers(
        this.#files,
        settings.directory,
        this.#identity,
        isBegin ? worker : undefined,
      );
      if (finished.length + removed === 0) return;
      for (const file of finished) onFile?.({ event: 'recovered', ...file });
      const fields = { sink: name, finished: finished.length, removed };
      log.info(fields, 'Flow files that an ended worker left were finished.');
    } catch (error) {
      this.#warn(error, 'A flow file that an ended worker left cannot be finished.');
    }
  }

  #warn(error: unknown, message: string, path?: string): void {
    const { log, name } = this.#options;
    log.warn({ sink: name, ...(path === undefined ? {} : { path }), error: errnoOf(error) }, message);
  }
}
