/**
 * Headers of one record. A `Map` of them took half of the time of a record (measured: 600 ns to build and 850 bytes, against 60 ns
 * and 150 bytes), and nobody looks one up on the way.
 */
export class HeaderList implements ReadonlyMap<Buffer, Buffer> {
  readonly #names: readonly Buffer[];
  readonly #values: readonly Buffer[];

  /** @param names shared by all records that have the same ones */
  constructor(names: readonly Buffer[], values: readonly Buffer[]) {
    this.#names = names;
    this.#values = values;
  }

  get size(): number {
    return this.#names.length;
  }

  [Symbol.iterator](): MapIterator<[Buffer, Buffer]> {
    return new HeaderWalk(this.#names, this.#values) as unknown as MapIterator<[Buffer, Buffer]>;
  }

  entries(): MapIterator<[Buffer, Buffer]> {
    return this[Symbol.iterator]();
  }

  keys(): MapIterator<Buffer> {
    return this.#names.values();
  }

  values(): MapIterator<Buffer> {
    return this.#values.values();
  }

  get(name: Buffer): Buffer | undefined {
    return this.#values[this.#names.indexOf(name)];
  }

  has(name: Buffer): boolean {
    return this.#names.includes(name);
  }

  forEach(see: (value: Buffer, name: Buffer, map: ReadonlyMap<Buffer, Buffer>) => void): void {
    for (const [name, value] of this) see(value, name, this);
  }
}

class HeaderWalk {
  readonly #names: readonly Buffer[];
  readonly #values: readonly Buffer[];
  #next = 0;

  constructor(names: readonly Buffer[], values: readonly Buffer[]) {
    this.#names = names;
    this.#values = values;
  }

  next(): IteratorResult<[Buffer, Buffer], undefined> {
    const name = this.#names[this.#next];
    const value = this.#values[this.#next];
    if (name === undefined || value === undefined) return { done: true, value: undefined };
    this.#next++;
    return { done: false, value: [name, value] };
  }

  [Symbol.iterator](): this {
    return this;
  }
}
