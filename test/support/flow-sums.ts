import { encodeFlow, FLOW_JSON_MAX_BYTES } from '../../src/format/flow-json.ts';
import type { FlowEndReason, FlowRecord, FlowSide } from '../../src/packet/flow-record.ts';
import type { OrderedOutput } from '../../src/receive/order/resequencer.ts';

/** One record in so many is written as JSON and read again. */
const RECORDS_A_LOOK = 64;
const SIDE_COUNTERS = [
  'port',
  'packets',
  'wireBytes',
  'capturedBytes',
  'tcpFlags',
  'retransmissions',
  'outOfOrder',
  'zeroWindows',
  'resets',
  'ackedBytes',
  'unseenBytes',
] as const;

/** Sums what flow records say, and what is wrong with them. */
export class FlowSums {
  count = 0;
  packets = 0;
  duplicates = 0;
  /** Counted by who sees the packets: copies of frames that are of no flow. */
  copiesWithoutFlow = 0;
  readonly ends = new Set<FlowEndReason>();
  readonly wrong = new Set<string>();
  readonly #out = Buffer.alloc(FLOW_JSON_MAX_BYTES);

  take(record: FlowRecord): void {
    this.count++;
    this.packets += record.source.packets + record.destination.packets;
    this.duplicates += record.duplicatePackets;
    this.ends.add(record.endReason);
    this.#checkSide(record.source);
    this.#checkSide(record.destination);
    if (record.communityId === '') this.wrong.add('communityId');
    if (this.count % RECORDS_A_LOOK !== 0) return;
    const end = encodeFlow(record, 'fuzz', this.#out, 0);
    const parsed = JSON.parse(this.#out.toString('utf8', 0, end)) as { network?: { packets?: number } };
    if (parsed.network?.packets !== record.source.packets + record.destination.packets)
      this.wrong.add('JSON');
  }

  #checkSide(side: FlowSide): void {
    for (const name of SIDE_COUNTERS) {
      const value = side[name];
      if (!Number.isSafeInteger(value) || value < 0) this.wrong.add(name);
    }
    if (side.capturedBytes > side.wireBytes) this.wrong.add('captured more than there was');
    if (side.unseenBytes > side.ackedBytes) this.wrong.add('unseen more than was acknowledged');
  }
}

/** Counts what leaves the resequencer. */
export class OrderedSums implements OrderedOutput {
  packets = 0;
  wrong = 0;

  put: OrderedOutput['put'] = (block, { frameAt, frameEnd, nanoseconds, frameWireLen }) => {
    this.packets++;
    const isPlaced = frameAt <= frameEnd && frameEnd <= block.bytes.length;
    if (!isPlaced || frameWireLen < frameEnd - frameAt || nanoseconds >= 1_000_000_000) this.wrong++;
  };
}
