/** What finding and counting a packet's flow costs, without what TCP adds and without names. */
import { NOT_DUPLICATE } from '../../src/receive/flows/flow-table.ts';
import { FlowFeed } from '../support/flow-feed.ts';
import { Seeded } from '../support/seeded.ts';

const MOST_FLOWS = 1_000_000;
/** Length of the random order in which flows come: far more than a processor remembers. */
const ORDER = 1 << 18;
/** Without a common divisor, so that each flow has an address and port of its own. */
const CLIENTS = 5000;
const FIRST_CLIENT = 0x0a00_0000;
const FIRST_PORT = 1024;
const PORTS = 59_999;

/**
 * UDP packets of so many flows, in random order, in a table with room for a million.
 *
 * @param packets of one pass
 */
export function flowCase(flows: number, packets: number): () => number {
  const feed = new FlowFeed({ maxFlows: MOST_FLOWS, gaps: 1, emit: () => {} });
  feed.write({ payload: Buffer.alloc(64) });
  const { table, batch, layers, innermost } = feed;
  const { view } = batch;
  const see = (flow: number): number => {
    view.setInt32(innermost.sourceAt, FIRST_CLIENT + (flow % CLIENTS));
    innermost.sourcePort = FIRST_PORT + (flow % PORTS);
    return table.see(batch, 0, layers, innermost, 0, NOT_DUPLICATE);
  };
  for (let flow = 0; flow < flows; flow++) see(flow);
  if (table.active !== flows) throw new Error(`There are ${table.active} flows.`);
  const random = new Seeded(1);
  const order = Int32Array.from({ length: ORDER }, () => random.below(flows));
  let at = 0;
  return () => {
    let sum = 1;
    for (let i = 0; i < packets; i++) sum += see(order[at + i]!);
    at = (at + packets) % ORDER;
    return sum;
  };
}
