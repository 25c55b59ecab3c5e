import { nameHashes } from '../../src/app/name-hashes.ts';
import { NameKind } from '../../src/packet/flow-record.ts';
import { ANALYSIS_TALLY_LENGTH } from '../../src/receive/analysis-tally.ts';
import { NameFinder } from '../../src/receive/flows/name-finder.ts';
import { type PayloadPacket, payloadPacket } from './payload-packet.ts';

/** One packet of a flow, and whether all of its payload came. */
export interface LookedAt extends PayloadPacket {
  readonly whole?: boolean;
}

export function makeFinder(nameBytes = 1 << 20) {
  const tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  return { finder: new NameFinder({ nameBytes, tally, hashes: nameHashes }), tally };
}

/** One flow, looked into as the flow table does: as long as the finder wants to. */
export class LookedFlow {
  head = 0;
  looks = 0;
  readonly #finder: NameFinder;
  readonly #filling: number | undefined;

  /** @param filling what lies around the packets */
  constructor(finder: NameFinder, filling?: number) {
    this.#finder = finder;
    this.#filling = filling;
  }

  /** Shows a packet; false where the finder did not want it. */
  show(packet: LookedAt): boolean {
    const { bytes, view, innermost, payloadAt, payloadEnd } = payloadPacket(packet, this.#filling);
    if (!this.#finder.wants(innermost, this.head, this.looks)) return false;
    const { whole = true } = packet;
    this.head = this.#finder.look(bytes, view, innermost, payloadAt, payloadEnd, whole, this.head);
    this.looks++;
    return true;
  }

  get names(): string[] {
    return nameTexts(this.#finder, this.head);
  }

  end(): void {
    this.#finder.free(this.head);
    this.head = 0;
    this.looks = 0;
  }
}

/** `kind text` of each name of a flow. */
export function nameTexts(finder: NameFinder, head: number): string[] {
  return finder.names(head).map(({ kind, text }) => `${nameOf(kind)} ${text}`);
}

/** Names that a finder sees in a flow of these packets. */
export function namesIn(packets: readonly LookedAt[], filling?: number): string[] {
  const flow = new LookedFlow(makeFinder().finder, filling);
  for (const packet of packets) flow.show(packet);
  return flow.names;
}

function nameOf(kind: NameKind): string {
  return Object.entries(NameKind).find(([, number]) => number === kind)?.[0] ?? '?';
}
