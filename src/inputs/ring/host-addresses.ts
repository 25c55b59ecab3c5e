import { networkInterfaces } from 'node:os';
import { type Address, parseAddress } from '../../wire/address.ts';
import { assert } from '../../wire/assert.ts';
import type { FilterAddresses } from '../bpf/tunnel-filter.ts';

/** Version of IP. */
export type IpVersion = 4 | 6;

const LOOPBACK = 'lo';
const MAPPED_PREFIX = '00000000000000000000ffff';

/**
 * The addresses to which packets are wanted: one, or all of this host, which may change.
 *
 * An address that is gone stays wanted: an interface that loses its link for a moment loses its addresses too, and
 * packets that come before anybody has looked again would be refused.
 */
export class HostAddresses {
  /** Versions of IP that can be wanted. */
  readonly versions: readonly IpVersion[];
  /** The one that is wanted; `undefined`: all. */
  readonly #only: Address | undefined;
  readonly #own = new Map<string, Address>();
  readonly #read: () => readonly string[];

  /**
   * @param listen as in the settings: an address, `0.0.0.0` or `::`
   * @param read the addresses of this host now, as text
   */
  constructor(listen: string, read: () => readonly string[] = ownAddresses) {
    const address = addressOf(listen);
    assert(address !== undefined, 'settings take addresses only');
    const isAny = address.bytes.every((byte) => byte === 0);
    this.versions = isAny && address.version === 6 ? [4, 6] : [address.version];
    this.#only = isAny ? undefined : address;
    this.#read = read;
    this.look();
  }

  /** Looks which addresses this host has now; says whether one came that is wanted and was not there before. */
  look(): boolean {
    const before = this.#own.size;
    if (this.#only === undefined) {
      for (const text of this.#read()) {
        const address = addressOf(text);
        if (address !== undefined && this.versions.includes(address.version)) this.#own.set(text, address);
      }
    }
    return this.#own.size > before;
  }

  /** Addresses of this version that packets on an interface may be for. */
  wanted(version: IpVersion, interfaceName: string): FilterAddresses {
    if (this.#only !== undefined) return this.#only.version === version ? [this.#only.bytes] : 'none';
    if (!this.versions.includes(version)) return 'none';
    // nothing else comes there than what is for this host, and all of 127.0.0.0/8 is
    if (interfaceName === LOOPBACK) return 'any';
    return [...this.#own.values()].filter((one) => one.version === version).map(({ bytes }) => bytes);
  }
}

/** An address without its zone; an IPv4-mapped one is the IPv4 address that its packets have. */
function addressOf(text: string): Address | undefined {
  const address = parseAddress(text.split('%', 1)[0] ?? '');
  if (address?.version !== 6) return address;
  const { bytes } = address;
  const isMapped = Buffer.from(bytes.subarray(0, 12)).toString('hex') === MAPPED_PREFIX;
  return isMapped ? { version: 4, bytes: bytes.subarray(12) } : address;
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}
