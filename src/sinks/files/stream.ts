import type { Destination, OutFile } from './destination.ts';
import { type Disk, errnoOf } from './disk.ts';

/** How long to wait when a pipe that does not block is full, milliseconds. */
const FULL_PIPE_WAIT_MS = 5;

/** One file for everything, written to a descriptor that someone else opened: standard output, a pipe. */
export class Stream implements Destination, OutFile {
  readonly path = '';
  readonly #number: number;
  readonly #disk: Disk;

  constructor(number: number, disk: Disk) {
    this.#number = number;
    this.#disk = disk;
  }

  async open(): Promise<void> {}

  async create(): Promise<OutFile> {
    return this;
  }

  async append(bytes: Buffer, length: number): Promise<void> {
    for (let at = 0; at < length; ) {
      try {
        at += await this.#disk.write(this.#number, bytes, at, length - at, null);
      } catch (error) {
        if (errnoOf(error) !== 'EAGAIN') throw error;
        await new Promise((resolve) => setTimeout(resolve, FULL_PIPE_WAIT_MS));
      }
    }
  }

  async sync(): Promise<void> {}

  async finish(): Promise<void> {}

  async discard(): Promise<void> {}

  async close(): Promise<void> {}
}
