import { Innermost, nestNames, Ports } from '../../src/packet/innermost.ts';
import { Encapsulation } from '../../src/packet/lane.ts';
import { ABSENT, Layers } from '../../src/packet/layers.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import { ANALYSIS_TALLY_LENGTH, AnalysisTally } from '../../src/receive/analysis-tally.ts';
import { FragmentTable } from '../../src/receive/fragment-table.ts';
import { readInner } from '../../src/receive/inner.ts';
import { InnermostReader } from '../../src/receive/innermost.ts';
import { formatAddress } from '../../src/wire/address.ts';
import { guardedBytes } from './guarded-bytes.ts';

/** Where the frame begins in its block: no frame is at 0. */
export const FRAME_AT = 13;
const BEHIND = 80;

/** What a test compares of an `Innermost`: addresses as text, offsets from the frame's first byte. */
export interface Read {
  /** `source > destination`; undefined for a frame of no flow. */
  readonly addresses: string | undefined;
  readonly protocol: number;
  /** `source > destination`, `unknown` or `none`. */
  readonly ports: string;
  readonly transportAt: number;
  readonly end: number;
  readonly wireLen: number;
  readonly fragment: number;
  /** Names of the tunnels, outermost first. */
  readonly path: string;
  readonly nestedId: number;
  readonly vlanId: number;
}

export interface ReadOptions {
  readonly linkType?: LinkType;
  /** Bytes that arrived; left out: all. */
  readonly keep?: number;
  readonly seconds?: number;
  readonly vni?: number;
  readonly encapsulation?: Encapsulation;
  readonly endpointHigh?: number;
  readonly endpointLow?: number;
}

/** Readers of one worker: what one packet leaves behind must not show in the next. */
export class InnermostBench {
  readonly tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  readonly innermost = new Innermost();
  readonly #layers = new Layers();
  readonly #reader: InnermostReader;

  constructor(entries = 64, timeoutSeconds = 30) {
    const { tally } = this;
    this.#reader = new InnermostReader({
      tally,
      fragments: new FragmentTable({ tally, entries, timeoutSeconds }),
    });
  }

  /** Reads a frame that lies in the middle of a block; bytes outside of it are there, and reading one of them throws. */
  read(frame: Uint8Array, options: ReadOptions = {}): Read {
    const { linkType = LinkType.ethernet, keep = frame.length, seconds = 1000, vni = 7 } = options;
    const block = Buffer.alloc(FRAME_AT + keep + BEHIND, 0xa5);
    block.set(frame.subarray(0, keep), FRAME_AT);
    const layers = this.#layers;
    layers.frameAt = FRAME_AT;
    layers.frameEnd = FRAME_AT + keep;
    layers.linkType = linkType;
    layers.vni = vni;
    layers.encapsulation = options.encapsulation ?? Encapsulation.vxlan;
    layers.endpointHigh = options.endpointHigh ?? 0;
    layers.endpointLow = options.endpointLow ?? 0;
    const bytes = guardedBytes(block, FRAME_AT, FRAME_AT + keep) as Buffer;
    // a view that ends with the frame: reading past it throws
    const view = new DataView(block.buffer, block.byteOffset, FRAME_AT + keep);
    readInner(bytes, layers);
    this.#reader.read(bytes, view, layers, seconds, this.innermost);
    return describe(block, this.innermost);
  }

  /** Counts of `AnalysisTally` that are not 0, by name. */
  get counts(): Record<string, number> {
    const counts = Object.entries(AnalysisTally).map(([name, at]) => [name, this.tally[at] ?? 0] as const);
    return Object.fromEntries(counts.filter(([, count]) => count !== 0));
  }
}

/** One frame read by readers of its own. */
export function readAlone(frame: Uint8Array, options: ReadOptions = {}): Read {
  return new InnermostBench().read(frame, options);
}

function describe(block: Buffer, found: Innermost): Read {
  const from = (at: number): number => (at === ABSENT ? ABSENT : at - FRAME_AT);
  const address = (at: number): string => formatAddress(block, at, found.ipVersion);
  const known = `${found.sourcePort} > ${found.destinationPort}`;
  const steps = Array.from({ length: found.depth }, (_, step) => (found.path >>> (4 * step)) & 0xf);
  return {
    addresses:
      found.ipVersion === 0 ? undefined : `${address(found.sourceAt)} > ${address(found.destinationAt)}`,
    protocol: found.protocol,
    ports: found.ports === Ports.known ? known : found.ports === Ports.unknown ? 'unknown' : 'none',
    transportAt: from(found.transportAt),
    end: found.ipVersion === 0 ? 0 : from(found.end),
    wireLen: found.wireLen,
    fragment: found.fragment,
    path: steps.map((step) => nestNames[step]).join(' '),
    nestedId: found.nestedId,
    vlanId: found.vlanId,
  };
}
