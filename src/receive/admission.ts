import type { Layers } from '../packet/layers.ts';
import { type Cidr, contains } from '../wire/address.ts';
import * as ipv4 from '../wire/ipv4.ts';
import * as ipv6 from '../wire/ipv6.ts';
import * as tallies from './tally.ts';

// for speed: see "Constants" in src/README.md
const { SOURCE: IPV4_SOURCE } = ipv4;
const { SOURCE: IPV6_SOURCE } = ipv6;
const { Tally } = tallies;

/** Who may send and which VNIs are wanted; an empty list admits all. */
export interface AdmissionRules {
  /** Outer source addresses. */
  readonly sources: readonly Cidr[];
  /** Source addresses of the VXLAN packets: the mirrored interfaces. */
  readonly mirrorSources: readonly Cidr[];
  /** Inclusive ranges of VNIs. */
  readonly vnis: readonly (readonly [first: number, last: number])[];
}

const VNI_COUNT = 0x100_0000;
/** The packet is admitted. */
export const ADMITTED = -1;

/** Tunnels are not authenticated: this is the cheap defence against packets from elsewhere. */
export class Admission {
  readonly #sources: readonly Cidr[];
  readonly #mirrorSources: readonly Cidr[];
  /** One bit a VNI; undefined where all are admitted. */
  readonly #vnis: Uint8Array | undefined;

  constructor(rules: AdmissionRules) {
    this.#sources = rules.sources;
    this.#mirrorSources = rules.mirrorSources;
    this.#vnis = rules.vnis.length === 0 ? undefined : bitmap(rules.vnis);
  }

  /** `ADMITTED` or `Tally.filteredSource`: looks at the outer source only, before anything is decapsulated. */
  judgeSender(bytes: Uint8Array, layers: Layers): number {
    const at = layers.outerIpAt + (layers.outerVersion === 4 ? IPV4_SOURCE : IPV6_SOURCE);
    return admits(this.#sources, bytes, at, layers.outerVersion) ? ADMITTED : Tally.filteredSource;
  }

  /** `ADMITTED`, or the bucket of `Tally` that says why not: looks at mirror source and VNI. */
  judgeFrame(bytes: Uint8Array, layers: Layers): number {
    if (!admits(this.#mirrorSources, bytes, layers.mirrorSourceAt, layers.mirrorSourceVersion)) {
      return Tally.filteredMirrorSource;
    }
    const vnis = this.#vnis;
    if (vnis !== undefined && (vnis[layers.vni >>> 3]! & (1 << (layers.vni & 7))) === 0)
      return Tally.filteredVni;
    return ADMITTED;
  }
}

/** Compares one after the other: meant for tens of networks. */
function admits(networks: readonly Cidr[], bytes: Uint8Array, at: number, version: number): boolean {
  if (networks.length === 0) return true;
  for (let index = 0; index < networks.length; index++) {
    if (contains(networks[index]!, bytes, at, version)) return true;
  }
  return false;
}

function bitmap(ranges: AdmissionRules['vnis']): Uint8Array {
  const bits = new Uint8Array(VNI_COUNT / 8);
  for (const [first, last] of ranges) {
    for (let vni = first; vni <= last; vni++) bits[vni >>> 3]! |= 1 << (vni & 7);
  }
  return bits;
}
