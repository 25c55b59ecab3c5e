import { copyBytes } from '../../wire/copy.ts';
import { AnalysisTally } from '../analysis-tally.ts';

/** Instead of an assembly: there is none. */
export const NO_ASSEMBLY = 0;
/** Bytes of a stream that are put together, from where it began. */
export const ASSEMBLY_LEN = 16_384;

/** Assemblies of a worker; their numbers are 1 to this, and fit into 8 bits. */
const ASSEMBLIES = 64;
/** Pieces with gaps between them that an assembly keeps apart. */
const PIECES_MAX = 32;

/**
 * Beginnings of streams whose first packet was not enough: a few buffers of one size, into which bytes are put at their
 * offsets in any order. Where all are taken the one that was begun first is given up, and counted as a dropped name.
 * Allocates nothing.
 */
export class AssemblyPool {
  /** All buffers; see `begin`. */
  readonly bytes: Buffer = Buffer.alloc((ASSEMBLIES + 1) * ASSEMBLY_LEN);
  /** The flow that an assembly is of, by its head; 0 where it is free. */
  readonly #owner = new Uint32Array(ASSEMBLIES + 1);
  /** When it was claimed, in claims. */
  readonly #claimed = new Float64Array(ASSEMBLIES + 1);
  /** Who sends the stream: see `isFrom`. */
  readonly #port = new Uint16Array(ASSEMBLIES + 1);
  readonly #address = new Uint32Array(ASSEMBLIES + 1);
  readonly #sequence = new Uint32Array(ASSEMBLIES + 1);
  /** Pieces that are there, in order and apart: start and end of each. */
  readonly #pieces = new Int32Array((ASSEMBLIES + 1) * PIECES_MAX * 2);
  readonly #pieceCount = new Uint8Array(ASSEMBLIES + 1);
  readonly #tally: Float64Array;
  #claims = 0;

  /** @param tally the worker's row of `AnalysisTally` */
  constructor(tally: Float64Array) {
    this.#tally = tally;
  }

  /**
   * Takes an assembly for a flow.
   *
   * @param owner    the flow's head
   * @param port     source port of the packets that it is put together from
   * @param address  last 32 bits of their source address
   * @param sequence TCP sequence number of the stream's first byte
   */
  claim(owner: number, port: number, address: number, sequence: number): number {
    let chosen = 1;
    for (let i = 1; i <= ASSEMBLIES && this.#owner[chosen] !== NO_ASSEMBLY; i++) {
      if (this.#owner[i] === NO_ASSEMBLY || this.#claimed[i]! < this.#claimed[chosen]!) chosen = i;
    }
    if (this.#owner[chosen] !== NO_ASSEMBLY) this.#tally[AnalysisTally.namesDropped]! += 1;
    this.#owner[chosen] = owner;
    this.#claimed[chosen] = ++this.#claims;
    this.#port[chosen] = port;
    this.#address[chosen] = address;
    this.#sequence[chosen] = sequence;
    this.#pieceCount[chosen] = 0;
    return chosen;
  }

  /** Says whether an assembly is still that of this flow: it may have been given up. */
  isOf(assembly: number, owner: number): boolean {
    return assembly !== NO_ASSEMBLY && this.#owner[assembly] === owner;
  }

  isFrom(assembly: number, port: number, address: number): boolean {
    return this.#port[assembly] === port && this.#address[assembly] === address;
  }

  /** Bytes from the stream's first to that with this sequence number; negative before it. */
  offset(assembly: number, sequence: number): number {
    return (sequence - this.#sequence[assembly]!) | 0;
  }

  /** Where the stream's first byte is, or will be, in `bytes`. */
  begin(assembly: number): number {
    return assembly * ASSEMBLY_LEN;
  }

  /** One past the last byte, in `bytes`, up to which nothing is missing. */
  end(assembly: number): number {
    const at = assembly * PIECES_MAX * 2;
    const starts = this.#pieceCount[assembly]! > 0 && this.#pieces[at] === 0;
    return this.begin(assembly) + (starts ? this.#pieces[at + 1]! : 0);
  }

  /**
   * Puts bytes `at .. end - 1` of a packet at their offset in the stream; what lies outside of the assembly is left
   * out. False, and nothing done, where it would be one piece too many.
   */
  put(assembly: number, offset: number, bytes: Uint8Array, at: number, end: number): boolean {
    const from = Math.max(0, offset);
    const to = Math.min(ASSEMBLY_LEN, offset + end - at);
    if (from >= to) return true;
    if (!this.#note(assembly, from, to)) return false;
    copyBytes(bytes, at + from - offset, at + to - offset, this.bytes, this.begin(assembly) + from);
    return true;
  }

  release(assembly: number): void {
    this.#owner[assembly] = NO_ASSEMBLY;
  }

  /** Joins the piece with those that it touches. */
  #note(assembly: number, from: number, to: number): boolean {
    const pieces = this.#pieces;
    const base = assembly * PIECES_MAX * 2;
    const count = this.#pieceCount[assembly]!;
    let first = 0;
    while (first < count && pieces[base + 2 * first + 1]! < from) first++;
    let after = first;
    while (after < count && pieces[base + 2 * after]! <= to) after++;

    const joined = after - first;
    if (joined === 0 && count === PIECES_MAX) return false;
    const start = joined === 0 ? from : Math.min(from, pieces[base + 2 * first]!);
    const end = joined === 0 ? to : Math.max(to, pieces[base + 2 * after - 1]!);
    pieces.copyWithin(base + 2 * (first + 1), base + 2 * after, base + 2 * count);
    pieces[base + 2 * first] = start;
    pieces[base + 2 * first + 1] = end;
    this.#pieceCount[assembly] = count - joined + 1;
    return true;
  }
}
