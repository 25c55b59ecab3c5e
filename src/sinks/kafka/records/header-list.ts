const SHORT_NAME_LEN = 63;

export interface HeaderBeginning {
  readonly encoded: Buffer;
  readonly count: number;
}

/**
 * Headers of one record as they stand in it (Kafka documentation, section "Record"): of each header the length of its name, the name,
 * the length of its value, the value; lengths are zigzag varints. Who writes a record copies `encoded`: to build a `Map` and to walk it
 * were two thirds of the time of a record. Who wants names and values one by one, names below 64 bytes and values below 8192, may still
 * read them.
 */
export class HeaderList implements ReadonlyMap<Buffer, Buffer> {
  /** Shared by all records that have the same ones. */
  readonly names: readonly Buffer[];
  readonly encoded: Buffer;
  /** What they begin with, and how many headers that is: an object that records of one mirror source share. */
  readonly beginning: HeaderBeginning | undefined;

  /** @param names those in `encoded` */
  constructor(names: readonly Buffer[], encoded: Buffer, beginning?: HeaderBeginning) {
    this.names = names;
    this.encoded = encoded;
    this.beginning = beginning;
  }

  get size(): number {
    return this.names.length;
  }

  [Symbol.iterator](): MapIterator<[Buffer, Buffer]> {
    const values = this.#read();
    return this.names.map((name, i): [Buffer, Buffer] => [name, values[i] ?? name]).values();
  }

  entries(): MapIterator<[Buffer, Buffer]> {
    return this[Symbol.iterator]();
  }

  keys(): MapIterator<Buffer> {
    return this.names.values();
  }

  values(): MapIterator<Buffer> {
    return this.#read().values();
  }

  get(name: Buffer): Buffer | undefined {
    return this.#read()[this.names.indexOf(name)];
  }

  has(name: Buffer): boolean {
    return this.names.includes(name);
  }

  forEach(see: (value: Buffer, name: Buffer, map: ReadonlyMap<Buffer, Buffer>) => void): void {
    for (const [name, value] of this) see(value, name, this);
  }

  #read(): Buffer[] {
    const { encoded } = this;
    let end = 0;
    return this.names.map(({ length }) => {
      let at = end + (length > SHORT_NAME_LEN ? 2 : 1) + length;
      let zigzag = encoded[at++] ?? 0;
      if (zigzag > 0x7f) zigzag = (zigzag & 0x7f) | ((encoded[at++] ?? 0) << 7);
      end = at + (zigzag >>> 1);
      return encoded.subarray(at, end);
    });
  }
}
