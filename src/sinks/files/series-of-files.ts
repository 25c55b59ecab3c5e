import { join } from 'node:path';
import { compressionSuffixes, liveName, parseLiveName } from '../../store/live-names.ts';
import type { Destination, OutFile } from './destination.ts';
import { type Disk, errnoOf } from './disk.ts';
import { makeDirectory } from './one-file-a-lane.ts';
import { OpenFiles, PartFile } from './part-file.ts';

/** Lanes whose next number is remembered; past that all are looked up in their folders again. */
const REMEMBERED_LANES_MAX = 16_384;
/** Numbers that are tried when a file of that name is there already. */
const CREATE_TRIES = 100;

/** What the name of one file of a series says; `undefined` where the file is of no series. */
export type ParseName = (name: string) => { readonly sequence: number; readonly worker: number } | undefined;

/** Live: `DIR/<lane>/<start>-<sequence>-w<worker>.pcapng`, one after the other. */
export class SeriesOfFiles implements Destination {
  readonly #directory: string;
  readonly #extension: string;
  readonly #worker: number;
  readonly #disk: Disk;
  readonly #open: OpenFiles;
  readonly #parse: ParseName;
  readonly #nextSequence = new Map<string, number>();

  /**
   * @param openFiles how many may be open at a time
   * @param parse     reads the names of the files that are there already
   */
  constructor(
    directory: string,
    extension: string,
    worker: number,
    disk: Disk,
    openFiles?: number,
    parse: ParseName = parseLiveName,
  ) {
    this.#directory = directory;
    this.#extension = extension;
    this.#worker = worker;
    this.#disk = disk;
    this.#open = new OpenFiles(disk, openFiles);
    this.#parse = parse;
  }

  open(): Promise<void> {
    return makeDirectory(this.#disk, this.#directory);
  }

  async create(stem: string, startSeconds: number): Promise<OutFile> {
    const first = this.#nextSequence.get(stem) ?? (await this.#lookUp(stem));
    for (let sequence = first; ; sequence++) {
      const name = liveName(startSeconds, sequence, this.#worker, this.#extension);
      const file = new PartFile(this.#directory, join(stem, name), this.#open);
      try {
        await file.create('wx');
      } catch (error) {
        const gone = errnoOf(error) === 'ENOENT';
        if (gone) await this.#disk.makeFolder(join(this.#directory, stem));
        if (sequence - first < CREATE_TRIES && (gone || errnoOf(error) === 'EEXIST')) continue;
        throw error;
      }
      if (sequence - first < CREATE_TRIES && (await this.#isTaken(file.path))) {
        await file.discard();
        continue;
      }
      this.#nextSequence.set(stem, sequence + 1);
      return file;
    }
  }

  /** Whether another process has finished a file of this name since the folder was looked at, and perhaps compressed it. */
  async #isTaken(path: string): Promise<boolean> {
    const names = Object.values(compressionSuffixes).map((suffix) => join(this.#directory, path + suffix));
    return (await Promise.all(names.map((name) => this.#disk.exists(name)))).includes(true);
  }

  close(): Promise<void> {
    return this.#open.closeAll();
  }

  /** Makes the lane's folder and finds the number after the last one in it. */
  async #lookUp(stem: string): Promise<number> {
    const folder = join(this.#directory, stem);
    await this.#disk.makeFolder(folder);
    let last = 0;
    for (const name of await this.#disk.list(folder)) {
      const live = this.#parse(name);
      if (live?.worker === this.#worker) last = Math.max(last, live.sequence);
    }
    if (this.#nextSequence.size >= REMEMBERED_LANES_MAX) this.#nextSequence.clear();
    return last + 1;
  }
}
