import { join } from 'node:path';
import { readSlot, SLOT_BYTES, writeSlot } from './layout.ts';
import { readThrough, type SpoolDisk, writeThrough } from './spool-disk.ts';

const POSITION_NAME = 'position';

/** Each slot has a sector, and a page, of its own: a write that power cuts off spoils one of them at most. */
const SLOT_AT = [0, 4096] as const;

/**
 * Up to where a spool is acknowledged: a number in a small file that is written over in place, into its two slots by turns. A
 * write that ends in the middle leaves the one before: then a few blocks are sent again.
 */
export class PositionFile {
  readonly #disk: SpoolDisk;
  readonly #file: number;
  readonly #bytes = Buffer.alloc(SLOT_BYTES);
  #generation: number;
  #noted: number;
  /** What is to be noted. */
  #wanted: number;
  #writing: Promise<void> | undefined;
  #unsynced = false;

  private constructor(disk: SpoolDisk, file: number, generation: number, sequence: number) {
    this.#disk = disk;
    this.#file = file;
    this.#generation = generation;
    this.#noted = sequence;
    this.#wanted = sequence;
  }

  /** Opens the file, or makes it. The sequence is 0 where nothing, or nothing legible, was noted. */
  static async open(
    disk: SpoolDisk,
    directory: string,
  ): Promise<{ position: PositionFile; sequence: number }> {
    const path = join(directory, POSITION_NAME);
    const facts = await disk.look(path);
    const file = await disk.open(path, facts === undefined ? 'w+' : 'r+');
    // its room is taken now: a disk that fills up later does not keep it from being written over
    if (facts === undefined || facts.bytes === 0) await writeFresh(disk, file);
    let newest = { generation: 0, sequence: 0 };
    for (const at of SLOT_AT) {
      const bytes = Buffer.alloc(SLOT_BYTES);
      const slot =
        (await readThrough(disk, file, bytes, SLOT_BYTES, at)) < SLOT_BYTES ? undefined : readSlot(bytes);
      if (slot !== undefined && slot.generation > newest.generation) newest = slot;
    }
    const position = new PositionFile(disk, file, newest.generation, newest.sequence);
    return { position, sequence: newest.sequence };
  }

  /** Notes a sequence; settles once it, or a later one, is in the file. Rejects where the file cannot be written. */
  async note(sequence: number): Promise<void> {
    this.#wanted = Math.max(this.#wanted, sequence);
    while (this.#noted < sequence) {
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined;
      });
      await this.#writing;
    }
  }

  async #write(): Promise<void> {
    const sequence = this.#wanted;
    const generation = this.#generation + 1;
    writeSlot(this.#bytes, { generation, sequence });
    const at = SLOT_AT[generation % 2 === 0 ? 0 : 1];
    await writeThrough(this.#disk, this.#file, [this.#bytes], SLOT_BYTES, at);
    this.#generation = generation;
    this.#noted = sequence;
    this.#unsynced = true;
  }

  /** Makes sure that what is noted outlives a power failure. */
  async sync(): Promise<void> {
    if (!this.#unsynced) return;
    this.#unsynced = false;
    await this.#disk.sync(this.#file);
  }

  async close(): Promise<void> {
    await this.#writing?.catch(() => undefined);
    await this.#disk.close(this.#file);
  }
}

async function writeFresh(disk: SpoolDisk, file: number): Promise<void> {
  const bytes = Buffer.alloc(SLOT_AT[1] + SLOT_BYTES);
  try {
    await writeThrough(disk, file, [bytes], bytes.length, 0);
  } catch {
    // the disk is full already: it may have room when something is to be noted
  }
}
