/** What putting TCP streams in order costs, without the output's copy. */
import type { PacketBatch } from '../../src/packet/batch.ts';
import { Innermost } from '../../src/packet/innermost.ts';
import { Layers } from '../../src/packet/layers.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import { ANALYSIS_TALLY_LENGTH } from '../../src/receive/analysis-tally.ts';
import { FragmentTable } from '../../src/receive/fragment-table.ts';
import { readInner } from '../../src/receive/inner.ts';
import { InnermostReader } from '../../src/receive/innermost.ts';
import { LANE_COUNTERS_LENGTH } from '../../src/receive/lane-counters.ts';
import { Resequencer } from '../../src/receive/order/resequencer.ts';
import { TALLY_LENGTH } from '../../src/receive/tally.ts';
import * as tcp from '../../src/wire/tcp.ts';

const SEQUENCE = 4;
const LANES = 64;

/**
 * Packets of 512 streams in turn, each the next of its stream.
 *
 * @param received a batch whose slots all were delivered
 * @param swapped  of one stream in so many, each two packets come in the wrong order; Infinity: none do
 */
export function orderCase(received: PacketBatch, swapped: number): () => number {
  const tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  const output = { put: (): void => void 0 };
  const resequencer = new Resequencer({
    join: 'none',
    holdUs: 20_000,
    holdPackets: 64,
    holdBytes: 67_108_864,
    streams: 65_536,
    tally,
    laneCounters: new Float64Array(LANES * LANE_COUNTERS_LENGTH),
    ledger: new Float64Array(TALLY_LENGTH),
    output,
  });
  const packets = Array.from({ length: received.deliveredCount }, (_, slot) => read(received, slot));
  const dataBytes = packets.map(({ innermost }) => innermost.end - innermost.transportAt - tcp.HEADER_LEN);
  const isSwapped = packets.map((_, slot) => slot % swapped === 1);
  const { view } = received;
  let pass = 0;
  return () => {
    for (let slot = 0; slot < packets.length; slot++) {
      const { layers, innermost } = packets[slot]!;
      const place = isSwapped[slot] ? pass ^ 1 : pass;
      view.setInt32(innermost.transportAt + SEQUENCE, Math.imul(place, dataBytes[slot]!));
      resequencer.take(received, slot, layers, innermost);
    }
    pass++;
    return resequencer.heldPackets;
  };
}

function read(batch: PacketBatch, slot: number): { layers: Layers; innermost: Innermost } {
  const [layers, innermost] = [new Layers(), new Innermost()];
  const tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  const fragments = new FragmentTable({ tally, entries: 8, timeoutSeconds: 30 });
  layers.linkType = LinkType.ethernet;
  layers.frameAt = batch.frameAt[slot]!;
  layers.frameEnd = batch.frameEnd[slot]!;
  layers.payloadAt = batch.at[slot]!;
  layers.payloadEnd = batch.end[slot]!;
  // Ethernet and IPv4 stand before the tunnel
  layers.mirrorSourceAt = batch.at[slot]! + 26;
  layers.mirrorSourceVersion = 4;
  readInner(batch.bytes, layers);
  new InnermostReader({ tally, fragments }).read(batch.bytes, batch.view, layers, 0, innermost);
  return { layers, innermost };
}
