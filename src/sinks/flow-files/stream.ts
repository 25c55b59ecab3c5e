import { constants } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { FlowSinkContext } from '../../pipeline/flow-sink.ts';
import type { Destination, OutFile } from '../files/destination.ts';
import { callingThreadDisk, type Disk, errnoOf, nodeDisk } from '../files/disk.ts';
import { operatorError } from '../files/operator-error.ts';
import { existing, makeDirectory } from '../files/one-file-a-lane.ts';
import { OpenFiles, PartFile } from '../files/part-file.ts';
import { Stream } from '../files/stream.ts';
import { FlowFilesSink } from './flow-files-sink.ts';

/** How often a pipe that nobody reads yet is tried, milliseconds. */
const READER_WAIT_MS = 50;

/** Where `decap --flows` writes. */
export interface FlowStream {
  /** A file; `-` for standard output. */
  readonly path: string;
  /** Descriptor of standard output. */
  readonly stdout: number;
  /** Replace a file that is there already. */
  readonly force: boolean;
}

/** What a test hands in its own of. */
export interface FlowStreamMachinery {
  readonly disk?: Disk;
  readonly memoryBytes?: number;
}

/**
 * The sink of `decap --flows`: all records in one file, or to standard output. Nothing is dropped: a disk or a pipe that
 * fails ends the work with an error, which `flush` and `close` reject with.
 */
export function streamedFlows(
  { path, stdout, force }: FlowStream,
  context: FlowSinkContext,
  { disk, memoryBytes }: FlowStreamMachinery = {},
): FlowFilesSink {
  const destination =
    path === '-'
      ? new Stream(stdout, disk ?? nodeDisk)
      : new OneFlowFile(path, force, disk ?? callingThreadDisk);
  return new FlowFilesSink(context, {
    destination,
    limits: { bytes: Infinity, seconds: Infinity, packets: Infinity },
    onFailure: 'fail',
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  });
}

/** One file that is called `<path>.part` until it is finished; a pipe or device of that name is written to as it is. */
class OneFlowFile implements Destination {
  readonly #path: string;
  readonly #force: boolean;
  readonly #disk: Disk;
  readonly #open: OpenFiles;
  /** Of a pipe or device. */
  #descriptor: number | undefined;

  constructor(path: string, force: boolean, disk: Disk) {
    this.#path = path;
    this.#force = force;
    this.#disk = disk;
    this.#open = new OpenFiles(disk);
  }

  open(): Promise<void> {
    return makeDirectory(this.#disk, dirname(this.#path), 'flow records');
  }

  async create(): Promise<OutFile> {
    const facts = await this.#disk.look(this.#path);
    if (facts?.isRegular === false) return this.#stream();
    if (facts !== undefined && !this.#force) throw existing(this.#path);
    const file = new PartFile(dirname(this.#path), basename(this.#path), this.#open);
    try {
      await file.create(this.#force ? 'w' : 'wx');
    } catch (error) {
      throw errnoOf(error) === 'EEXIST' ? existing(file.partPath) : error;
    }
    return file;
  }

  async close(): Promise<void> {
    await this.#open.closeAll();
    if (this.#descriptor !== undefined) await this.#disk.close(this.#descriptor);
  }

  async #stream(): Promise<OutFile> {
    this.#descriptor = await this.#openStream();
    return new Stream(this.#descriptor, nodeDisk);
  }

  /** Waits for the reader of a pipe, but not in `open`: the process could not be ended meanwhile. */
  async #openStream(): Promise<number> {
    for (;;) {
      try {
        return await this.#disk.open(this.#path, constants.O_WRONLY | constants.O_NONBLOCK);
      } catch (error) {
        if (errnoOf(error) !== 'ENXIO') throw operatorError(this.#path, error, 'FLOWS_WRITE_FAILED');
        await new Promise((resolve) => setTimeout(resolve, READER_WAIT_MS));
      }
    }
  }
}
