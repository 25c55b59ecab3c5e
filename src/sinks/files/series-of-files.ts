import { join } from 'node:path';
import type { Destination, OutFile } from './destination.ts';
import { type Disk, errnoOf } from './disk.ts';
import { makeDirectory } from './one-file-a-lane.ts';
import { OpenFiles, PartFile } from './part-file.ts';

/** Lanes whose next number is remembered; past that all are looked up in their folders again. */
const REMEMBERED_LANES_MAX = 16_384;
const SEQUENCE_DIGITS = 6;
/** Numbers that are tried when a file of that name is there already. */
const CREATE_TRIES = 100;

/** Name of a live file, finished or not: start, sequence, worker, extension. */
const LIVE_NAME = /^(\d{8}T\d{6}Z)-(\d{6,})-w(\d+)\.(?:pcapng|pcap)(\.part)?$/;
/** Names of lanes and of the folder that all lanes share. */
const LANE_FOLDER = /^(?:all|overflow(?:-ip)?|(?:vni|geneve|gwlb)-\d{1,8}(?:-[0-9a-f]{16})?(?:-ip)?)$/;

/** Live: `DIR/<lane>/<start>-<sequence>-w<worker>.pcapng`, one after the other. */
export class SeriesOfFiles implements Destination {
  readonly #directory: string;
  readonly #extension: string;
  readonly #worker: number;
  readonly #disk: Disk;
  readonly #open: OpenFiles;
  readonly #nextSequence = new Map<string, number>();

  constructor(directory: string, extension: string, worker: number, disk: Disk) {
    this.#directory = directory;
    this.#extension = extension;
    this.#worker = worker;
    this.#disk = disk;
    this.#open = new OpenFiles(disk);
  }

  open(): Promise<void> {
    return makeDirectory(this.#disk, this.#directory);
  }

  async create(stem: string, startSeconds: number): Promise<OutFile> {
    const first = this.#nextSequence.get(stem) ?? (await this.#lookUp(stem));
    for (let sequence = first; ; sequence++) {
      const name = `${startTime(startSeconds)}-${digits(sequence)}-w${this.#worker}.${this.#extension}`;
      const file = new PartFile(this.#directory, join(stem, name), this.#open);
      try {
        await file.create('wx');
      } catch (error) {
        const gone = errnoOf(error) === 'ENOENT';
        if (gone) await this.#disk.makeFolder(join(this.#directory, stem));
        if (sequence - first < CREATE_TRIES && (gone || errnoOf(error) === 'EEXIST')) continue;
        throw error;
      }
      this.#nextSequence.set(stem, sequence + 1);
      return file;
    }
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
      const match = LIVE_NAME.exec(name);
      if (match !== null && Number(match[3]) === this.#worker) last = Math.max(last, Number(match[2]));
    }
    if (this.#nextSequence.size >= REMEMBERED_LANES_MAX) this.#nextSequence.clear();
    return last + 1;
  }
}

/**
 * The oldest finished live files in a folder, by the second their first packet came in; files of every worker and
 * of earlier runs. Nothing that is called otherwise is ever listed.
 *
 * @param limit most names that are returned, relative to the folder
 */
export async function oldestFinished(disk: Disk, directory: string, limit: number): Promise<string[]> {
  const found: { start: string; path: string }[] = [];
  for (const lane of await disk.list(directory)) {
    if (!LANE_FOLDER.test(lane)) continue;
    for (const name of await disk.list(join(directory, lane))) {
      const match = LIVE_NAME.exec(name);
      if (match === null || match[4] !== undefined) continue;
      found.push({ start: `${match[1]}-${digits(Number(match[2]))}`, path: join(lane, name) });
    }
  }
  found.sort((a, b) => (a.start < b.start ? -1 : 1));
  return found.slice(0, limit).map((file) => file.path);
}

/** `20261121T040000Z` */
function startTime(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

function digits(sequence: number): string {
  return String(sequence).padStart(SEQUENCE_DIGITS, '0');
}
