/** Not on the per-packet path: explaining allocates as it likes. */
import { formatAddress } from '../../wire/address.ts';
import * as ethernet from '../../wire/ethernet.ts';

/** One value of a header, as text. */
export type Field = readonly [name: string, value: string];

/** One header, or what it carries. */
export interface ExplainedLayer {
  readonly name: string;
  /** Byte offset from the captured packet's first byte. */
  readonly at: number;
  /** Bytes of it that arrived. */
  readonly length: number;
  readonly fields: readonly Field[];
  /** What is unusual about it: cut, too long, not looked into. */
  readonly note?: string;
}

/** Bytes that come behind the last header that is known: `at .. end - 1` of the block. */
export interface Remainder {
  readonly at: number;
  readonly end: number;
}

/** Collects the layers of one packet, outermost first. */
export class LayerList {
  readonly bytes: Buffer;
  readonly layers: ExplainedLayer[] = [];
  /** Offset of the packet's first byte in the block. */
  readonly #base: number;

  constructor(bytes: Buffer, base: number) {
    this.bytes = bytes;
    this.#base = base;
  }

  /** Adds a header; `at` is an offset in the block. */
  add(name: string, at: number, length: number, fields: readonly Field[], note?: string): void {
    const layer = { name, at: at - this.#base, length, fields };
    this.layers.push(note === undefined ? layer : { ...layer, note });
  }

  /** Adds a header that ends before it is complete. */
  addCut(name: string, at: number, end: number, needed: number): void {
    const present = Math.max(0, end - at);
    this.add(name, at, present, [], `cut: ${needed} bytes needed, ${present} present`);
  }

  /** Adds what no header describes, if there is any. */
  addData(rest: Remainder | undefined): void {
    if (rest !== undefined && rest.end > rest.at) this.add('Data', rest.at, rest.end - rest.at, []);
  }

  /** Text of the IP address at `at`. */
  address(at: number, version: 4 | 6): string {
    return formatAddress(this.bytes, at, version);
  }

  /** Text of the hardware address at `at`. */
  hardware(at: number): string {
    const digits = this.bytes.toString('hex', at, at + ethernet.ADDRESS_LEN);
    return digits.replaceAll(/..(?=.)/g, '$&:');
  }
}

/** A number with leading `0x` and so many hex digits. */
export function hexNumber(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}

/** `17 (udp)`: a number and its name in a table such as `IpProtocol`. */
export function named(
  value: string | number,
  number: number,
  table: Readonly<Record<string, number>>,
): string {
  const entry = Object.entries(table).find(([, known]) => known === number);
  return entry === undefined ? String(value) : `${value} (${entry[0]})`;
}
